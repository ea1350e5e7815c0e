from . import inspection as inspection
from .data_set import DataSet as DataSet
from .loading import builder as builder, find as find, load as load, whole_name as whole_name
from .splits import HELD_OUT as HELD_OUT, SPLITS as SPLITS, Splits as Splits
from .windows import Windows as Windows
