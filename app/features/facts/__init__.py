"""Facts: the scoring inputs, and their catalogue."""
