"""SQL of overrides."""
