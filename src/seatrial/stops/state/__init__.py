"""What the fold remembers, its limits, and what its readers share."""
