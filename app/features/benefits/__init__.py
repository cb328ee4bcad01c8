"""What each tier is granted."""
