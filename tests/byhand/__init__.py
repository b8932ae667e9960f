"""Tests of seatrial.byhand."""
