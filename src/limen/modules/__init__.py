"""The subjects of the domain, in tiers (docs/architecture.md): a module imports lower tiers only, and only through their front doors."""
