"""What scoring may read in the clear instead of an encrypted value."""
