"""Ways to a telephone: what is posted or mailed to a gateway, and what its answer means."""
