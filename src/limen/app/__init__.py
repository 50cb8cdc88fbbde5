"""The composition root: reads the settings, finds the parts, puts them together, and opens the front doors. It alone knows everyone."""
