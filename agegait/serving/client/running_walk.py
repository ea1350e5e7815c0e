from collections import Counter, deque
from typing import Any, NamedTuple

import numpy as np

from agegait.serving.client import answers, walks
from agegait.serving.client.client_errors import BadAnswerError
from agegait.serving.client.walks import Identification


class RunningWalk:
    """A walk whose frames come one by one: what `Stream` and `AsyncStream` share. It asks nobody itself.

    Args:
        every: Frames from one question to the next.
        last: Frames that count, the newest; all of the walk where absent.
        keep: Most frames that wait while the server can't be reached.
        model: The model's name.
        max_bytes: How large an answer may be.

    Attributes:
        frames: Frames taken.
        windows: Windows behind `found`.
        bodiless: Windows that show no body and have no say, of those that count.
        left_out: Frames that do not count: the oldest of more than `keep`, and those that a version saw which is
            served no longer, since another model's answer can't be added to its.
        found: The latest answer; None before the first window is complete. Where most windows show no body, it says so
            in place of a person.

    Raises:
        ValueError: A count below 1, or fewer frames to keep than go into a question.
    """

    def __init__(self, every: int, last: int | None, keep: int, model: str, max_bytes: int) -> None:
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
        self._closed = False
        self._known: _Known | None = None
        self.reset()

    @property
    def waiting(self) -> int:
        """Frames that no window holds yet."""
        return len(self._waiting)

    def reset(self) -> None:
        """Forgets the walk: what comes next is another person's."""
        self.frames = 0
        self.left_out = 0
        self._waiting: deque[np.ndarray] = deque()
        self._start = 0  # The number of the first frame that waits, or will.
        self._asked: int | None = None
        self._sent = 0
        self._fresh = 0
        self._forget_logits()

    def _take(self, frame: np.ndarray) -> bool:
        """Takes a frame; whether it is time to ask."""
        if self._closed:
            raise ValueError("frame: the stream is closed.")
        frame = walks.floats("frame", frame)
        joints = self._waiting[-1].shape[0] if self._waiting else None
        if frame.ndim != 2 or frame.shape[1] != 3 or joints not in (None, frame.shape[0]):
            raise ValueError(f"frame: expected [{joints or 'J'}, 3], received {list(frame.shape)}; it was not taken.")
        if not np.isfinite(frame).all():
            raise ValueError("frame: expected finite coordinates, received NaN or infinity; it was not taken.")
        if self.frames >= self._start:
            self._waiting.append(frame.copy())  # A sensor may use its buffer again.
        self.frames += 1
        self._fresh += 1
        if len(self._waiting) > self._keep:
            self._waiting.popleft()
            self._start += 1
            self.left_out += 1
        return self._fresh >= self._every

    def _question(self) -> Any | None:
        """A request for the logits of the frames that wait; None where no window is complete."""
        self._fresh = 0
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
        known = self._known or self._read_known(outputs, response.model_spec.version.value)
        complete = max(0, (self._sent - known.frames) // known.stride + 1)
        logits = answers.output(outputs, "logits", np.floating, 1, complete, len(known.persons))[0].astype(np.float64)
        faults = [""] * complete
        if "fault" in known.outputs:
            faults = list(answers.names(outputs, "fault", 1, complete)[0])
        self._known = known
        if len(logits):
            self._let_go(self._asked, self._asked + len(logits) * known.stride)
            self._count_in(list(zip(logits, faults, strict=True)), known)
        self._asked = None
        return len(logits) > 0

    def _version_is_gone(self) -> bool:
        """Forgets what a version said; whether there was one, so that asking again may help."""
        if self._known is None:
            return False
        self._known = None
        self._start = self.left_out = self.frames - len(self._waiting)
        self._forget_logits()
        return True

    def _read_known(self, outputs: dict[str, np.ndarray], version: int) -> "_Known":
        known = _Known(
            version=version,
            frames=int(answers.output(outputs, "frames", np.integer, 1)[0]),
            stride=int(answers.output(outputs, "stride", np.integer, 1)[0]),
            persons=list(answers.names(outputs, "persons", 1, None)[0]),
            outputs=[name for name in ("logits", "fault") if name in outputs],  # Older exports have no faults.
        )
        if known.frames < 1 or known.stride < 1 or not known.persons:
            raise BadAnswerError("the answer tells of windows without frames, or of nobody")
        if self._last is not None and self._last < known.frames:
            raise ValueError(f"last: expected at least the {known.frames} frames of a window, received {self._last}.")
        return known

    def _forget_logits(self) -> None:
        self.found: Identification | None = None
        self.windows = self.bodiless = 0
        self._sum: np.ndarray | float = 0.0
        self._faults: Counter[str] = Counter()
        self._recent: deque[tuple[np.ndarray, str]] = deque()

    def _let_go(self, asked: int, end: int) -> None:
        """Lets go of the frames before `end`, where the next window starts; some may be still to come."""
        # While the server had them, some may have been given up for want of room.
        self.left_out -= min(self._start, end) - asked
        while self._waiting and self._start < end:
            self._waiting.popleft()
            self._start += 1
        self._start = max(self._start, end)

    def _count_in(self, answered: list[tuple[np.ndarray, str]], known: "_Known") -> None:
        if self._last is not None:
            self._recent.extend(answered)
            while len(self._recent) > (self._last - known.frames) // known.stride + 1:
                self._recent.popleft()
            answered = list(self._recent)
            self._sum, self._faults = 0.0, Counter()
        self._sum = self._sum + sum(logits for logits, fault in answered if not fault)
        self._faults.update(fault for _, fault in answered)
        self.windows = self._faults[""]
        self.bodiless = self._faults.total() - self.windows
        self.found = self._conclusion(known.persons)

    def _conclusion(self, persons: list[str]) -> Identification:
        """As the server concludes of whole walks, see `GaitIdentifier`."""
        if self.bodiless > self.windows:
            nobody = np.zeros(len(persons), np.float32)
            fault = max(filter(None, self._faults), key=lambda fault: self._faults[fault])
            return Identification(None, 0.0, nobody, nobody.copy(), fault)
        mean = np.asarray(self._sum / self.windows)
        likelihoods = np.exp(mean - np.max(mean))
        probabilities = likelihoods / likelihoods.sum()
        best = int(np.argmax(mean))
        return Identification(
            persons[best],
            float(probabilities[best]),
            np.asarray(mean, np.float32),
            probabilities.astype(np.float32),
        )


class _Known(NamedTuple):
    """What the first answer said of the model."""

    version: int
    frames: int
    stride: int
    persons: list[str]
    outputs: list[str]
