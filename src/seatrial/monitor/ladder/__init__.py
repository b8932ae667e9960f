"""The upper rungs of an endpoint: /health, the engine's own loop, a token for a client."""
