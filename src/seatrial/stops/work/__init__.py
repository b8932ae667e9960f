"""The work of a server: who waits, what progresses, and WEDGED, where work waits and nothing progresses."""
