"""Tests of seatrial.stops."""
