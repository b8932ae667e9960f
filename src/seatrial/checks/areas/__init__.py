"""The requirements themselves: a module or a folder an area. The name of either is the first half of a rule's id."""
