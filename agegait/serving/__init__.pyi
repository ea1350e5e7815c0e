from .client.async_client import AsyncClient as AsyncClient
from .client.async_stream import AsyncStream as AsyncStream
from .client.client import Client as Client
from .client.client_errors import ClientError as ClientError
from .client.stream import Stream as Stream
from .client.walks import Embedding as Embedding, Identification as Identification
from .server.answer_policy import AnswerPolicy as AnswerPolicy
from .server.limits import Limits as Limits
from .server.server import Server as Server
