from . import (
    convert as convert,
    data as data,
    datasets as datasets,
    evaluation as evaluation,
    export as export,
    layers as layers,
    losses as losses,
    metrics as metrics,
    models as models,
    reproduction as reproduction,
    serving as serving,
    skeletons as skeletons,
    storage as storage,
    training as training,
    tuning as tuning,
)
from .layers import (
    AxisLSTM as AxisLSTM,
    BasicAttention as BasicAttention,
    BodyCheck as BodyCheck,
    LocalityAwareAttention as LocalityAwareAttention,
    MaskedBasicAttention as MaskedBasicAttention,
    ReverseDecoder as ReverseDecoder,
    SkeletonEncoder as SkeletonEncoder,
    SkeletonNormalization as SkeletonNormalization,
    Standardization as Standardization,
    Whitening as Whitening,
    WindowMeasures as WindowMeasures,
)
from .models import (
    GaitEncoder as GaitEncoder,
    GaitIdentifier as GaitIdentifier,
    GaitRecognizer as GaitRecognizer,
    WindowRecognizer as WindowRecognizer,
)

__version__: str
