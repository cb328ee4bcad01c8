"""What is kept of a decision: a digest of its outputs, and the inputs it can be replayed from."""
