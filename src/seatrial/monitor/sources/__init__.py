"""Sources of evidence beside processes and rungs: the server's own log."""
