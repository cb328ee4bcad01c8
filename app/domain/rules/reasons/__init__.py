"""Reasons of a whole frame."""
