"""The command ``seatrial``: a module a command."""
