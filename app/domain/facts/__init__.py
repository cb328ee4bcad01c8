"""The facts: typed and classified inputs to every evaluation."""
