"""Mapping documents: how the rows of a foreign file become our records, without code."""
