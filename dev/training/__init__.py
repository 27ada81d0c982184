"""How the learned weights of the templates were trained."""
