"""What is measured beside: other libraries, SQL by hand, readers at work."""
