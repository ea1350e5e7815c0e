STARTER = "starter"
"""What users call the embedder that comes with agegait."""


def preset_name(model: str) -> str:
    """The preset that a user's word stands for."""
    return "walkers" if model == STARTER else model
