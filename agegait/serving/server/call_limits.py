import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc


class CallLimits(grpc.ServerInterceptor):
    """Ends calls that take too long, those whose message never comes or whose answer is never read among them.

    A thread of the server waits for each message that was announced, so callers who say nothing would hold all of them.
    A watch on the server's health may last; its message must come in time.

    Args:
        seconds: How long a call may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: dict[int, tuple[float, grpc.ServicerContext]] = {}  # In the order of their ends.
        self._changed = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="agegait-limits", daemon=True)
        self._thread.start()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Has the call's message read here, within the limit: see `grpc.ServerInterceptor`."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        serialization = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary:
            return grpc.stream_unary_rpc_method_handler(self._answered(handler.unary_unary), *serialization)
        if handler.unary_stream:
            return grpc.stream_stream_rpc_method_handler(self._watched(handler.unary_stream), *serialization)
        if handler.stream_stream:
            return grpc.stream_stream_rpc_method_handler(self._streamed(handler.stream_stream), *serialization)
        return handler

    def close(self) -> None:
        """Ends no more calls."""
        self._stopping.set()
        self._thread.join()

    def _answered(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def limited(messages: Iterator[Any], context: grpc.ServicerContext) -> Any:
            self._limit(context)
            return answer(_only(messages, context), context)

        return limited

    def _watched(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def limited(messages: Iterator[Any], context: grpc.ServicerContext, *rest: Any) -> Any:
            self._limit(context)
            message = _only(messages, context)
            self._release(context)
            return answer(message, context, *rest)

        # A watch that may last takes no thread: so the health service marks it.
        for mark in ("experimental_non_blocking", "experimental_thread_pool"):
            if hasattr(answer, mark):
                setattr(limited, mark, getattr(answer, mark))
        return limited

    def _streamed(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def limited(messages: Iterator[Any], context: grpc.ServicerContext) -> Any:
            self._limit(context)
            return answer(messages, context)

        return limited

    def _limit(self, context: grpc.ServicerContext) -> None:
        with self._changed:
            self._calls[id(context)] = time.monotonic() + self._seconds, context
        if not context.add_callback(lambda: self._release(context)):
            self._release(context)

    def _release(self, context: grpc.ServicerContext) -> None:
        with self._changed:
            self._calls.pop(id(context), None)

    def _watch(self) -> None:
        while not self._stopping.wait(min(1.0, self._seconds / 4)):
            now = time.monotonic()
            with self._changed:
                late = []
                for end, context in self._calls.values():
                    if end > now:
                        break
                    late.append(context)
            for context in late:
                context.cancel()
                self._release(context)


def _only(messages: Iterator[Any], context: grpc.ServicerContext) -> Any:
    for message in messages:
        return message
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected one message, received none")
