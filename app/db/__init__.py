"""The one set of tables, and the one definition of the facts."""
