"""Made-up gestures as a data set: labelled event streams to learn from without a download.

Not here: how gestures look (`made_up`), what samples can do. Invariant: a gesture depends on its
(seed, label, subject, repeat), size and duration, never on what was asked before.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.arguments import MOST_SEED, check_integer
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.events.columns import whole_numbers
from hrsnn_rs.made_up.camera import EventCamera
from hrsnn_rs.made_up.gestures import CLASSES, render

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.events.sensor import SensorEvents


class GestureSet(EventSamples):
    """Rendered gestures seen by an event camera; see `make_gestures`.

    Samples are ordered by subject, then repeat, then class. They are rendered when first asked
    for and kept in memory.

    Parameters
    ----------
    n_subjects, n_repeats, seed, size, duration, n_threads
        As in `make_gestures`.

    Attributes
    ----------
    camera : EventCamera
        The one camera that sees all samples.

    Examples
    --------
    >>> GestureSet(n_subjects=3)
    GestureSet(66 samples, 11 classes, 3 subjects)
    """

    def __init__(
        self,
        n_subjects: int = 12,
        n_repeats: int = 2,
        *,
        seed: int = 0,
        size: int = 64,
        duration: int = 1_200_000,
        n_threads: int | None = None,
    ) -> None:
        n_subjects = check_integer("n_subjects", n_subjects, 1, 2**20 - 1)
        n_repeats = check_integer("n_repeats", n_repeats, 1, 2**20 - 1)
        self._seed = check_integer("seed", seed, high=MOST_SEED)
        self._size = check_integer("size", size, 16, 2**12 - 1)
        # Two frames at the renderer's 250 per second.
        self._duration = check_integer("duration", duration, 4_001, unit="µs")
        self._n_threads = None if n_threads is None else check_integer("n_threads", n_threads, 1)
        self._n_repeats = n_repeats
        self._rendered: dict[int, SensorEvents] = {}
        self.camera = EventCamera(self._size, self._size, seed=self._seed)
        n_classes = len(CLASSES)
        super().__init__(
            CLASSES,
            np.tile(np.arange(n_classes), n_subjects * n_repeats),
            np.repeat(np.arange(n_subjects), n_repeats * n_classes),
        )

    def _read(self, sample: int) -> SensorEvents:
        # Two threads may render one sample at the same time: they find the same events.
        if sample not in self._rendered:
            clip, label = divmod(sample, len(CLASSES))
            subject, repeat = divmod(clip, self._n_repeats)
            frames, times = render(
                label, subject, repeat, seed=self._seed, size=self._size, duration=self._duration
            )
            # The number of a sample's noise must not depend on how many repeats there are.
            number = (subject << 32) + (repeat << 8) + label
            self._rendered[sample] = self.camera.events(
                frames, times, sample=number, duration=self._duration
            )
        return self._rendered[sample]

    def _sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        self.prepare()
        return super()._sizes()

    def prepare(self, indices: ArrayLike | None = None, *, n_threads: int | None = None) -> None:
        """Render samples now, several at a time. The samples are the same without it.

        Parameters
        ----------
        indices : array_like of int, default=None
            Which samples; `None` means all.
        n_threads : int, default=None
            Threads of this call. `None` means what the set was made with; if that is `None` too,
            all cores.

        Raises
        ------
        ParameterError
            If an index is out of range or `n_threads` is below 1.

        Examples
        --------
        >>> samples = make_gestures(n_subjects=1, n_repeats=1, size=32, duration=100_000)
        >>> samples.prepare([0, 3], n_threads=2)
        """
        if indices is None:
            indices = np.arange(len(self))
        wanted = whole_numbers(indices, "indices", below=len(self), at="index")
        if n_threads is None:
            n_threads = self._n_threads or os.cpu_count() or 1
        n_threads = check_integer("n_threads", n_threads, 1)
        missing = [sample for sample in wanted.tolist() if sample not in self._rendered]
        if not missing:
            return
        with ThreadPoolExecutor(n_threads) as pool:
            for _ in pool.map(self._read, missing):
                pass


def make_gestures(
    n_subjects: int = 12,
    n_repeats: int = 2,
    *,
    seed: int = 0,
    size: int = 64,
    duration: int = 1_200_000,
    n_threads: int | None = None,
) -> GestureSet:
    """Make a set of arm gestures, as an event camera sees them, without any download.

    The eleven classes are those of DVS128 Gesture [1]_: a person is seen from the front, and
    subjects differ in build, light, tempo and habits. The two senses of each arm circle
    (classes 3 and 4, 5 and 6) follow one path from a random start, so that counts of events
    hardly tell them apart, and their order does. `reversed_pairs` makes counts equal exactly.

    Parameters
    ----------
    n_subjects : int, default=12
        Number of persons.
    n_repeats : int, default=2
        Clips of each person and class.
    seed : int, default=0
        Seed of everything. A sample is the same in a larger set of the same seed.
    size : int, default=64
        Rows and columns of the sensor, at least 16.
    duration : int, default=1_200_000
        Length of each clip in µs.
    n_threads : int, default=None
        Threads that render where many samples are needed at once. `None` means all cores. The
        events do not depend on it.

    Returns
    -------
    GestureSet
        Sequence of (SensorEvents, label), rendered when asked for and then kept.

    Raises
    ------
    ParameterError
        If an argument is out of range; the message names it.

    References
    ----------
    .. [1] Amir et al. (2017), A low power, fully event-based gesture recognition system, CVPR.

    Examples
    --------
    >>> samples = make_gestures(n_subjects=4, n_repeats=1, seed=1, size=32)
    >>> events, label = samples[3]
    >>> samples.classes[label], events.duration
    ('right_arm_clockwise', 1200000)
    >>> train, test = samples.split(n_test=1)
    >>> len(train), len(test)
    (33, 11)
    """
    return GestureSet(
        n_subjects, n_repeats, seed=seed, size=size, duration=duration, n_threads=n_threads
    )
