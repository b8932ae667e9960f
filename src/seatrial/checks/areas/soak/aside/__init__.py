"""Rows of a soak that tell of ourselves, and not of the server."""
