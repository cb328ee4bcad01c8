"""How an override is asked for, decided on by two officers, and ended."""
