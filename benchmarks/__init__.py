"""Measurements: each module runs alone and prints ratios."""
