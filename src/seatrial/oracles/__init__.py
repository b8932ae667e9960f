"""Rules that need a second opinion on recorded bytes: the official SDKs, JSON Schema."""
