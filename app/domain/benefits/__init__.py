"""Benefits by tier."""
