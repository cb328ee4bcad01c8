"""Encrypting what only its subject's key may open, and storing its mask beside it."""
