"""Processes, read through /proc, pidfds and sockets: lives, trees, threads, owners of ports."""
