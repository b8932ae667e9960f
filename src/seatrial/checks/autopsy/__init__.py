"""Which tool of a set a server refuses, and which keyword of it: what is asked next, from the answers so far."""
