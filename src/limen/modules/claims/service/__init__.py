"""Use cases of claims: who a person is to an app, and what it is told of her."""
