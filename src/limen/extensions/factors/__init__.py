"""Ways to prove who one is, each a folder; the host is `modules/factors`."""
