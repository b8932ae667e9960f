"""Who is let in, what lies open, and what a server tells of itself."""
