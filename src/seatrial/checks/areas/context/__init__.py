"""The context: what does not fit is refused and never cut in silence, what fits is taken, and odd text does no harm."""
