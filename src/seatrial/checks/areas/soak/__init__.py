"""Rules over a soak: streams end, requests are answered, and the server counted what the users received."""
