"""Tests of seatrial.judging.run."""
