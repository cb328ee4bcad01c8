"""The demo book: made-up customers with plausible histories, written as import files only."""
