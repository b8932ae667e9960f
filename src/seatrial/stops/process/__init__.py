"""Stops of processes: deaths, restarts, impostors, deaf and frozen ones, and what HTTP alone tells."""
