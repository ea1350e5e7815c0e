import os
from dataclasses import KW_ONLY, dataclass

from agegait.serving.server.argument_checks import require_seconds


@dataclass(frozen=True)
class ModelOptions:
    """Which models a server serves, and which of their versions it loads.

    Attributes:
        folder: What `agegait.export.save` wrote: `folder/<model>/<version>/`; or one model's `<version>/` folders.
        model_config_file: In place of `folder`, TensorFlow Serving's `models.config`, which gives versions labels too;
            read at the start.
        allow_version_labels_for_unavailable_models: Whether a label may name a version that does not serve.
        verify: Whether a version is refused whose files differ from the manifest that was exported with them; one
            without a manifest loads.
        poll_seconds: How often version folders are looked at.
        allow_reload: Whether HandleReloadConfigRequest is answered; whoever may call it may run code here.

    Raises:
        ValueError: Both a folder and a file or neither, or seconds that make no sense.

    Example:
        >>> models = agegait.serving.ModelOptions(model_config_file="models.config", poll_seconds=10)
        >>> agegait.serving.Server(models)
    """

    folder: str | os.PathLike | None = None
    _: KW_ONLY
    model_config_file: str | os.PathLike | None = None
    allow_version_labels_for_unavailable_models: bool = False
    verify: bool = True
    poll_seconds: float = 1.0
    allow_reload: bool = False

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.model_config_file is None):
            received = "neither" if self.folder is None else "both"
            raise ValueError(f"folder: expected either a folder or model_config_file, received {received}.")
        require_seconds("above", poll_seconds=self.poll_seconds)
