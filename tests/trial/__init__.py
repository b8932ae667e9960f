"""Trials without pytest: the plan, the sender, interviews, the load as a child."""
