from .client.async_client import AsyncClient as AsyncClient
from .client.async_gallery_client import AsyncGalleryClient as AsyncGalleryClient
from .client.async_stream import AsyncStream as AsyncStream
from .client.async_walk_stream import AsyncWalkStream as AsyncWalkStream
from .client.client import Client as Client
from .client.client_errors import ClientError as ClientError
from .client.gallery_client import GalleryClient as GalleryClient
from .client.gallery_requests import TrackedWalk as TrackedWalk
from .client.gallery_results import (
    EnrolledPerson as EnrolledPerson,
    GalleryIdentification as GalleryIdentification,
    GalleryVerification as GalleryVerification,
    MatchThreshold as MatchThreshold,
    Outcome as Outcome,
    PersonMatch as PersonMatch,
    WalkQuality as WalkQuality,
)
from .client.stream import Stream as Stream
from .client.walk_stream import WalkStream as WalkStream
from .client.walks import Embedding as Embedding, Identification as Identification
from .server.answer_policy import AnswerPolicy as AnswerPolicy
from .server.batching import Batching as Batching
from .server.gallery_options import GalleryOptions as GalleryOptions
from .server.limits import Limits as Limits
from .server.model_options import ModelOptions as ModelOptions
from .server.server import Server as Server
from .server.tls_files import TlsFiles as TlsFiles
