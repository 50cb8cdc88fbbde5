"""Use cases of keys, a file for each kind: tenants', subjects' and signing keys, and what wraps them all."""
