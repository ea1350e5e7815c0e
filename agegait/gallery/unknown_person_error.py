class UnknownPersonError(ValueError):
    """A name that nobody in the gallery has, or has any longer."""

    def __init__(self) -> None:
        super().__init__("person: expected somebody enrolled, received another name.")
