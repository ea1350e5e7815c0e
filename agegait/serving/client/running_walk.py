from collections import deque
from typing import Any

import numpy as np

from agegait.recordings.frame_rates import checked_rate
from agegait.recordings.resampling import alike
from agegait.recordings.running_resampling import RunningResampler
from agegait.serving.client import answers, walks
from agegait.serving.client.running_answer import RunningAnswer
from agegait.serving.client.served_model import ServedModel
from agegait.serving.client.walks import Identification

_LONGEST_STEP = 1.0
"""Seconds from a frame to the next one of a walk: nobody knows how somebody went on in a longer time."""


class RunningWalk:
    """A walk whose frames come one by one: what `Stream` and `AsyncStream` share. It asks nobody itself.

    Args:
        every: Frames from one question to the next.
        last: Frames that count, the newest, at the model's rate; all of the walk where absent.
        keep: Most frames that wait while the server can't be reached.
        model: The model's name.
        max_bytes: How large an answer may be.
        frame_rate: Frames a second that come; None for the model's own, or where each frame has a time. Those of
            another rate are resampled before they are sent.

    Attributes:
        frames: Frames taken.
        windows: Windows behind `found`.
        bodiless: Windows that show no body and have no say, of those that count.
        left_out: Frames that do not count: the oldest of more than `keep`, and those that a version saw which is
            served no longer, since another model's answer can't be added to its.
        found: The latest answer; None before the first window is complete. Where most windows show no body, it says so
            in place of a person.

    Raises:
        ValueError: A count below 1, fewer frames to keep than go into a question, or a frame rate that is none.
    """

    def __init__(
        self, every: int, last: int | None, keep: int, model: str, max_bytes: int, frame_rate: float | None = None
    ) -> None:
        for name, count in (("every", every), ("last", last), ("keep", keep)):
            if count is not None and count < 1:
                raise ValueError(f"{name}: expected at least 1 frame, received {count}.")
        if keep < every:
            raise ValueError(f"keep: expected at least the {every} frames of `every`, received {keep}.")
        self._every = every
        self._last = last
        self._keep = keep
        self._model = model
        self._max_bytes = max_bytes
        self._rate = checked_rate(frame_rate)
        self._closed = False
        self._known: ServedModel | None = None
        self.reset()

    @property
    def waiting(self) -> int:
        """Frames that no window holds yet."""
        return len(self._waiting) + len(self._unsampled)

    @property
    def found(self) -> Identification | None:
        """The latest answer."""
        return self._running.found

    @property
    def windows(self) -> int:
        """Windows behind it."""
        return self._running.windows

    @property
    def bodiless(self) -> int:
        """Windows that have no say in it."""
        return self._running.bodiless

    def reset(self) -> None:
        """Forgets the walk: what comes next is another person's."""
        self.frames = 0
        self.left_out = 0
        self._waiting: deque[np.ndarray] = deque()
        self._count = 0  # Frames so far at the model's rate.
        self._unsampled: deque[tuple[np.ndarray, float | None]] = deque()  # Until the model's rate is known.
        self._resampler: RunningResampler | None = None
        self._resampled = 0  # Frames that it took.
        self._seconds: float | None = None
        self._learning = False
        self._start = 0  # The number of the first frame that waits, or will.
        self._asked: int | None = None
        self._sent = 0
        self._fresh = 0
        self._running = RunningAnswer()

    def _take(self, frame: np.ndarray, seconds: float | None = None) -> bool:
        """Takes a frame; whether it is time to ask."""
        if self._closed:
            raise ValueError("frame: the stream is closed.")
        frame = walks.floats("frame", frame)
        seen = self._waiting[-1] if self._waiting else self._unsampled[-1][0] if self._unsampled else None
        joints = None if seen is None else seen.shape[0]
        if frame.ndim != 2 or frame.shape[1] != 3 or joints not in (None, frame.shape[0]):
            raise ValueError(f"frame: expected [{joints or 'J'}, 3], received {list(frame.shape)}; it was not taken.")
        if not np.isfinite(frame).all():
            raise ValueError("frame: expected finite coordinates, received NaN or infinity; it was not taken.")
        self._check_seconds(seconds)
        frame, self._seconds = frame.copy(), seconds  # A sensor may use its buffer again.
        if self._rate is None and seconds is None:
            self._add(frame)
        elif self._known:
            self._resample(frame, seconds, self._known)
        else:
            self._unsampled.append((frame, seconds))
            if len(self._unsampled) > self._keep:
                self._unsampled.popleft()
                self.left_out += 1
        self.frames += 1
        self._fresh += 1
        return self._fresh >= self._every

    def _check_seconds(self, seconds: float | None) -> None:
        if seconds is not None and self._rate is not None:
            raise ValueError("seconds: expected without a frame_rate of the stream; the frame was not taken.")
        if self.frames and (seconds is None) != (self._seconds is None):
            raise ValueError("seconds: expected for each frame of a walk, or for none; the frame was not taken.")
        if seconds is None:
            return
        before = self._seconds
        if not np.isfinite(seconds):
            raise ValueError(f"seconds: expected a time, received {seconds}; the frame was not taken.")
        if before is not None and not before < seconds <= before + _LONGEST_STEP:
            raise ValueError(
                f"seconds: expected more than the frame before, {before}, by {_LONGEST_STEP:g} at most, received "
                f"{seconds}; the frame was not taken. reset() begins another walk."
            )

    def _add(self, frame: np.ndarray) -> None:
        """Lets a frame at the model's rate wait."""
        if self._count >= self._start:
            self._waiting.append(frame)
        self._count += 1
        if len(self._waiting) > self._keep:
            self._waiting.popleft()
            self._start += 1
            self.left_out += 1

    def _resample(self, frame: np.ndarray, seconds: float | None, known: ServedModel) -> None:
        if known.frame_rate is None:
            raise ValueError(
                f"{'frame_rate' if seconds is None else 'seconds'}: expected none, as the model {self._model} does not "
                "know the frame rate that it was trained at."
            )
        if self._resampler is None:
            self._resampler, self._resampled = RunningResampler(known.frame_rate), 0
        if seconds is None:
            rate = self._rate or known.frame_rate
            seconds = self._resampled / (known.frame_rate if alike(rate, known.frame_rate) else rate)
        self._resampled += 1
        for new in self._resampler.push(frame, seconds):
            self._add(new)

    def _question(self) -> Any | None:
        """A request for the logits of the frames that wait; None where no window is complete."""
        self._fresh = 0
        if self._unsampled and not self._known:  # The answer tells at which rate it wants frames.
            request = walks.predict_request(self._model, "windows", skeletons=self._unsampled[0][0][None, None])
            self._asked, self._learning = self._start, True
            return request
        if not self._waiting or (self._known and len(self._waiting) < self._known.frames):
            return None
        most = max(1, walks.MAX_VALUES // self._waiting[0].size)
        frames = np.stack([frame for frame, _ in zip(self._waiting, range(most), strict=False)])
        request = walks.predict_request(self._model, "windows", skeletons=frames[None])
        if self._known:
            request.model_spec.version.value = self._known.version
            request.output_filter.extend(self._known.outputs)
        self._asked, self._sent = self._start, len(frames)
        return request

    def _answer(self, response: Any) -> bool:
        """Takes the answer to a question; whether it brought anything."""
        if self._asked is None:  # Of a walk that was forgotten meanwhile.
            return False
        outputs = answers.arrays(response, self._max_bytes)
        known = self._known or ServedModel.of_answer(outputs, response.model_spec.version.value)
        if self._last is not None and self._last < known.frames:
            raise ValueError(f"last: expected at least the {known.frames} frames of a window, received {self._last}.")
        if self._learning:
            self._learning, self._asked = False, None
            return self._learn(known)
        if self._resampler and known.frame_rate != self._resampler.frame_rate:
            return self._begin_anew(known)
        complete = max(0, (self._sent - known.frames) // known.stride + 1)
        logits = answers.output(outputs, "logits", np.floating, 1, complete, len(known.persons))[0].astype(np.float64)
        faults = [""] * complete
        if "fault" in known.outputs:
            faults = list(answers.names(outputs, "fault", 1, complete)[0])
        self._known = known
        if len(logits):
            self._let_go(self._asked, self._asked + len(logits) * known.stride)
            most = None if self._last is None else (self._last - known.frames) // known.stride + 1
            self._running.add(list(zip(logits, faults, strict=True)), known.persons, most)
        self._asked = None
        return len(logits) > 0

    def _learn(self, known: ServedModel) -> bool:
        """Brings the frames that wait for it to the model's rate."""
        if self._resampler and known.frame_rate != self._resampler.frame_rate:
            self._begin_anew(known)
        while self._unsampled:
            self._resample(*self._unsampled[0], known)
            self._unsampled.popleft()
        self._known = known
        return True

    def _begin_anew(self, known: ServedModel) -> bool:
        """Gives up the frames that wait: they were resampled for a version of another rate."""
        self.left_out += len(self._waiting)
        self._waiting.clear()
        self._start, self._asked, self._known, self._resampler = self._count, None, known, None
        return False

    def _version_is_gone(self) -> bool:
        """Forgets what a version said; whether there was one, so that asking again may help."""
        if self._known is None:
            return False
        self._known = None
        self._start = self.left_out = self._count - len(self._waiting)
        self._running = RunningAnswer()
        return True

    def _let_go(self, asked: int, end: int) -> None:
        """Lets go of the frames before `end`, where the next window starts; some may be still to come."""
        # While the server had them, some may have been given up for want of room.
        self.left_out -= min(self._start, end) - asked
        while self._waiting and self._start < end:
            self._waiting.popleft()
            self._start += 1
        self._start = max(self._start, end)
