"""Scenarios: what is sent. What must hold is in seatrial.checks, oracles and behaviour."""
