from collections.abc import Callable

import grpc
from prometheus_client import CollectorRegistry

from agegait.serving.server.answer_policy import AnswerPolicy
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.catalog import Catalog
from agegait.serving.server.gallery_api import GalleryApi
from agegait.serving.server.gallery_keeper import GalleryKeeper
from agegait.serving.server.gallery_metrics import GalleryMetrics
from agegait.serving.server.gallery_model import find_gallery_model
from agegait.serving.server.gallery_options import GalleryOptions
from agegait.serving.server.gallery_roles import GalleryRoles
from agegait.serving.server.gallery_service import GalleryService
from agegait.serving.server.limits import Limits
from agegait.serving.server.memory_budget import MemoryBudget
from agegait.serving.server.services import Services

_LOOK_SECONDS = 1.0


class ServedGallery:
    """A gallery, and all that answers for it.

    Args:
        options: Where it is, and what embeds its walks.
        catalog: The models that are served.
        batcher: What runs them.
        services: What each message passes.
        budget: The memory of all requests.
        limits: How much it does at once.
        answers: What answers may hold.
        roles: Who may do what.
        registry: Where counts are kept.
        on_change: Called with whether the database answers.
    """

    def __init__(
        self,
        options: GalleryOptions,
        catalog: Catalog,
        batcher: Batcher,
        services: Services,
        budget: MemoryBudget,
        limits: Limits,
        answers: AnswerPolicy,
        roles: GalleryRoles,
        registry: CollectorRegistry,
        on_change: Callable[[bool], None],
    ) -> None:
        self.metrics = GalleryMetrics(registry)
        self._keeper = GalleryKeeper(
            options.url,
            lambda fingerprint: find_gallery_model(catalog, options.model, fingerprint),
            batcher,
            self.metrics,
            on_change,
            _LOOK_SECONDS,
        )
        self._api = GalleryApi(self._keeper, batcher, limits.max_pending, self.metrics, answers)
        self._service = GalleryService(self._api, services, budget, roles)

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler for `grpc.Server.add_generic_rpc_handlers`."""
        return self._service.handler()

    def start(self) -> None:
        """Opens it; raises as `GalleryKeeper.start`."""
        self._keeper.start()

    def wait_idle(self, seconds: float) -> bool:
        """Waits until every request is answered and its answer sent, so long at most; whether they all are."""
        return self._api.admission.wait_idle(seconds)

    def close(self) -> None:
        """Refuses requests from now on, and ends the streams after what they have in hand."""
        self._api.admission.close()
        self._service.close()

    @property
    def in_hand(self) -> int:
        """Requests that are worked on."""
        return self._api.admission.in_hand

    def end(self) -> None:
        """Ends all connections with the database."""
        self._keeper.close()
