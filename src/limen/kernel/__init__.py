"""Ids, errors, facts, secrets and the clock: what every floor above speaks in. Standard library only, no I/O."""
