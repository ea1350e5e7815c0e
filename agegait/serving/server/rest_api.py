import asyncio
import contextlib
import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import grpc
import orjson
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tensorflow_serving.apis.model_pb2 import ModelSpec

from agegait.serving.server import rest_json
from agegait.serving.server.call import Call
from agegait.serving.server.done_callbacks import DoneCallbacks
from agegait.serving.server.limits import Limits
from agegait.serving.server.memory_budget import MemoryBudget
from agegait.serving.server.model_api import ModelApi
from agegait.serving.server.request_ids import REQUEST_ID, request_id
from agegait.serving.server.rest_bodies import RestBodies, TooLargeError
from agegait.serving.server.status_error import StatusError, invalid_argument
from agegait.serving.server.telemetry import Telemetry
from agegait.serving.server.tokens import Tokens
from agegait.serving.server.unread_answers import UnreadAnswers
from agegait.serving.tensors import decode, encode

_LOOKUPS = 8  # Requests for status and metadata that run at the same time.
_SPARE = 16
_PARSERS = 2
_ANSWER_COPIES = 8  # The arrays, the message, and JSON, which takes up to six bytes for one.
_MAX_PATH = 200
_MAX_VERSION = 2**63

_STATUS = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}
"""HTTP's status for gRPC's, as TensorFlow Serving has them; 500 for all others."""


