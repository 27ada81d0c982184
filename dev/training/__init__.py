"""Training of the weights of the templates."""
