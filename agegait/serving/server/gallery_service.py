"""The gallery's own gRPC service."""

import threading
from collections.abc import Iterator
from typing import Any

import grpc

from agegait.serving import gallery_pb2 as messages
from agegait.serving.server.done_callbacks import DoneCallbacks
from agegait.serving.server.gallery_api import GalleryApi
from agegait.serving.server.gallery_roles import GALLERY_SERVICE, GalleryRoles
from agegait.serving.server.memory_budget import MemoryBudget
from agegait.serving.server.services import Services
from agegait.serving.server.status_error import StatusError

_WATCH = "WatchWalk"


class GalleryService:
    """Answers gRPC calls by a `GalleryApi`.

    Args:
        api: What answers.
        services: What each message passes.
        budget: The memory of all requests.
        roles: Who may do what.
    """

    def __init__(self, api: GalleryApi, services: Services, budget: MemoryBudget, roles: GalleryRoles) -> None:
        self._api = api
        self._services = services
        self._budget = budget
        self._roles = roles
        self._idle: set[grpc.ServicerContext] = set()  # Streams whose next message has not come.
        self._closing = False
        self._changed = threading.Lock()

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler for `grpc.Server.add_generic_rpc_handlers`."""
        api = self._api
        unary: dict[str, Any] = {
            "Enrol": (messages.EnrolRequest, api.enrol),
            "Forget": (messages.ForgetRequest, api.forget),
            "ListPeople": (messages.ListPeopleRequest, api.list_people),
            "Identify": (messages.IdentifyRequest, api.identify),
            "Verify": (messages.VerifyRequest, api.verify),
        }
        handlers = {
            method: self._services.handler(method, kind, answer, self._roles.actor)
            for method, (kind, answer) in unary.items()
        }
        handlers[_WATCH] = grpc.stream_stream_rpc_method_handler(self._watch)
        return grpc.method_handlers_generic_handler(GALLERY_SERVICE, handlers)

    def close(self) -> None:
        """Ends the streams: those that wait for frames at once, others after their next answer."""
        with self._changed:
            self._closing = True
            idle = list(self._idle)
        for context in idle:
            context.cancel()

    def _watch(self, raws: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        done = DoneCallbacks()  # Of the message in hand: gRPC would keep those of all for as long as the stream lasts.
        memory = self._budget.open()

        def over() -> None:
            done.run()
            memory.sent()

        if not context.add_callback(over):
            return
        try:
            watch = self._api.watch(memory)
            while True:
                self._wait(context)
                raw = next(raws, None)
                with self._changed:
                    self._idle.discard(context)
                if raw is None:
                    return
                done = DoneCallbacks()
                call = self._services.call(_WATCH, raw, context, done.add)
                call.actor = self._roles.actor(context)
                try:
                    answer = self._services.answered(
                        call, raw, messages.WatchWalkRequest, lambda request, call: self._api.add(watch, request, call)
                    )
                    yield answer
                finally:
                    done.run()
        except StatusError as error:
            context.abort(error.code, error.message)
        finally:
            with self._changed:
                self._idle.discard(context)
            memory.handled()

    def _wait(self, context: grpc.ServicerContext) -> None:
        with self._changed:
            if self._closing:
                raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
            self._idle.add(context)
