"""The tests, by what they guard."""
