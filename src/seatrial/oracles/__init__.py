"""Rules that need a second opinion on recorded bytes: the official SDK behind a mock transport, JSON Schema."""
