"""What the commands of the gallery do."""

import argparse
import dataclasses
import datetime
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegait.cli.confirmation import confirm
from agegait.cli.gallery_models import calibration_place, load_embedder
from agegait.cli.gallery_url import gallery_url
from agegait.cli.json_output import print_json
from agegait.cli.opened_gallery import check_calibration, command_gallery, open_gallery, opened
from agegait.cli.run_settings import file_format
from agegait.cli.walk_inputs import check_one_person, print_remarks, read_walks
from agegait.terminal.console import errors, output
from agegait.terminal.table import Cell, Column, Table

if TYPE_CHECKING:
    from agegait.data.folder.inputs import InputWalk
    from agegait.gallery import GalleryCheck, Threshold


def enrol(options: argparse.Namespace) -> None:
    """Enrols a person from walks."""
    walks = read_walks(options)
    check_one_person(walks)
    if poor := list(_faults(walks)):
        raise ValueError("\n".join(("nobody was enrolled:", *poor)))
    with command_gallery(options, walks, changes=True) as gallery:
        person = gallery.enrol(
            options.person, [walk.walk for walk in walks], consent=options.consent, expires=_expiry(options)
        )
    if options.json:
        print_json({"person": person.name, "walks": person.walks, "expires": _day(person.expires)}, indent=None)
        return
    until = "" if person.expires is None else f"; deleted on {_day(person.expires)}"
    output().print(f"{person.name}: enrolled, {person.walks} {_walk_word(person.walks)} in all{until}", soft_wrap=True)


def identify(options: argparse.Namespace) -> None:
    """Says who each walk's person is, or that they are unknown."""
    from agegait.gallery import PoorWalkError

    walks, poor, thresholds = read_walks(options), 0, []
    with command_gallery(options, walks) as gallery:
        check_calibration(gallery, options)
        for walk in walks:
            try:
                found = gallery.identify(walk.walk, options.k, options.false_alarms, options.threshold)
            except PoorWalkError as error:
                poor += 1
                _print_fault(walk.label, error.quality.fault, options.json)
            else:
                _print_identification(walk.label, found, options.json)
                thresholds.append(found.threshold)
    _remark_on(options, thresholds)
    if poor:
        raise ValueError(f"{poor} of {len(walks)} walks are not good enough, see above.")


def verify(options: argparse.Namespace) -> None:
    """Says whether each walk is of the person claimed."""
    walks, refused, thresholds = read_walks(options), 0, []
    if poor := list(_faults(walks)):
        raise ValueError("\n".join(("nothing was verified:", *poor)))
    with command_gallery(options, walks) as gallery:
        check_calibration(gallery, options)
        for walk in walks:
            found = gallery.verify(options.person, walk.walk, options.false_accepts, options.threshold)
            refused += not found.accepted
            thresholds.append(found.threshold)
            if options.json:
                print_json(
                    {
                        "file": walk.label,
                        "person": found.person,
                        "accepted": found.accepted,
                        "distance": found.distance,
                        "probability": found.probability,
                        "threshold": found.threshold.distance,
                        "generated": found.threshold.generated,
                    },
                    indent=None,
                )
                continue
            said = "accepted" if found.accepted else "refused"
            far = "" if found.distance is None else f"distance {found.distance:.3f}, "
            output().print(
                f"{walk.label}: {found.person}, {said}; {far}threshold {found.threshold.distance:.3f}", soft_wrap=True
            )
    _remark_on(options, thresholds)
    if refused:
        raise ValueError(f"{refused} of {len(walks)} walks are not accepted as {options.person}'s, see above.")


def forget(options: argparse.Namespace) -> None:
    """Deletes a person from a gallery."""
    with command_gallery(options, changes=True) as gallery:
        if not options.yes:
            confirm(f"Delete {options.person} from {options.server or options.gallery} for good?")
        gallery.forget(options.person)
    if options.json:
        print_json({"person": options.person, "forgotten": True}, indent=None)
        return
    output().print(f"{options.person}: forgotten. Backups of the gallery may hold them yet.", soft_wrap=True)


def people(options: argparse.Namespace) -> None:
    """Lists who is enrolled."""
    with command_gallery(options) as gallery:
        found: Sequence[Any] = gallery.people()
    if options.json:
        print_json(
            [
                {
                    "person": one.name,
                    "walks": one.walks,
                    "enrolled": _iso(one.enrolled),
                    "expires": _iso(one.expires),
                    "consent": one.consent,
                }
                for one in found
            ]
        )
        return
    if not found:
        output().print("nobody is enrolled")
        return
    columns = (Column("person", False, True), Column("walks"), Column("enrolled", False), Column("expires", False))
    rows = tuple(
        (Cell(one.name), Cell(str(one.walks)), Cell(_day(one.enrolled) or ""), Cell(_day(one.expires) or "never"))
        for one in found
    )
    output().print(Table(f"{len(found)} enrolled", columns, rows))


