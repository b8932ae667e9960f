"""Real pairs of servers of which it is known whether they differ, held against each other as an operator would."""
