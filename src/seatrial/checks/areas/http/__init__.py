"""HTTP below the API: labels and framing, paths and methods, bodies of every kind, connections, browsers."""
