"""Sensitivity classes, the role table, sensitive values and how they are masked."""
