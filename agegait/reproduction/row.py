from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agegait.training.recipes import LEARNING as EMBEDDER_LEARNING, PRESETS
from agegait.training.settings import Settings


@dataclass(frozen=True)
class Row:
    """A row of a table of results: what is trained for it.

    Attributes:
        name: Its name in options.
        text: What it is, in a line.
        settings: The fields of `agegait.training.Settings` that it changes.
        recipe: The fields of `agegait.training.recipes.Recipe` that it changes.
        baseline: The name in `agegait.evaluation.baselines.BASELINES` of what stands in place of encoder and
            recognizer, if anything does.
        labelled_walks: Training walks of each person that have labels; None for all. The encoder reads no labels and
            sees every walk in either case.
        embedder: Whether an embedder answers too, as the base's recipe has it, or else `best`.
        learning: What an embedder learns by that stands in place of encoder and recognizer, of
            `agegait.training.EmbedderTraining.LEARNING` or `agegait.training.EncodingTraining.LEARNING`. It is trained
            for divisions of the people, and tested on those whom it has not seen.
        windows_of: Whose single windows such an embedder is tested by, `"closed"` or `"open"`, see
            `agegait.evaluation.protocols.window_retrieval`; None for whole walks and clips of strangers.
    """

    name: str
    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    baseline: str | None = None
    labelled_walks: int | None = None
    embedder: bool = False
    learning: str | None = None
    windows_of: str | None = None

    def of(self, base: Settings, seed: int) -> Settings:
        """The settings of a run of this row.

        Args:
            base: What all rows have in common.
            seed: Of the run.

        Raises:
            ValueError: The row's changes and the others' do not go together.
        """
        epochs = base.recipe.embedder_epochs or PRESETS["best"].embedder_epochs
        embedder: dict[str, Any] = {"embedder_epochs": epochs if self.embedder else None}
        if self.learning in EMBEDDER_LEARNING:
            embedder = {"embedder_epochs": epochs, "embedder_learning": self.learning}
        changes = {**embedder, **self.recipe}
        return replace(base, seed=seed, recipe=replace(base.recipe, **changes), **self.settings)
