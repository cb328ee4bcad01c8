"""The pure domain: no clock, no settings, no input or output."""
