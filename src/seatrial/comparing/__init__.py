"""Two endpoints, of one run or of two, compared question by question: pure, and handed all that it reads."""
