"""What stays the same: an answer that is asked for again, and the pace at which its words come."""
