"""Who walks past a camera, or through a video, as it runs."""

import argparse
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegait.cli.json_output import print_json
from agegait.cli.local_answers import LocalAnswers
from agegait.cli.opened_gallery import check_calibration, command_gallery
from agegait.cli.served_answers import ServedAnswers
from agegait.cli.served_gallery import ServedGallery
from agegait.cli.watch_window import Window
from agegait.terminal.console import output

if TYPE_CHECKING:
    import numpy as np

    from agegait.gallery import Gallery, Identification
    from agegait.recordings.video.live_walk import LiveWalk
    from agegait.recordings.video.pose import Pose
    from agegait.serving.client.gallery_results import GalleryIdentification

_NOTICED = 0.5
"""Seconds after which somebody is drawn and spoken of; what is seen for less is hardly ever a person."""

_EVERY = 1.0
"""Seconds from one answer about somebody to the next."""


@dataclass
class _Somebody:
    """A person who is followed.

    Attributes:
        walk: Their last seconds.
        answers: What the gallery says of them.
        state: `"walking"` until there is an answer, `"known"`, `"unknown"`, or `"poor"` for a walk that nobody can be
            recognised by.
        person: Their name, where they are known.
        text: What is said of them.
        details: Further keys of their JSON line.
        asked: When the gallery was last asked.
    """

    walk: "LiveWalk"
    answers: LocalAnswers | ServedAnswers
    state: str = ""
    person: str | None = None
    text: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    asked: float = -_EVERY

    def set_poor(self, fault: str) -> None:
        """Notes that nobody can be recognised by their walk."""
        self.state, self.person, self.details, self.text = "poor", None, {"fault": fault}, f"walk on: {fault}"

    def set_found(self, found: "Identification | GalleryIdentification") -> None:
        """Notes what the gallery said."""
        best = found.matches[0] if found.matches else None
        sure = best.probability if best and found.person is not None else None
        self.state, self.person = "unknown" if found.person is None else "known", found.person
        self.text = (found.person or "unknown") + (f", {100 * sure:.0f} %" if sure is not None else "")
        threshold = found.threshold and found.threshold.distance
        self.details = {"probability": sure, "distance": best and best.distance, "threshold": threshold}


def watch(options: argparse.Namespace) -> None:
    """Says who everybody in a camera's or a video's pictures is, as they walk."""
    from agegait.recordings.video.camera import Camera
    from agegait.recordings.video.pose_estimation import PoseEstimator
    from agegait.recordings.video.pose_model import pose_model_file
    from agegait.recordings.video.video_file import VideoFile
    from agegait.recordings.video.video_writer import VideoWriter
    from agegait.serving.client.client_errors import ClientError
    from agegait.storage.whole_file import whole_file

    if options.record is not None and options.record.suffix.lower() != ".mp4":
        raise ValueError(f"--record: expected a file that ends in .mp4, received {options.record}.")
    model, is_camera = pose_model_file(options.pose_model), options.source.isdecimal()
    with contextlib.ExitStack() as stack:
        source: Camera | VideoFile = Camera(int(options.source)) if is_camera else VideoFile(Path(options.source))
        stack.enter_context(source)
        window = None if options.headless else stack.enter_context(Window(f"agegait watch {options.source}"))
        estimator = stack.enter_context(PoseEstimator(model))
        gallery = stack.enter_context(command_gallery(options))
        check_calibration(gallery, options)
        if isinstance(gallery, ServedGallery):
            gallery.check_follow()
        people = stack.enter_context(contextlib.closing(_People(gallery, options)))
        with contextlib.ExitStack() as record:
            writer, stopped = None, None
            if options.record is not None:
                aside = record.enter_context(whole_file(options.record))
                writer = record.enter_context(VideoWriter(aside, source.frame_rate))
            try:
                for seconds, picture in source:
                    people.update(seconds, estimator.estimate(picture, seconds))
                    if window is None and writer is None:
                        continue
                    drawn = people.draw(picture)
                    if writer is not None:
                        writer.write(seconds, drawn)
                    if window is not None and not window.show(drawn):
                        break
            except (KeyboardInterrupt, ClientError) as error:  # how a camera stops, or a server: the record is kept
                stopped = error
        if stopped is not None:
            raise stopped


