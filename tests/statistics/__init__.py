"""Tests of seatrial.statistics."""
