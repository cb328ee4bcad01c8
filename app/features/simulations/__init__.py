"""Simulations of rule sets on the whole book."""
