"""Records in: files through mappings, or single rows, by one write path."""
