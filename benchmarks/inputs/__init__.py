"""What is measured on: public splits, a night's lake, made-up rows."""
