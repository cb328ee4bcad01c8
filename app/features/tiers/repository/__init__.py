"""SQL on assignments and scoring states."""
