"""Simulations: what a rule set would change, rehearsed on the whole book before it decides."""
