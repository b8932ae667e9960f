"""The soak: the only room that imports Locust. It runs as a child process, or alone."""
