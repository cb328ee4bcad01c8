"""Guards of the house: sizes, names, imports, locks. Each is seen to fail once."""
