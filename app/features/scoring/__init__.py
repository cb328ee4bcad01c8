"""Scoring: evaluating a customer, and the decisions that came of it."""
