"""What varies behind a port: one folder each, found by name, pure, known to nobody above the port it fills."""
