"""What to recommend: choice retrieves candidates, ratings score them, and both give the order."""
