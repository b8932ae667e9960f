"""Silent stops, found in a record. :mod:`seatrial.stops.fold` is the only door."""
