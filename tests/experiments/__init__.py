"""What the experiments of the templates promise, each as a function that does what its sentence says."""

from experiments import models, of_templates, sheets, trainings

__all__ = ["models", "of_templates", "sheets", "trainings"]
