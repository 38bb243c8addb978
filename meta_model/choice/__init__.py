"""What a user will pick next: learners of choices, beside those of ratings."""
