"""What sends: a transport each for the suites, the load and the monitor, with what they share."""
