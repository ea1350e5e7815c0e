"""Manners of walking: joint angles over the gait cycle, and by how much people differ in them.

The phase of a leg runs from 0 at its heel's contact to 1 at the next; toe-off is near 0.62. The curves come within four
degrees of the peaks of normal gait that Perry and Burnfield (2010) give by phase, in the shape that Winter (2009)
plots: thigh 20 degrees forward at contact, as much backward in terminal stance, 25 forward in mid swing; knee 20 in
loading response, 5 in terminal stance, 60 in initial swing; ankle 5 plantar in loading response, 10 dorsal in terminal
stance, 15 plantar at pre-swing. The values are ours, fitted so that the foot that bears the weight stays where it is.
"""

import dataclasses

import numpy as np

THIGH = (21, 21.5, 21, 17.5, 13, 7.5, 2, -4, -9.5, -13.5, -16, -14.5, -9, 1, 11, 19, 24, 25.5, 23.5, 22)
"""Angle from the vertical every 5 % of the cycle, in degrees, forward positive."""

KNEE = (4.5, 11, 17.5, 19, 17, 14, 10.5, 7.5, 5.5, 7, 13.5, 25.5, 40, 52, 59, 59, 49, 33, 15, 5)
"""Flexion every 5 % of the cycle, in degrees."""

ANKLE = (0, -4.5, -3, 2, 4, 5.5, 7, 8.5, 9, 9, 7, -2.5, -14, -14, -8, -3, 0, 1.5, 1, -0.5)
"""Dorsiflexion every 5 % of the cycle, in degrees."""

HARMONICS = 6
"""How many harmonics of the stride the curves keep: gait carries next to nothing above."""

RIPPLE = np.outer([0.5, 1.2, 1.0], [1, 0.5, 0.25])
"""Standard deviation of a person's own deviation from the curves, [joint, harmonic], in degrees (ours)."""


@dataclasses.dataclass(frozen=True)
class Trait:
    """A number in which people's walks differ: its mean, its spread between people and between one person's walks."""

    mean: float
    people: float
    walks: float


TRAITS = {
    # Steps a second: close to Öberg et al. (1993), normal gait of adults, both sexes.
    "cadence": Trait(2.0, 0.13, 0.03),
    # Scale and offset (degrees) of the leg's curves: ours, in the order of the spread that Winter (2009) plots.
    "thigh_scale": Trait(1.0, 0.04, 0.015),
    "knee_scale": Trait(1.0, 0.06, 0.015),
    "ankle_scale": Trait(1.0, 0.10, 0.03),
    "knee_offset": Trait(2.0, 2.0, 0.5),
    "thigh_asymmetry": Trait(0.0, 0.03, 0.01),
    "phase_asymmetry": Trait(0.0, 0.01, 0.003),
    # Pelvis (degrees): 5 each way about the vertical and 4 of drop in Perry and Burnfield (2010).
    "pelvis_yaw": Trait(5.0, 1.5, 0.4),
    "pelvis_roll": Trait(4.0, 1.0, 0.3),
    # Thorax against the pelvis (degrees) and side-to-side shift (metres, each way): ours.
    "thorax_yaw": Trait(4.0, 1.5, 0.4),
    "sway": Trait(0.020, 0.005, 0.002),
    "lean": Trait(3.0, 2.5, 0.6),
    "stoop": Trait(8.0, 4.0, 0.8),
    "step_width": Trait(0.09, 0.02, 0.006),
    "toe_out": Trait(7.0, 3.5, 0.8),
    # Arms (degrees): shoulder 24 back to 8 forward and elbow 17 to 47, at 1.5 m/s, in Murray et al. (1967).
    "shoulder_mean": Trait(-8.0, 4.0, 1.2),
    "shoulder_swing": Trait(16.0, 5.0, 1.5),
    "shoulder_asymmetry": Trait(0.0, 3.0, 1.0),
    "elbow_mean": Trait(31.0, 7.0, 2.0),
    "elbow_swing": Trait(13.0, 3.5, 1.2),
    "arm_abduction": Trait(8.0, 3.0, 0.8),
    "arm_phase": Trait(0.0, 0.02, 0.006),
}
"""What makes a person's walk; where no source is named, the figure is our approximation."""


@dataclasses.dataclass(frozen=True)
class Gait:
    """How a person walks.

    Attributes:
        traits: A value for each of `TRAITS`.
        ripple: Fourier coefficients, in degrees, [side, joint, harmonic], complex: what the person adds to the curves.
    """

    traits: dict[str, float]
    ripple: np.ndarray


def draw(rng: np.random.Generator, spread: float = 1.0) -> Gait:
    """Draws a person's manner of walking.

    Args:
        rng: The source of chance.
        spread: Factor on how far people differ in `TRAITS`.
    """
    traits = {name: t.mean + spread * t.people * _normal(rng) for name, t in TRAITS.items()}
    shared = _coefficients(rng, (1, 3, 3))
    return Gait(traits, RIPPLE * (shared + 0.3 * _coefficients(rng, (2, 3, 3))))


def vary(rng: np.random.Generator, gait: Gait, pace: float = 1.0, spread: float = 1.0) -> Gait:
    """One walk of a person: the same manner, slightly otherwise.

    Args:
        rng: The source of chance.
        gait: The person's manner.
        pace: Speed over the person's usual one; cadence and step length share it evenly (our approximation).
        spread: Factor on how far a person's walks differ in `TRAITS`.
    """
    traits = {name: value + spread * TRAITS[name].walks * _normal(rng) for name, value in gait.traits.items()}
    for name in ("cadence", "thigh_scale", "shoulder_swing"):
        traits[name] *= pace**0.5
    return Gait(traits, gait.ripple + 0.15 * RIPPLE * _coefficients(rng, (2, 3, 3)))


def leg_angles(gait: Gait, side: int, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thigh from the vertical, knee flexion and ankle dorsiflexion, in radians.

    Args:
        gait: How the person walks.
        side: 0 for the left leg, 1 for the right.
        phase: Phase of this leg, in cycles, [T].
    """
    t = gait.traits
    sign = 1 - 2 * side
    scale = t["thigh_scale"] * (1 + sign * t["thigh_asymmetry"])
    thigh, knee, ankle = (
        fourier(_series(curve), phase) + fourier(np.concatenate([[0], own]), phase)
        for curve, own in zip((THIGH, KNEE, ANKLE), gait.ripple[side], strict=True)
    )
    # A knee does not bend backward.
    knee = np.maximum(t["knee_scale"] * knee + t["knee_offset"], 0)
    return np.radians(scale * thigh), np.radians(knee), np.radians(t["ankle_scale"] * ankle)


def fourier(coefficients: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Sums a Fourier series: coefficients [H + 1], complex, over phases [T] in cycles."""
    order = np.arange(len(coefficients))
    return (np.exp(2j * np.pi * phase[:, None] * order) * coefficients).sum(-1).real


def _series(curve: tuple[float, ...]) -> np.ndarray:
    """The Fourier series, up to `HARMONICS`, of a curve given at even steps of the cycle."""
    series = np.fft.rfft(curve)[: HARMONICS + 1] / len(curve)
    series[1:] *= 2
    return series


def _normal(rng: np.random.Generator) -> float:
    return float(np.clip(rng.standard_normal(), -2, 2))


def _coefficients(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.clip(rng.standard_normal(shape), -2, 2) + 1j * np.clip(rng.standard_normal(shape), -2, 2)
