"""The decision between an incumbent and its candidates, on its way to its readers: one page, JSON, the terminal."""
