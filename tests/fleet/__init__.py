"""Loads over several processes, as people start them: ``python -m tests.fleet`` has hosts of their own for them."""
