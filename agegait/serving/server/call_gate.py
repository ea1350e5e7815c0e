import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc

from agegait.serving.server.call_limits import CallLimits
from agegait.serving.server.health_service import HEALTH_SERVICE
from agegait.serving.server.limits import Limits
from agegait.serving.server.message_gate import MessageGate
from agegait.serving.server.status_error import StatusError
from agegait.serving.server.tokens import Tokens
from agegait.serving.server.unread_answers import UnreadAnswers
from agegait.serving.server.walk_streams import WATCH_WALK, WalkStreams

_WAITING = 256  # Calls that may wait until their message is read: a thread each.
_HEALTH_WAITING = 256
_HEALTH_SLOTS = 4  # A message of theirs may be as large as any.
_HEALTH_SECONDS = 2.0  # A health check is a few bytes.
_HEALTH_UNREAD = 256
_STREAMS = 8

CALLER: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="")
"""The name of the token that a call came with."""

Behavior = Callable[..., Any]

_EXPECTED = "expected authorization: Bearer <token>"


@dataclass(frozen=True)
class _Lane:
    """What a kind of call waits in: so one kind can't take the threads of another."""

    gate: MessageGate
    threads: ThreadPoolExecutor
    unread: UnreadAnswers


class CallGate(grpc.ServerInterceptor):
    """What each call passes before it is answered: its token and role, its turn to send its message, its time.

    A call without a right token is refused before its message is read. Health checks need no token; they have
    threads of their own, and so have watches of the health, streams and refusals.

    Args:
        limits: How long messages and calls may take, how large messages are.
        watches: Most watches on the server's health.
        unread: The answers to calls about models that have not left yet.
        tokens: What callers must send, if anything.
        refused: Called with the method of each call that is refused before it is read, and its status.
        ended: Called with the reason whenever a call is ended whose caller is slow to send, or to read.
        permits: Whether the caller may call a method, given by its whole path.

    Attributes:
        walk_streams: The streams of a gallery.
    """

    def __init__(
        self,
        limits: Limits,
        watches: int,
        unread: UnreadAnswers,
        tokens: Tokens | None = None,
        refused: Callable[[str, grpc.StatusCode], None] = lambda method, code: None,
        ended: Callable[[str], None] = lambda reason: None,
        permits: Callable[[str, grpc.ServicerContext], bool] = lambda method, context: True,
    ) -> None:
        self._tokens = tokens
        self._permits = permits
        self._refused = refused
        self._limits = CallLimits(limits.request_seconds)
        health = MessageGate(_HEALTH_SLOTS, _HEALTH_WAITING, _HEALTH_SECONDS, lambda: ended("late_message"))
        slots = limits.reading_slots
        messages = MessageGate(slots, _WAITING, limits.message_seconds, lambda: ended("late_message"))
        self._gates = [health, messages]
        checked = UnreadAnswers(_HEALTH_UNREAD, limits.max_message_bytes, lambda: ended("unread_answer"))
        self._checks = _Lane(health, _threads("checks", _HEALTH_WAITING + 8), checked)
        self._watches = _threads("watches", _HEALTH_WAITING + 8 + watches)
        # As many requests may be in hand of models, and as many of a gallery.
        self._models = _Lane(messages, _threads("calls", 2 * limits.max_pending + _WAITING + slots + 16), unread)
        self.walk_streams = WalkStreams(limits)
        self._streams = _threads("streams", _STREAMS)
        self._free_streams = threading.Semaphore(_STREAMS)
        self._refusals = _threads("refusals", 2)

    @property
    def calls(self) -> int:
        """Calls that are limited in time and not over."""
        return len(self._limits) + len(self.walk_streams)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Runs on gRPC's only event thread, before anything is read: see `grpc.ServerInterceptor`."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        path = handler_call_details.method
        method = path.rpartition("/")[2]
        health = path.startswith(f"/{HEALTH_SERVICE}/")
        if not health and not self._authorized(handler_call_details):
            self._refused(method, grpc.StatusCode.UNAUTHENTICATED)
            return self._refusal(grpc.StatusCode.UNAUTHENTICATED, _EXPECTED)
        serialization = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary:
            lane = self._checks if health else self._models
            behavior = _in(lane.threads, self._answered(handler.unary_unary, lane, path))
            return grpc.stream_unary_rpc_method_handler(behavior, *serialization)
        if handler.unary_stream:
            behavior = _in(self._watches, self._watched(handler.unary_stream, self._checks.gate, method))
            return grpc.stream_stream_rpc_method_handler(behavior, *serialization)
        if path == WATCH_WALK and handler.stream_stream:
            behavior = _in(self.walk_streams.threads, self._watching(handler.stream_stream))
            return grpc.stream_stream_rpc_method_handler(behavior, *serialization)
        if handler.stream_stream:
            if not self._free_streams.acquire(blocking=False):
                return self._refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, f"at most {_STREAMS} streams at once")
            behavior = _in(self._streams, self._streamed(handler.stream_stream))
            return grpc.stream_stream_rpc_method_handler(behavior, *serialization)
        raise TypeError(f"{handler_call_details.method}: no handler of this kind is expected.")

    def close(self) -> None:
        """Ends no more calls; threads that are busy are not waited for."""
        self._limits.close()
        self.walk_streams.close()
        for gate in self._gates:
            gate.close()
        for threads in (self._checks.threads, self._watches, self._models.threads, self._streams):
            threads.shutdown(wait=False, cancel_futures=True)
        self._refusals.shutdown(wait=False, cancel_futures=True)

    def _authorized(self, details: grpc.HandlerCallDetails) -> bool:
        if self._tokens is None:
            return True
        sent = next((value for key, value in details.invocation_metadata if key == "authorization"), "")
        caller = self._tokens.caller(str(sent))
        if caller is None:
            return False
        CALLER.set(caller)
        return True

    def _refusal(self, code: grpc.StatusCode, details: str) -> grpc.RpcMethodHandler:
        def refuse(messages: Iterator[Any], context: grpc.ServicerContext) -> None:
            context.abort(code, details)

        return grpc.stream_unary_rpc_method_handler(_in(self._refusals, refuse))

    def _answered(self, answer: Behavior, lane: _Lane, path: str) -> Behavior:
        method = path.rpartition("/")[2]

        def limited(messages: Iterator[Any], context: grpc.ServicerContext) -> Any:
            self._limits.limit(context)
            self._require_role(path, context)
            answered = answer(self._read(lane.gate, messages, context, method), context)
            size = len(answered) if isinstance(answered, bytes) else 0
            lane.unread.add(context.peer(), size, context.cancel, context.add_callback)
            return answered

        return limited

    def _watched(self, answer: Behavior, gate: MessageGate, method: str) -> Behavior:
        def limited(messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
            return answer(self._read(gate, messages, context, method), context)

        return limited

    def _watching(self, answer: Behavior) -> Behavior:
        def limited(messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
            self._require_role(WATCH_WALK, context)
            try:
                messages = self.walk_streams.enter(messages, context)
            except StatusError as error:
                self._refused(WATCH_WALK.rpartition("/")[2], error.code)
                context.abort(error.code, error.message)
            return answer(self._permitted(messages, context), context)

        return limited

    def _permitted(self, messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        """The messages of a stream, as long as its caller may send them: tokens and roles change meanwhile."""
        for message in messages:
            sent = dict(context.invocation_metadata()).get("authorization", "")
            if self._tokens is not None and self._tokens.caller(str(sent)) is None:
                self._refused(WATCH_WALK.rpartition("/")[2], grpc.StatusCode.UNAUTHENTICATED)
                context.abort(grpc.StatusCode.UNAUTHENTICATED, _EXPECTED)
            self._require_role(WATCH_WALK, context)
            yield message

    def _require_role(self, path: str, context: grpc.ServicerContext) -> None:
        if not self._permits(path, context):
            method = path.rpartition("/")[2]
            self._refused(method, grpc.StatusCode.PERMISSION_DENIED)
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"expected a role that may {method}")

    def _read(self, gate: MessageGate, messages: Iterator[Any], context: grpc.ServicerContext, method: str) -> Any:
        try:
            return gate.read(messages, context)
        except StatusError as error:
            self._refused(method, error.code)
            context.abort(error.code, error.message)

    def _streamed(self, answer: Behavior) -> Behavior:
        def limited(messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
            try:
                self._limits.limit(context)
                yield from answer(messages, context)
            finally:
                self._free_streams.release()

        return limited


def _in(threads: ThreadPoolExecutor, behavior: Behavior) -> Behavior:
    """Has gRPC run a behavior in these threads."""
    behavior.experimental_thread_pool = threads  # type: ignore[attr-defined]
    return behavior


def _threads(name: str, most: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(most, thread_name_prefix=f"agegait-{name}")
