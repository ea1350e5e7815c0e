from . import (
    convert as convert,
    data as data,
    datasets as datasets,
    evaluation as evaluation,
    export as export,
    gallery as gallery,
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
from .gallery import Gallery as Gallery
from .layers import (
    AxisLSTM as AxisLSTM,
    BasicAttention as BasicAttention,
    BodyCheck as BodyCheck,
    BodyCoordinates as BodyCoordinates,
    CosineClassifier as CosineClassifier,
    FrameEncodings as FrameEncodings,
    FrameFeatures as FrameFeatures,
    JointDistances as JointDistances,
    JointVelocities as JointVelocities,
    LocalityAwareAttention as LocalityAwareAttention,
    MaskedBasicAttention as MaskedBasicAttention,
    ReverseDecoder as ReverseDecoder,
    SkeletonEncoder as SkeletonEncoder,
    SkeletonNormalization as SkeletonNormalization,
    Standardization as Standardization,
    StatisticsPooling as StatisticsPooling,
    TemporalBlock as TemporalBlock,
    Whitening as Whitening,
    WindowMeasures as WindowMeasures,
)
from .models import (
    GaitEmbedder as GaitEmbedder,
    GaitEncoder as GaitEncoder,
    GaitIdentifier as GaitIdentifier,
    GaitRecognizer as GaitRecognizer,
    WindowRecognizer as WindowRecognizer,
)

__version__: str
