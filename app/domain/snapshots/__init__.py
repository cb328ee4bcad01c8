"""What an evaluation read about one customer, kept so that it can be replayed."""
