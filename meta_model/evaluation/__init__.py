"""What a learner is worth: of the ratings it predicts, and of the lists it makes."""
