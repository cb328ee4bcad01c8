"""Overrides with two keys: a human's temporary replacement of a tier, decided by two officers."""
