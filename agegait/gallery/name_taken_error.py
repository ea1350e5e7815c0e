class NameTakenError(ValueError):
    """A name that looks like the one of somebody else who is enrolled."""
