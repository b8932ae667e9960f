"""What is seen of a soak while it goes on: its line, and what the recorder sees of the server meanwhile."""

from seatrial.trial.progress.line import Progress, clock

__all__ = ["Progress", "clock"]
