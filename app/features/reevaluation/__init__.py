"""Re-evaluation runs: one pass over the book that writes what changed."""
