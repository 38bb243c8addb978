"""What a trained model is on the disk."""
