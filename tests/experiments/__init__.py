"""The experiments of the templates, each as a function that does it and tests the stated result."""

from experiments import models, of_templates, sheets, trainings

__all__ = ["models", "of_templates", "sheets", "trainings"]
