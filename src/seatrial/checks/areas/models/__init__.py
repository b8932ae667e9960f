"""The list of models, and what happens to a name that is not on it."""
