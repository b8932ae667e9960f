"""A model that is simulated: it answers the items of every probe right, or with a fault, as often as it is told to."""
