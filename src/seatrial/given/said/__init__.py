"""What the operator writes down of models: what is claimed of them, and what they ought to refuse and to answer."""
