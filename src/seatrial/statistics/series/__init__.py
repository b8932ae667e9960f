"""What a row of numbers shows in time: noise that hangs together, trends, steps."""