class RestApi:
    """TensorFlow Serving's REST API.

    Args:
        api: What answers.
        telemetry: What counts and logs.
        budget: The memory of all requests.
        unread: The answers that have not left yet.
        limits: How long requests may take, how large they may be.
        body_bytes: The memory of all bodies that are arriving.
        tokens: What callers must send, if anything; checked before a body is read.
    """

    def __init__(
        self,
        api: ModelApi,
        telemetry: Telemetry,
        budget: MemoryBudget,
        unread: UnreadAnswers,
        limits: Limits,
        body_bytes: int,
        tokens: Tokens | None = None,
    ) -> None:
        self._api = api
        self._telemetry = telemetry
        self._budget = budget
        self._unread = unread
        self._limits = limits
        self._tokens = tokens
        self._bodies = RestBodies(limits.max_message_bytes, body_bytes)
        self._parsing = threading.Semaphore(_PARSERS)
        self._predicting = anyio.CapacityLimiter(limits.max_pending + _SPARE)
        self._looking_up = anyio.CapacityLimiter(_LOOKUPS)

    def app(self) -> ASGIApp:
        """It, as an ASGI application."""
        routes = []
        for place in ("", "/versions/{version}", "/labels/{label}"):
            path = f"/v1/models/{{name}}{place}"
            for verb, method in (("predict", "Predict"), ("classify", "Classify"), ("regress", "Regress")):
                routes.append(Route(f"{path}:{verb}", self._endpoint(method, self._predict), methods=["POST"]))
            routes.append(
                Route(f"{path}/metadata", self._endpoint("GetModelMetadata", self._metadata), methods=["GET"])
            )
            routes.append(Route(path, self._endpoint("GetModelStatus", self._status), methods=["GET"]))
        app = Starlette(routes=routes, exception_handlers={HTTPException: _no_such_path})
        app.router.redirect_slashes = False
        return app

    def _endpoint(self, method: str, answer: Callable[..., Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            done = DoneCallbacks()
            request.state.done, request.state.running = done, False
            call = self._call(method, request, done)
            try:
                status, body = 200, await self._authorized(call, request, answer)
            except StatusError as error:
                status, body = _http_status(error), _error(error.message)
            except Exception:  # Nothing of what went wrong in here is the caller's to see.
                status, body = 500, _error("internal error")
            self._telemetry.metrics.finish_rest(method, status)
            self._unread.add(call.peer, len(body), _cancelling_of_this_task(), done.add)
            return _Answer(body, status, call.request_id, done)

        return endpoint

    def _call(self, method: str, request: Request, done: DoneCallbacks) -> Call:
        memory = self._budget.open()
        done.add(memory.sent)
        return Call(
            method,
            transport="rest",
            peer=_peer(request),
            request_id=request_id(request.headers.get(REQUEST_ID)),
            deadline=time.monotonic() + self._limits.request_seconds,
            memory=memory,
            add_done_callback=done.add,
        )

    async def _authorized(self, call: Call, request: Request, answer: Callable[..., Any]) -> bytes:
        if self._tokens is not None:
            caller = self._tokens.caller(request.headers.get("authorization", ""))
            if caller is None:
                call.memory.handled()
                self._telemetry.count(call, grpc.StatusCode.UNAUTHENTICATED)
                raise StatusError(grpc.StatusCode.UNAUTHENTICATED, "expected authorization: Bearer <token>")
            call.caller = caller
        with self._telemetry.observed(call):
            try:
                body = await answer(call, request, _spec(request))
            except asyncio.CancelledError:
                raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is shutting down") from None
            finally:
                if not request.state.running:  # Else the thread says so.
                    call.memory.handled()
            call.answer_bytes = len(body)
            return body

    async def _predict(self, call: Call, request: Request, spec: ModelSpec) -> bytes:
        if call.method != "Predict":
            raise StatusError(grpc.StatusCode.UNIMPLEMENTED, f"{call.method} is not served")
        body = await self._bodies.read(request.headers, request.receive)
        call.request_bytes = len(body)
        call.memory.resize(len(body))
        if self._predicting.borrowed_tokens >= self._predicting.total_tokens:
            raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "the queue is full")
        bodies = [body]
        del body  # The thread is to be the only one that holds it, and lets it go once it is parsed.
        work = functools.partial(self._run, bodies, spec, call)
        running = asyncio.ensure_future(
            anyio.to_thread.run_sync(work, limiter=self._predicting, abandon_on_cancel=True)
        )
        request.state.running = True
        gone = asyncio.ensure_future(request.receive())
        try:
            await asyncio.wait({running, gone}, timeout=_left(call), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                request.state.done.run()  # Which takes it out of the line; what has begun is finished.
                await asyncio.wait({running}, timeout=_left(call))
            if not running.done():
                raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed")
            return await running
        finally:
            gone.cancel()
            running.cancel()

    def _run(self, bodies: list[bytearray], spec: ModelSpec, call: Call) -> bytes:
        """Predicts, in a thread."""
        try:
            return self._answer(bodies.pop(), spec, call)
        finally:
            call.memory.handled()

    def _answer(self, body: bytearray, spec: ModelSpec, call: Call) -> bytes:
        request, by_row = self._read(body, spec, call)
        del body
        response = self._api.predict(request, call)
        arrays = {name: decode(tensor, self._limits.max_answer_bytes) for name, tensor in response.outputs.items()}
        call.memory.resize(_ANSWER_COPIES * response.ByteSize())
        del response, request
        written = rest_json.write(arrays, by_row)
        call.memory.resize(len(written))
        return written

    def _read(self, body: bytearray, spec: ModelSpec, call: Call) -> tuple[predict_pb2.PredictRequest, bool]:
        needed = rest_json.memory_needed(body, 2 * self._limits.max_elements)
        with self._parsing:
            call.memory.resize(needed)
            document = rest_json.parse(body)
            spec.signature_name = document.signature
            arrays = rest_json.read_arrays(document, self._api.signature(spec, call).inputs)
            request = predict_pb2.PredictRequest(model_spec=spec)
            for name, array in arrays.items():
                encode(array, request.inputs[name])
        return request, document.by_row

    async def _metadata(self, call: Call, request: Request, spec: ModelSpec) -> bytes:
        asked = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
        return await self._look_up(lambda: _metadata_json(self._api.metadata(asked, call)))

    async def _status(self, call: Call, request: Request, spec: ModelSpec) -> bytes:
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        return await self._look_up(lambda: _message_json(self._api.status(asked, call)))

    async def _look_up(self, work: Callable[[], dict[str, Any]]) -> bytes:
        return orjson.dumps(await anyio.to_thread.run_sync(work, limiter=self._looking_up, abandon_on_cancel=True))


class _Answer(Response):
    """Says when it has left, or its caller has."""

    media_type = "application/json"

    def __init__(self, body: bytes, status: int, number: str, done: DoneCallbacks) -> None:
        super().__init__(body, status, {REQUEST_ID: number, **_HEADERS.get(status, {})})
        self._done = done

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._done.run()


_HEADERS = {401: {"www-authenticate": "Bearer"}, 429: {"retry-after": "1"}, 503: {"retry-after": "1"}}


def _cancelling_of_this_task() -> Callable[[], object]:
    """Cancels the task that calls this, from any thread."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()

    def cancel() -> None:
        with contextlib.suppress(RuntimeError):  # The loop has ended, and the task with it.
            loop.call_soon_threadsafe(lambda: task is None or task.cancel())

    return cancel


def _left(call: Call) -> float:
    return max(0.0, call.deadline - time.monotonic())


def _spec(request: Request) -> ModelSpec:
    places = request.path_params
    spec = ModelSpec(name=places["name"])
    if ":" in spec.name:
        raise _malformed(request)
    if "label" in places:
        spec.version_label = places["label"]
    if "version" in places:
        digits = places["version"]
        if not digits.isascii() or not digits.isdecimal():
            raise _malformed(request)
        if len(digits) > 19 or int(digits) >= _MAX_VERSION:
            raise invalid_argument(f"Failed to convert version: {digits[:_MAX_PATH]} to numeric.")
        spec.version.value = int(digits)
    return spec


def _malformed(request: Request) -> StatusError:
    return invalid_argument(f"Malformed request: {request.method[:20]} {request.url.path[:_MAX_PATH]}")


async def _no_such_path(request: Request, error: Exception) -> Response:
    if request.url.path.startswith("/v1/"):
        return Response(_error(_malformed(request).message), 400, media_type="application/json")
    return Response(_error("Not found"), 404, media_type="application/json")


def _peer(request: Request) -> str:
    if request.client is None:
        return ""
    host, port = request.client
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _http_status(error: StatusError) -> int:
    return 413 if isinstance(error, TooLargeError) else _STATUS.get(error.code, 500)


def _error(message: str) -> bytes:
    return orjson.dumps({"error": message.encode(errors="replace").decode()})


def _message_json(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _metadata_json(response: Any) -> dict[str, Any]:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return {
        "model_spec": _message_json(response.model_spec),
        "metadata": {"signature_def": _message_json(signatures)},
    }
