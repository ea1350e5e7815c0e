"""Bodies: segment lengths drawn from published anthropometry.

Stature: mean and standard deviation by sex from ANSUR II (Gordon et al., 2014). Limbs and joint heights: fractions of
stature from Drillis and Contini (1966) as redrawn by Winter (2009, Fig. 4.1). Where the Kinect's trunk joints lie
between them, the hip joints' spacing, and by how much people's proportions differ are our own approximations; the trunk
was set beside the median bone lengths that we measured in KGBD (Andersson and Araujo, 2015).
"""

import dataclasses

import numpy as np

STATURE = {"male": (1.756, 0.069), "female": (1.629, 0.064)}
"""Mean and standard deviation of stature by sex, in metres (ANSUR II)."""

PROPORTIONS = {
    "thigh": 0.245,  # Drillis and Contini: hip at 0.530, knee at 0.285
    "shank": 0.246,  # Drillis and Contini: knee at 0.285, ankle at 0.039
    "ankle_height": 0.039,  # Drillis and Contini
    "heel": 0.040,  # ours: what of the foot's 0.152 lies behind the ankle
    "ball": 0.066,  # ours: from the ankle forward to the ball, where the sensor sees the foot
    "hip_width": 0.096,  # ours: joint centres, half the 0.191 across the hips
    "hip_drop": 0.030,  # ours, after KGBD: the hip centre lies above the hip joints
    "spine": 0.050,  # ours, after KGBD: from the hip centre
    "chest": 0.285,  # from the hip centre to between the shoulders, at about 0.845
    "neck": 0.105,  # ours, after KGBD: to the middle of the head
    "shoulder_width": 0.215,  # ours: joint centres, inside the 0.259 across the acromia
    "shoulder_drop": 0.027,  # shoulders at 0.818
    "upper_arm": 0.186,  # Drillis and Contini
    "forearm": 0.146,  # Drillis and Contini
    "hand": 0.045,  # ours: to the palm; the whole hand is 0.108
}
"""Mean lengths as fractions of stature."""

SPREAD = 0.03
"""Relative standard deviation of one person's proportions around the mean (our approximation)."""


@dataclasses.dataclass(frozen=True)
class Body:
    """A person's segment lengths, in metres; `PROPORTIONS` says what each one joins."""

    stature: float
    thigh: float
    shank: float
    ankle_height: float
    heel: float
    ball: float
    hip_width: float
    hip_drop: float
    spine: float
    chest: float
    neck: float
    shoulder_width: float
    shoulder_drop: float
    upper_arm: float
    forearm: float
    hand: float


def draw(rng: np.random.Generator, sex: str, spread: float = SPREAD) -> Body:
    """Draws the body of a person.

    Args:
        rng: The source of chance.
        sex: `"male"` or `"female"`.
        spread: Relative standard deviation of proportions.
    """
    mean, deviation = STATURE[sex]
    # Two deviations either way: among 20 people one is not to stand out by height alone.
    stature = mean + deviation * float(np.clip(rng.standard_normal(), -2, 2))
    return Body(
        stature=stature,
        **{name: stature * share * _ratio(rng, spread) for name, share in PROPORTIONS.items()},
    )


def shod(body: Body, sole: float) -> Body:
    """The same body on soles `sole` metres thicker."""
    return dataclasses.replace(body, ankle_height=body.ankle_height + sole)


def _ratio(rng: np.random.Generator, spread: float) -> float:
    return 1 + spread * float(np.clip(rng.standard_normal(), -2, 2))
