"""Service promises by tier."""
