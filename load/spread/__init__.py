"""A load over several processes, as sessions: that of the master, which sends nothing, and that of a worker."""
