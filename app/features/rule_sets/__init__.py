"""Rule sets: immutable versions, and which of them decides for a product line on a day."""