class _People:
    """Everybody who is followed."""

    def __init__(self, gallery: "Gallery | ServedGallery", options: argparse.Namespace) -> None:
        from agegait.recordings.video.pose_tracking import PoseTracker

        self._gallery = gallery
        self._options = options
        self._tracker = PoseTracker()
        self._people: dict[int, _Somebody] = {}
        self._poses: list[tuple[int, Pose]] = []

    def update(self, seconds: float, poses: "Sequence[Pose]") -> None:
        """Takes the poses of the next picture, and prints what changes by them."""
        from agegait.recordings.video.live_walk import LiveWalk

        numbers = self._tracker.update(seconds, poses)
        found = [(number, pose) for number, pose in zip(numbers, poses, strict=True) if number is not None]
        self._poses = sorted(found, key=lambda one: one[0])
        for number in sorted(self._people.keys() - self._tracker.present):
            somebody = self._people.pop(number)
            somebody.answers.close()
            if somebody.state:
                _print(self._options, seconds, number, "gone", somebody)
        for number, pose in self._poses:
            if number not in self._people:
                self._people[number] = _Somebody(LiveWalk(), self._answers())
            somebody = self._people[number]
            somebody.walk.add(seconds, pose)
            _answer(self._options, seconds, number, somebody)

    def draw(self, picture: "np.ndarray") -> "np.ndarray":
        """The picture with skeletons, and above each who it is."""
        from agegait.recordings.video.drawing import KNOWN, OTHER, draw_label, draw_pose

        drawn, noticed = picture.copy(), [one for one in self._poses if self._people[one[0]].text]
        for _, pose in noticed:
            draw_pose(drawn, pose)
        for number, pose in noticed:
            somebody = self._people[number]
            draw_label(drawn, pose, somebody.text, OTHER if somebody.person is None else KNOWN)
        return drawn

    def close(self) -> None:
        """Follows nobody any more."""
        for somebody in self._people.values():
            somebody.answers.close()

    def _answers(self) -> LocalAnswers | ServedAnswers:
        if isinstance(self._gallery, ServedGallery):
            return self._gallery.follow(self._options.false_alarms, self._options.threshold)
        return LocalAnswers(self._gallery, self._options)


def _answer(options: argparse.Namespace, seconds: float, number: int, somebody: _Somebody) -> None:
    """Asks the gallery who somebody is, once they have walked for long enough and then each second."""
    from agegait.gallery import PoorWalkError
    from agegait.gallery.quality import MIN_FRAMES

    before = somebody.state, somebody.person
    missing = MIN_FRAMES - somebody.walk.frames
    if somebody.walk.is_too_slow:
        somebody.state, somebody.person, somebody.details = "poor", None, {}
        somebody.text = "too few pictures a second to see steps"
    elif missing > 0:
        if somebody.state in ("", "walking") and somebody.walk.seconds >= _NOTICED:  # else the last answer stands
            somebody.state, somebody.text = "walking", f"walk on: {missing} more frames"
    elif seconds - somebody.asked >= _EVERY:
        somebody.asked = seconds
        try:
            walk = somebody.walk.to_walk()
        except ValueError as error:  # poses as of no body that walks
            somebody.set_poor(str(error).removeprefix(": "))
        else:
            try:
                found = somebody.answers.identify(somebody.walk, walk)
            except PoorWalkError as error:
                somebody.set_poor(error.quality.fault)
            else:
                somebody.set_found(found)
    if (somebody.state, somebody.person) != before:
        _print(options, seconds, number, somebody.state, somebody)


def _print(options: argparse.Namespace, seconds: float, number: int, state: str, somebody: _Somebody) -> None:
    if options.json:
        line = {"seconds": round(seconds, 3), "body": number, "state": state, "person": somebody.person}
        print_json({**line, **({} if state == "gone" else somebody.details)}, indent=None)
        return
    minutes, rest = divmod(seconds, 60)
    text = somebody.text if state != "gone" else "gone"
    if state in ("known", "unknown") and somebody.details["distance"] is not None:
        text += f"; distance {somebody.details['distance']:.3f}, threshold {somebody.details['threshold']:.3f}"
    output().print(f"{minutes:.0f}:{rest:04.1f} body {number}: {text}", soft_wrap=True)
