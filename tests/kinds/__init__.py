"""Tests of seatrial.kinds."""