def check(options: argparse.Namespace) -> None:
    """Says how well the people of a gallery can be told apart."""
    from agegait.gallery import write_check
    from agegait.gallery.check_tables import check_tables

    if options.report is not None and options.report.suffix != ".html":
        raise ValueError(f"--report: expected a file that ends in .html, received {options.report}.")
    if options.report is not None and not options.report.parent.is_dir():
        raise ValueError(f"--report: expected a file in a folder that exists, received {options.report}.")
    with open_gallery(options) as gallery:
        check_calibration(gallery, options)
        found = gallery.check(options.false_alarms, options.threshold)
    _remark_on(options, [found.threshold])
    if options.json:
        print_json(
            {
                "people": len(found.people),
                "walks": len(found.walks),
                "threshold": _threshold(found.threshold),
                "duplicates": [dataclasses.asdict(pair) for pair in found.duplicates],
                "expected": found.expected,
                "disagreeing": [dataclasses.asdict(walk) for walk in found.disagreeing],
                "near": [dataclasses.asdict(walk) for walk in found.near],
                "single": [person.name for person in found.single],
                "expiring": [{"person": person.name, "expires": _iso(person.expires)} for person in found.expiring],
                "expired": found.expired,
                "drifted": found.drifted,
                "drift": [
                    dataclasses.asdict(each) | {"drifted": each.drifted, "ratio": each.ratio} for each in found.drift
                ],
            }
        )
    else:
        _print_check(found, check_tables(found))
    if options.report is not None:
        write_check(found, options.report)
        errors().print(f"written: {options.report}", soft_wrap=True)


def _print_check(found: "GalleryCheck", tables: list[Table]) -> None:
    console = output()
    console.print(
        f"{len(found.people):,} people, {len(found.walks):,} walks; threshold {found.threshold.distance:.3f}",
        soft_wrap=True,
    )
    if found.expired:
        console.print(f"{found.expired} expired, and deleted now", soft_wrap=True)
    for table in tables:
        console.print("", table.title, sep="\n", style="bold", soft_wrap=True)
        console.print(table.about, soft_wrap=True)
        console.print(dataclasses.replace(table, title=""))
    if not tables:
        console.print("nothing to mend was found")


def copy(options: argparse.Namespace) -> None:
    """Copies a gallery into an empty one."""
    from agegait.gallery import copy_gallery

    copied = copy_gallery(gallery_url(options.source), gallery_url(options.target))
    if options.json:
        print_json(dataclasses.asdict(copied))
        return
    calibration = "a calibration" if copied.calibrated else "no calibration"
    output().print(
        f"copied: {copied.people:,} people, {copied.templates:,} templates, {calibration}, "
        f"{copied.audit:,} entries of the audit trail",
        f"embedder: {copied.fingerprint or 'none yet'}",
        "Delete the source once everybody uses the copy: who is forgotten in one is not forgotten in the other.",
        sep="\n",
        soft_wrap=True,
    )


def calibrate(options: argparse.Namespace) -> None:
    """Measures how near strangers come to each other."""
    from agegait.gallery import Calibration

    where = options.gallery or calibration_place(options.model)
    if where is None:
        raise ValueError(f"--gallery: expected with the model {options.model}, which has no file of its own.")
    embedder = load_embedder(options.model)
    with redirect_stdout(sys.stderr):  # where TFDS says what it prepares
        walks = _strangers(options)
    if options.gallery is not None:
        with opened(gallery_url(options.gallery), embedder) as gallery:
            found = gallery.recalibrate(walks)
    else:
        found = Calibration.measure(embedder, walks)
        found.save(where)
    ranges = {people: _range_of_one_percent(found, people) for people in (10, 100)}
    if options.json:
        named = [{"people": people, "false_alarms": 0.01, "range": ends} for people, ends in ranges.items()]
        print_json({"written": str(where), "people": found.people, "ranges": named}, indent=None)
        return
    told = [
        f"{100 * least:.1f} to {100 * most:.1f} % with {people} enrolled" for people, (least, most) in ranges.items()
    ]
    output().print(
        f"written: {where}: calibrated on {found.people} people. Where 1 % of false alarms is asked for, expect "
        f"{' and '.join(told)}: the more people calibrate, the closer",
        soft_wrap=True,
    )


def _range_of_one_percent(calibration: Any, people: int) -> tuple[float, float]:
    """Between which shares false alarms are, where a hundredth is asked for."""
    sizes = {1: people}
    ends = calibration.false_alarm_range(calibration.threshold(sizes, 0.01).distance, sizes)
    assert ends is not None  # of people who were measured just now
    return ends


