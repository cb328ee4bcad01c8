"""What features stand on: settings, sessions, tokens, masking, problems, the embedded server."""
