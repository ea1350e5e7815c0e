class WalkFaultError(ValueError):
    """A walk that shows no body, as a model says.

    Attributes:
        number: Which of the walks.
        fault: In the model's words.
    """

    def __init__(self, number: int, fault: str) -> None:
        super().__init__(fault)
        self.number = number
        self.fault = fault
