"""Other programs against the embedded agent: opt-in, for they have to be installed (`pytest -m peers`)."""
