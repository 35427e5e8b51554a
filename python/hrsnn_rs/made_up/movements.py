"""Movements: how a person is built and how each gesture moves the arms.

Lives here: the classes, a subject's build and habits, and the joints at each phase. Not here:
phase as a function of time, and drawing. Invariant: joints are a function of (seed, subject,
movement, phase) alone, whatever was drawn before.

The eleven classes are those of DVS128 Gesture (Amir et al., CVPR 2017). The person's right arm
is on the left of the picture, and *clockwise* is as the person sees it, so that on the picture
the hand goes round counter-clockwise: both as in the recordings. Classes 3 and 4, and 5 and 6,
follow the same closed path in opposite senses with a starting point drawn uniformly, hence
what a pixel counts over a clip hardly tells them apart.

Lengths are in units of the picture's side, x to the right and y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLASSES", "Body", "Poses", "label_of", "poses", "stream"]

CLASSES = (
    "hand_clapping",
    "right_hand_wave",
    "left_hand_wave",
    "right_arm_clockwise",
    "right_arm_counter_clockwise",
    "left_arm_clockwise",
    "left_arm_counter_clockwise",
    "arm_roll",
    "air_drums",
    "air_guitar",
    "other_gestures",
)

# Sides of the picture on which the person's arms are.
RIGHT, LEFT = -1, 1

# The two senses of one circle share their style, so that a subject's circle is no cue to the sense.
_MOTION = (0, 1, 2, 3, 3, 5, 5, 7, 8, 9, 10)

# Purposes of random streams. Only uniform numbers are drawn from them, for these are bits times
# a constant in every NumPy.
# The camera of the same seed has 1 and 2.
_BODY, _STYLE = 101, 102


def stream(
    seed: int, purpose: int, subject: int, motion: int = 0, repeat: int = 0
) -> np.random.Generator:
    """Return the random stream of one purpose: the same numbers whatever else was drawn.

    Parameters
    ----------
    seed : int
        Below 2**64.
    purpose : int
        Keeps the streams of one seed apart.
    subject, motion, repeat : int
        What the numbers belong to.

    Returns
    -------
    numpy.random.Generator
        Philox with the key (seed, purpose) and a counter that begins at
        (subject, motion, repeat).

    Examples
    --------
    >>> float(stream(0, 1, 5).random()) == float(stream(0, 1, 5).random())
    True
    """
    philox = np.random.Philox(key=[seed, purpose], counter=[0, repeat, motion, subject])
    return np.random.Generator(philox)


@dataclass(frozen=True)
class Body:
    """One subject: place and build in picture units, light as intensities in (0, 1].

    `Body.of(seed, subject)` draws one; tempo, amplitude and asymmetry are factors.

    Examples
    --------
    >>> body = Body.of(seed=0, subject=3)
    >>> 0.7 <= body.tempo <= 1.4
    True
    """

    shoulder: NDArray[np.float64]  # middle between the shoulders, (x, y)
    half_width: float
    upper_arm: float
    forearm: float
    thickness: float
    torso: float
    head: float
    background: float
    shirt: float
    sleeve: float
    forearm_light: float
    skin: float
    hair: float
    tempo: float
    amplitude: float
    asymmetry: float

    @classmethod
    def of(cls, seed: int, subject: int) -> Body:
        """Draw the build of a subject."""
        draw = stream(seed, _BODY, subject)
        scale = draw.uniform(0.95, 1.20)
        skin = draw.uniform(0.55, 0.95)
        sleeve = draw.uniform(0.06, 0.18)
        return cls(
            shoulder=np.array([draw.uniform(0.46, 0.54), draw.uniform(0.46, 0.54)]),
            half_width=scale * draw.uniform(0.105, 0.135),
            upper_arm=scale * draw.uniform(0.175, 0.215),
            forearm=scale * draw.uniform(0.155, 0.190),
            thickness=scale * draw.uniform(0.030, 0.040),
            torso=scale * draw.uniform(0.48, 0.56),
            head=scale * draw.uniform(0.062, 0.080),
            background=draw.uniform(0.24, 0.40),
            shirt=draw.uniform(0.08, 0.20),
            sleeve=sleeve,
            forearm_light=skin if draw.random() < 0.5 else sleeve,
            skin=skin,
            hair=draw.uniform(0.06, 0.20),
            tempo=draw.uniform(0.7, 1.4),
            amplitude=draw.uniform(0.8, 1.15),
            asymmetry=draw.uniform(0.85, 1.15),
        )


@dataclass(frozen=True)
class Poses:
    """Joints of a moving person, all of shape (n, 2) in picture units.

    Attributes
    ----------
    shoulder, elbow, hand : tuple of ndarray of float64, shape (n, 2)
        The person's right arm, then the left.
    middle : ndarray of float64, shape (n, 2)
        Middle between the shoulders.

    Examples
    --------
    >>> found = poses("arm_roll", subject=0, phase=np.linspace(0, 6, 50))
    >>> found.hand[0].shape
    (50, 2)
    """

    shoulder: tuple[NDArray[np.float64], NDArray[np.float64]]
    elbow: tuple[NDArray[np.float64], NDArray[np.float64]]
    hand: tuple[NDArray[np.float64], NDArray[np.float64]]
    middle: NDArray[np.float64]


def label_of(label: int | str) -> int:
    """Return the index of a class that is given by index or name.

    Parameters
    ----------
    label : int or str
        Index into, or member of, `CLASSES`.

    Returns
    -------
    int
        The index.

    Raises
    ------
    ParameterError
        If there is no such class.

    Examples
    --------
    >>> label_of("arm_roll")
    7
    """
    if isinstance(label, str):
        if label not in CLASSES:
            raise ParameterError(f"label must be one of {', '.join(CLASSES)}; got {label!r}.")
        return CLASSES.index(label)
    return check_integer("label", label, high=len(CLASSES) - 1)


def poses(
    label: int | str,
    subject: int,
    phase: NDArray[np.float64],
    *,
    seed: int = 0,
    sway: NDArray[np.float64] | float = 0.0,
    amplitude: float = 1.0,
) -> Poses:
    """Place the arms of a subject at each phase of a gesture.

    Parameters
    ----------
    label : int or str
        Index into, or member of, `CLASSES`.
    subject : int
        Whose build and habits.
    phase : ndarray of float64, shape (n,)
        Phase of the gesture in radians. Both senses of a circle have the same poses; they
        differ in the sign of the phase's speed.
    seed : int, default=0
        Seed of the set.
    sway : ndarray of float64, shape (n, 2), default=0.0
        Where the body is, off its place, in picture units.
    amplitude : float, default=1.0
        Factor on the size of the movement.

    Returns
    -------
    Poses
        Joints at each phase.

    Raises
    ------
    ParameterError
        If `label` is no class.

    Examples
    --------
    >>> there = poses("right_arm_clockwise", 3, np.array([0.5]))
    >>> back = poses("right_arm_counter_clockwise", 3, np.array([0.5]))
    >>> bool((there.hand[0] == back.hand[0]).all())
    True
    """
    label = label_of(label)
    body = Body.of(seed, subject)
    habit = stream(seed, _STYLE, subject, _MOTION[label]).uniform(-1.0, 1.0, size=24)
    hands = _Arms(body, habit, phase, body.amplitude * amplitude).of(label)
    middle = np.broadcast_to(body.shoulder, (phase.size, 2)) + sway
    shoulders = [middle + np.array([side * body.half_width, 0.0]) for side in (RIGHT, LEFT)]
    arms = [
        _two_links(shoulder, middle + hand, body.upper_arm, body.forearm, side)
        for shoulder, hand, side in zip(shoulders, hands, (RIGHT, LEFT), strict=True)
    ]
    return Poses(
        shoulder=(shoulders[0], shoulders[1]),
        elbow=(arms[0][0], arms[1][0]),
        hand=(arms[0][1], arms[1][1]),
        middle=middle,
    )


class _Arms:
    """Where one subject's hands are, from the middle of the shoulders, at each phase.

    A method per gesture; all give the paths of the right and of the left hand. `habit` are the
    subject's own numbers in (-1, 1) for that gesture.
    """

    def __init__(
        self, body: Body, habit: NDArray[np.float64], phase: NDArray[np.float64], amplitude: float
    ) -> None:
        self.habit = habit
        self.phase = phase
        self.amplitude = amplitude
        self.forearm = body.forearm
        self.reach = body.upper_arm + body.forearm
        self.wide = body.half_width
        self.asymmetry = body.asymmetry

    def path(
        self, side: int, outwards: NDArray[np.float64] | float, down: NDArray[np.float64] | float
    ) -> NDArray[np.float64]:
        hand = np.empty((self.phase.size, 2))
        hand[:, 0] = side * np.asarray(outwards)
        hand[:, 1] = down
        return hand

    def one(
        self, side: int, moving: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a moving hand and one that hangs and trembles with it."""
        tremble = 0.02 * self.reach * np.sin(self.phase + self.habit[20])
        outwards = self.wide * (1.15 + 0.15 * self.habit[21])
        hanging = self.path(-side, outwards, 0.95 * self.reach + tremble)
        return (moving, hanging) if side == RIGHT else (hanging, moving)

    def clap(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        habit, apart = self.habit, 0.5 - 0.5 * np.cos(self.phase)
        swing = self.amplitude * self.wide * (0.95 + 0.2 * habit[1]) * apart
        down = self.reach * (0.42 + 0.12 * habit[0] + 0.06 * habit[2] * apart)
        outwards = 0.1 * self.wide + swing
        return self.path(RIGHT, outwards, down), self.path(LEFT, outwards, down)

    def wave(self, side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Swing the raised forearm about a still elbow."""
        habit = self.habit
        swing = np.deg2rad(38 + 6 * habit[1]) * self.amplitude
        angle = np.deg2rad(12 + 12 * habit[0]) + swing * np.sin(self.phase)
        outwards = self.wide + self.reach * (0.38 + 0.06 * habit[2]) + self.forearm * np.sin(angle)
        down = self.reach * (0.12 + 0.1 * habit[3]) - self.forearm * np.cos(angle)
        return self.one(side, self.path(side, outwards, down))

    def circle(self, side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lead the hand round the shoulder; a growing phase is clockwise on the picture."""
        habit = self.habit
        radius = self.reach * (0.76 + 0.08 * habit[0]) * min(self.amplitude, 1.1)
        centre = self.wide + self.reach * (0.12 + 0.08 * habit[1])
        outwards = centre + side * radius * (1 + 0.05 * habit[2]) * np.cos(self.phase)
        down = radius * (1 - 0.05 * habit[2]) * np.sin(self.phase) + 0.08 * self.reach * habit[3]
        return self.one(side, self.path(side, outwards, down))

    def roll(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lead the hands round each other before the chest, seen from the side of the axis."""
        habit = self.habit
        height = self.reach * (0.42 + 0.10 * habit[0])
        up = self.amplitude * self.reach * (0.20 + 0.04 * habit[1])
        across = self.amplitude * self.wide * (0.22 + 0.10 * habit[2])
        inside = -self.wide * (0.35 + 0.15 * habit[3])
        right, left = (
            self.path(
                side,
                inside + across * np.cos(self.phase + turn),
                height + up * np.sin(self.phase + turn),
            )
            for side, turn in ((RIGHT, 0.0), (LEFT, np.pi))
        )
        return right, left

    def drums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        habit = self.habit
        height = self.reach * (0.48 + 0.10 * habit[0])
        up = self.amplitude * self.reach * (0.32 + 0.06 * habit[1])
        outside = self.wide * (0.95 + 0.3 * habit[2])
        turns = np.pi * (1 + 0.2 * habit[3])
        right, left = (
            self.path(
                side,
                outside + 0.2 * self.wide * np.cos(phase),
                height + factor * up * (np.sin(phase) + 0.2 * np.cos(2 * phase)),
            )
            for side, phase, factor in (
                (RIGHT, self.phase, 1.0),
                (LEFT, self.phase + turns, self.asymmetry),
            )
        )
        return right, left

    def guitar(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Strum with the right hand while the left one slides along the neck."""
        habit = self.habit
        strum = self.amplitude * self.reach * (0.20 + 0.05 * habit[0]) * np.sin(self.phase)
        right = self.path(
            RIGHT,
            self.wide * (0.35 + 0.25 * habit[1]) + 0.35 * strum,
            self.reach * (0.66 + 0.06 * habit[2]) + strum,
        )
        slide = np.sin(0.31 * self.phase + np.pi * habit[3])
        left = self.path(
            LEFT,
            self.wide + self.reach * (0.55 + 0.06 * habit[4] + 0.12 * slide),
            self.reach * (0.10 + 0.10 * habit[5] - 0.05 * slide),
        )
        return right, left

    def other(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lead each hand along a Lissajous figure of the subject's own."""
        right, left = (
            self._lissajous(side, habit)
            for side, habit in ((RIGHT, self.habit[:8]), (LEFT, self.habit[8:16]))
        )
        return right, left

    def _lissajous(self, side: int, habit: NDArray[np.float64]) -> NDArray[np.float64]:
        # Whole ratios of frequency: a gesture that repeats itself.
        across, down = 1 + (habit[0] > 0), 1 + (habit[1] > 0)
        x = self.reach * 0.35 * habit[3] * np.sin(across * self.phase + np.pi * habit[4])
        y = self.reach * 0.45 * habit[6] * np.sin(down * self.phase + np.pi * habit[7])
        place = self.reach * (0.25 + 0.45 * habit[5])
        return self.path(side, self.wide * (1.3 + 0.6 * habit[2]) + x, place + y)

    def of(self, label: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return (
            self.clap,
            lambda: self.wave(RIGHT),
            lambda: self.wave(LEFT),
            lambda: self.circle(RIGHT),
            lambda: self.circle(RIGHT),
            lambda: self.circle(LEFT),
            lambda: self.circle(LEFT),
            self.roll,
            self.drums,
            self.guitar,
            self.other,
        )[label]()


def _two_links(
    shoulder: NDArray[np.float64],
    hand: NDArray[np.float64],
    upper_arm: float,
    forearm: float,
    side: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return elbow and hand: an arm of two links, bent outwards and down.

    A hand that is too far is drawn in. A near one shortens both links on the picture, as of an
    arm that points at the viewer; so no joint jumps when the hand passes before the shoulder.
    """
    reach = upper_arm + forearm
    to = hand - shoulder
    far = np.sqrt((to * to).sum(axis=1, keepdims=True))
    to = to * np.minimum(1.0, 0.995 * reach / np.maximum(far, 1e-9))
    stretch = np.minimum(far / reach, 0.995)
    # Neither link is seen longer than max(upper_arm, forearm), to within 1 %.
    seen = 0.55 + 0.45 * stretch
    off = min(upper_arm, forearm) * np.sqrt(seen**2 - stretch**2)
    outwards_down = np.array([0.6 * side, 0.8])
    across = np.stack([-to[:, 1], to[:, 0]], axis=1) / np.maximum(far, 1e-9)
    # On the way from one side of the line to the other the arm is straight.
    bend = np.tanh(3 * (across @ outwards_down))[:, None]
    near = 0.0625 / (0.0625 + stretch**2)
    direction = (1 - near) * bend * across + near * outwards_down
    return shoulder + to * (upper_arm / reach) + off * direction, shoulder + to
