class OtherEmbedderError(ValueError):
    """A gallery whose templates are those of another embedder."""
