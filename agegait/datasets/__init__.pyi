from . import inspection as inspection
from .loading import (
    HELD_OUT as HELD_OUT,
    SPLITS as SPLITS,
    DataSet as DataSet,
    Splits as Splits,
    Windows as Windows,
    builder as builder,
    find as find,
    load as load,
)
