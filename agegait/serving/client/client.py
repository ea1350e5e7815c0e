from typing import Any

import numpy as np

from agegait.recordings.frame_rates import FrameRates
from agegait.serving.client import answers, channels, walks
from agegait.serving.client.client_errors import InvalidRequestError
from agegait.serving.client.server_client import ServerClient
from agegait.serving.client.stream import Stream


class Client(ServerClient):
    """Asks a server, `agegait serve` or tensorflow/serving, who walks. May be shared by threads.

    Needs neither Keras nor TensorFlow. While a model loads, requests wait for it until the time-out. A server that is
    not there is tried again for three seconds, unless `wait`. Answers are compared with the request.

    Args:
        target: `host:port`, or any gRPC name.
        timeout: Seconds that a request may take, repeats included.
        wait: Whether to wait until the time-out for a server that can't be reached, as while it starts.
        max_answer_bytes: Largest answer that is read, all its arrays together.
        token: Sent as `authorization: Bearer <token>`.
        tls: Whether to use TLS, with the system's authorities where `tls_ca` is absent.
        tls_ca: PEM file of the authorities that vouch for the server; implies TLS.
        tls_cert: PEM file of this client's certificate chain, for mutual TLS; implies TLS.
        tls_key: PEM file of its private key.

    Raises:
        ValueError: PEM files that can't be read or are only half named, a token that no header can carry, or a number
            that makes no sense.

    Example:
        >>> with agegait.serving.Client("127.0.0.1:8500") as client:
        ...     client.identify(walk)[0].person
        'bob'
    """

    def identify(
        self, skeletons: walks.Walks, model: str = "identifier", frame_rate: FrameRates = None
    ) -> list[walks.Identification]:
        """Who each walk's person is.

        Args:
            skeletons: A walk `[T, J, 3]` in metres, walks of one length `[B, T, J, 3]`, or a sequence of walks of any
                lengths.
            model: The model's name.
            frame_rate: Frames a second of the walks, one of all or one of each; None for the model's own. Walks whose
                rate is another by more than a tenth are resampled, by the model.

        Returns:
            A result for each walk, in order.

        Raises:
            ValueError: Walks of another shape, NaN or infinity, a frame rate that is none: nothing was sent.
            ClientError: What the server or the way there refused, by status; `BadAnswerError` for an answer that makes
                no sense.
        """
        found = []
        for request, count in walks.walk_requests(skeletons, model, frame_rate):
            found += answers.identifications(self._predict(request), count, self._max_bytes)
        return found

    def stream(
        self,
        every: int = 6,
        *,
        last: int | None = None,
        keep: int = 3600,
        model: str = "identifier",
        frame_rate: float | None = None,
    ) -> Stream:
        """A walk whose frames come one by one.

        Args:
            every: Frames from one question to the next.
            last: Frames that count, the newest, at the model's frame rate; all of the walk where absent.
            keep: Most frames that wait while the server can't be reached; older ones are given up and counted.
            model: The model's name.
            frame_rate: Frames a second that come; None for the model's own, or where each frame is added with its time.
                Frames of another rate, by more than a tenth, are resampled as they come.

        Returns:
            The stream of one person's walk; several may go on at once.

        Raises:
            ValueError: A count below 1, fewer frames to keep than go into a question, or a frame rate that is none.

        Example:
            >>> with client.stream(every=6) as walk:
            ...     for frame in sensor:
            ...         if found := walk.add(frame):
            ...             print(found.person, found.score)
        """
        return Stream(self._call, every, last, keep, model, self._max_bytes, frame_rate)

    def embed(
        self, skeletons: walks.Walks, model: str = "embedder", frame_rate: FrameRates = None
    ) -> list[walks.Embedding]:
        """The embedding of each walk, by which people are compared whom nobody has trained on.

        Args:
            skeletons: As of `identify`.
            model: The model's name.
            frame_rate: As of `identify`.

        Returns:
            An embedding for each walk, in order.

        Raises:
            ValueError: Walks of another shape, NaN or infinity, a frame rate that is none: nothing was sent.
            ClientError: What the server or the way there refused, by status; `BadAnswerError` for an answer that makes
                no sense.

        Example:
            >>> first, second = client.embed([walk, another])
            >>> cosine = first.vector @ second.vector
        """
        found = []
        for request, count in walks.walk_requests(skeletons, model, frame_rate):
            found += answers.embeddings(self._predict(request), count, self._max_bytes)
        return found

    def encode(self, windows: np.ndarray, model: str = "encoder") -> dict[str, np.ndarray]:
        """The gait encodings of windows.

        Args:
            windows: `[B, f, J, 3]` in metres, or one window `[f, J, 3]`.
            model: The model's name.

        Returns:
            `"ages"` `[B, f, 3k]`, `"attention"` `[B, 3, f, f]` and `"reconstruction"` `[B, f, J, 3]`.

        Raises:
            ValueError: Windows of another shape, NaN or infinity: nothing was sent.
            ClientError: What the server or the way there refused, by status; `BadAnswerError` for an answer that makes
                no sense.
        """
        request, shape = walks.encode_request(windows, model)
        return answers.encodings(self._call(channels.PREDICT, request), shape, self._max_bytes)

    def status(self, model: str = "identifier") -> list[walks.VersionStatus]:
        """How the versions of a model fare, newest first.

        Raises:
            ClientError: `NotFoundError` for a model that is not there, others by status.
        """
        return answers.version_statuses(self._call(channels.STATUS, walks.status_request(model)))

    def metadata(self, model: str = "identifier") -> dict[str, walks.SignatureInfo]:
        """What the signatures of a model take and give, by name.

        Raises:
            ClientError: `NotFoundError` for a model that is not there, others by status.
        """
        return answers.signature_infos(self._call(channels.METADATA, walks.metadata_request(model)))

    def ready(self, service: str = "") -> bool:
        """Whether the server is loaded and warm, by its gRPC health service, for which it asks no token.

        Args:
            service: `"live"` asks whether it runs at all, be it ready or not.

        Raises:
            ClientError: No answer; tensorflow/serving has no health service and answers UNIMPLEMENTED.
        """
        return self._call(channels.HEALTH, walks.health_request(service)).status == answers.SERVING

    def _predict(self, request: Any) -> Any:
        try:
            return self._call(channels.PREDICT, request)
        except InvalidRequestError as error:
            raise walks.without_rates(request, error) from None

    def _call(self, method: channels.Method, request: Any) -> Any:
        return self._connection.call(method, request)
