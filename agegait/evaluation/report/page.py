import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agegait.evaluation import protocols, result_tables
from agegait.evaluation.evaluation import Evaluation
from agegait.evaluation.report import (
    attention,
    confusion,
    curves,
    embedding,
    histories,
    provenance,
    rebuilding,
    results,
)
from agegait.evaluation.report.observations import Observations, Tested
from agegait.pages.picture import Picture, style
from agegait.pages.rendering import render
from agegait.storage.private_files import private_files
from agegait.storage.whole_file import write_text
from agegait.training.run import Run

NAME = "report.html"


@private_files()
def write(
    run: Run,
    evaluation: Evaluation,
    seen: Observations,
    commands: Sequence[str] = (),
) -> Path:
    """Writes `report.html` into a run's folder: one page, whole in itself, that needs neither network nor script.

    Args:
        run: A finished run.
        evaluation: What `agegait.evaluation.evaluate` found.
        seen: What it let be observed on its way.
        commands: What to type to get the run, and the page, again.

    Returns:
        Where it is.

    Raises:
        ValueError: Nothing was observed.

    Example:
        >>> run = agegait.training.load_run("runs/kgbd")
        >>> seen = agegait.evaluation.report.Observations(run)
        >>> agegait.evaluation.report.write(run, agegait.evaluation.evaluate(run, observe=seen), seen)
    """
    with style():
        asked, recipe = provenance.settings(run)
        page = render(
            "agegait.evaluation.report",
            "page.html",
            run=run,
            folder=run.folder.resolve().name,
            dataset=Path(run.record.data.name).name,
            evaluation=evaluation,
            date=datetime.datetime.now(datetime.UTC),
            headlines=results.headlines(evaluation),
            tables=result_tables.tables(evaluation),
            terms=results.TERMS,
            strangers=_stranger_curves(evaluation),
            tests=[_test(run, seen, name, test, evaluation) for name, test in seen.tests.items()],
            histories=histories.histories(run),
            single_epochs=histories.single_epochs(run),
            split=provenance.split(run, seen),
            settings=asked,
            recipe=recipe,
            versions=provenance.versions(run),
            machines=provenance.machines(run),
            commands=commands,
        )
    path = run.folder / NAME
    write_text(path, page)
    return path


def _stranger_curves(evaluation: Evaluation) -> list[Picture]:
    """CMC and DET curves of whole walks of the people who were left out of the training."""
    found = evaluation.tests.get(protocols.Strangers.protocol, [])
    walks = [one for one in found if isinstance(one.figures, protocols.Strangers) and one.figures.probe == "walks"]
    return [*curves.cmc(walks), *curves.det(walks)]


def _test(run: Run, seen: Observations, name: str, test: Tested, evaluation: Evaluation) -> dict[str, Any]:
    found, seed = evaluation.tests[name], run.settings.seed
    return {
        "name": name,
        "method": found[0].method,
        "cmc": curves.cmc(found),
        "roc": curves.roc(found),
        "left_out": curves.left_out(found),
        "confusion": confusion.confusion(test, run.persons),
        "attention": attention.attention(test.attention, run.encoder),
        "rebuilding": rebuilding.rebuilding(test),
        "walks": embedding.walks(seen.training, test, seed),
        "windows": embedding.windows(test, seen.training, run.persons, seed),
    }
