"""Rows of one file that carry the same natural key."""
