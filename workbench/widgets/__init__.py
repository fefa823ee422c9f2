"""What an analyst handles in a notebook: panels and editors over the rooms below, which decide everything."""
