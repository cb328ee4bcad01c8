"""Rule-set documents as the bytes that people send and are given, whatever their form."""
