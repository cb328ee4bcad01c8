"""From the values a file holds to the types a record wants."""
