"""From records to verdicts: outcomes, stops, statistics. Pure: no clock, no socket, no file."""
