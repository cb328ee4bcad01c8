"""What a typed row of a record must satisfy before it may be stored."""