def adapt(options: argparse.Namespace) -> None:
    """Adapts an embedder to the walks of another sensor."""
    from agegait.storage.whole_file import whole_file

    if options.out.suffix != ".keras":
        raise ValueError(f"--out: expected a file that ends in .keras, received {options.out}.")
    embedder = load_embedder(options.model)
    if not hasattr(embedder, "adapt"):
        raise ValueError(f"MODEL: expected a run's folder or a .keras file, received the export {options.model}.")
    with redirect_stdout(sys.stderr):
        walks = _walks_of(options)
    embedder.adapt(walks.skeletons)
    with whole_file(options.out) as aside:
        embedder.save(aside)
    output().print(
        f"written: {options.out}: adapted to {len(walks.names)} walks. Calibrate it anew, and enrol people with it: "
        "templates of another embedder do not compare.",
        soft_wrap=True,
    )


def _strangers(options: argparse.Namespace) -> Any:
    """The walks to calibrate on: those asked for, or of the people whom the run left out to choose by."""
    from agegait import training

    if options.dataset is not None:
        return _walks_of(options)
    choosing = None
    if (Path(options.model) / "run.json").exists():
        choosing = training.load_run(options.model).load_data(options.data_dir, options.manual_dir).choosing
    if choosing is None:
        raise ValueError(
            "--dataset: expected walks of people who are neither trained on nor enrolled, received none: only a run "
            "with --strangers has people who were left out."
        )
    return choosing.whole_walks()


def _walks_of(options: argparse.Namespace) -> Any:
    from agegait import datasets

    arguments = options.data_dir, options.manual_dir, file_format(options)
    return datasets.load(options.dataset, *arguments).whole_walks()


def _faults(walks: "Sequence[InputWalk]") -> Iterator[str]:
    """What is wrong with walks that nobody can be recognised by."""
    from agegait.gallery import Quality

    for walk in walks:
        if fault := Quality.of(walk.walk).fault:
            yield f"{walk.label}: {fault}"


def _print_fault(label: str, fault: str, as_json: bool) -> None:
    if as_json:
        print_json({"file": label, "person": None, "fault": fault}, indent=None)
    else:
        output().print(f"{label}: not good enough: {fault}", soft_wrap=True)


def _print_identification(label: str, found: Any, as_json: bool) -> None:
    if as_json:
        matches = [
            {"person": match.person, "distance": match.distance, "probability": match.probability}
            for match in found.matches
        ]
        threshold = _threshold(found.threshold)
        answer = {"file": label, "person": found.person, "matches": matches, "threshold": threshold}
        print_json({**answer, "frames": found.quality.frames, "tracked": found.quality.tracked}, indent=None)
        return
    best = found.matches[0] if found.matches else None
    if best is None:
        text = "unknown; nobody is enrolled"
    else:
        sure = "" if best.probability is None or found.person is None else f", {100 * best.probability:.0f} % sure"
        who = found.person or f"unknown; the nearest is {best.person}"
        text = f"{who}{sure}; distance {best.distance:.3f}, threshold {found.threshold.distance:.3f}"
    output().print(f"{label}: {text}", soft_wrap=True)


def _threshold(threshold: Any) -> dict[str, Any]:
    names = "distance", "false_alarms", "generated"
    return {name: getattr(threshold, name) for name in names}


def _remark_on(options: argparse.Namespace, thresholds: "Iterable[Threshold | Any]") -> None:
    """Says what thresholds that follow from a calibration cannot promise."""
    if options.threshold is not None:
        return
    remarks = []
    for threshold in thresholds:
        if threshold.generated:
            remarks.append(
                "the threshold is that of generated walkers: real people may come nearer to each other. Calibrate on "
                "people before your sensor, see `agegait help calibrate`"
            )
        if threshold.extrapolated:
            remarks.append(
                "the threshold lies beyond what the calibration saw: calibrate on more people for so few false alarms"
            )
    print_remarks(remarks)


def _expiry(options: argparse.Namespace) -> datetime.datetime | None:
    """When a person is to be deleted: a number of days from now, or the end of a day."""
    text = options.expires
    if text is None:
        return None
    now = datetime.datetime.now(datetime.UTC)
    try:
        if text.isdecimal():
            end = now + datetime.timedelta(days=int(text))
        else:
            end = datetime.datetime.combine(datetime.date.fromisoformat(text), datetime.time.max).astimezone()
    except (ValueError, OverflowError):
        raise ValueError(f"--expires: expected a day as 2030-12-31 or a number of days, received {text!r}.") from None
    if end <= now:
        raise ValueError(f"--expires: expected a day to come, or a number of days from 1, received {text!r}.")
    return end


def _day(time: datetime.datetime | None) -> str | None:
    if time is None:
        return None
    with suppress(OverflowError):  # the last day of the year 9999 may be over here, which means never to many
        time = time.astimezone()
    return time.date().isoformat()


def _iso(time: datetime.datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _walk_word(count: int) -> str:
    return "walk" if count == 1 else "walks"
