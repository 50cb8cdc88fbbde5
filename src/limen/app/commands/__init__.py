"""The verbs of the command `limen` that are about the whole house; those about one subject live with it."""
