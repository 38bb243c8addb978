"""How long the model of choices is trained in nights that test something else."""

SHORT_CHOICES = ("--set", "choice.epochs=2", "--set", "choice.regularisation=light")
