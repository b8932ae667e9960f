"""Nights beside each other: read from their run directories, a line each, and the trends of their figures."""
