"""What is kept of the interactions from night to night."""
