"""What the rows of a soak say: of one request, and of all of them."""
