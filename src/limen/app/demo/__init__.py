"""The demo: a sample tenant, a sample shop that is an application of its own, and sample customers."""
