from agegait.gallery.quality import Quality


class PoorWalkError(ValueError):
    """A walk that nobody can be recognised by: too short, too little of it tracked, or no body.

    Attributes:
        quality: What was measured.
    """

    def __init__(self, argument: str, quality: Quality) -> None:
        super().__init__(f"{argument}: {quality.fault}.")
        self.quality = quality
