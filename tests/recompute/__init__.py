"""The facts a second time, in plain Python, from their meanings; imports nothing from `app`."""
