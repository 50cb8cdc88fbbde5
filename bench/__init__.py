"""Reproducible benchmarks: Limen and a peer on the same machine, in the same run, one core each."""
