"""Refusals: their shape, their words and their status, and that the server goes on."""
