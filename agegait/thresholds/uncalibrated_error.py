class UncalibratedError(ValueError):
    """A rate of false alarms was asked for, and the gallery has no calibration to know its distance by."""
