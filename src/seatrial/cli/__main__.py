"""``python -m seatrial.cli``: the command, where no script is installed."""

from __future__ import annotations

from seatrial.cli.app import main

main()
