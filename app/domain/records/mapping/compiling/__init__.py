"""Expressions of a mapping as Polars expressions over one file's columns."""
