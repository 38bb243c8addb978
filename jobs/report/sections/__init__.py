"""What each part of the page says."""
