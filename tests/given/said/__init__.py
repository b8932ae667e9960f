"""Tests of seatrial.given."""
