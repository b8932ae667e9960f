"""Tests of seatrial.run."""
