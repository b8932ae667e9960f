"""The run directory: written line by line while a run goes on, followed as it grows, and read back by who judges."""
