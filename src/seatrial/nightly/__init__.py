"""``seatrial nightly``: one run after another, and what is told of them. Free of typer and pytest."""
