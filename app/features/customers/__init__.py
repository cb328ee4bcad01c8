"""Customers: finding the one behind an id, and showing each role what it may see of him."""
