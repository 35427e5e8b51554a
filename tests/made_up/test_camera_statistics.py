"""The camera's mismatch and noise follow the laws that its documentation names.

Two-level tests (`two_levels`): 6 cases at 1e-6 each: with fresh seeds a right camera would fail
somewhere in this file with a probability of at most 6.0e-6. With the fixed seeds it fails always
or never: a failure is a finding.

Power: each `wrong` camera must fail, such as a rate off by 3 %, or noise at regular times.
"""

import numpy as np
from hrsnn_rs.made_up.camera import EventCamera
from scipy import special, stats
from two_levels import (
    Binomial,
    Case,
    of_counts,
    of_multinomial,
    right_cases,
    states_rate,
    wrong_cases,
)

HEIGHT, WIDTH = 6, 8
RATE, DURATION = 20.0, 500_000
MISMATCH = 0.03
GREY = np.full((2, HEIGHT, WIDTH), 128, np.uint8)


def camera(seed, **options):
    return EventCamera(HEIGHT, WIDTH, dead_time=0.0, seed=seed, **options)


def thresholds(mismatch):
    """ON and OFF; so far from the lowest threshold that it is 6 standard deviations away."""
    return lambda seed: np.stack(camera(seed, mismatch=mismatch).thresholds())


def of_thresholds(pair, _):
    return special.ndtr((pair - 0.2) / MISMATCH).ravel()


def of_pairs_of_thresholds(pair, _):
    """ON and OFF of a pixel have nothing in common: their scores' difference is normal, too."""
    on, off = (pair - 0.2) / MISMATCH
    return special.ndtr((on - off) / np.sqrt(2.0)).ravel()


def noise(rate):
    """What a camera sends that sees nothing; samples differ."""
    frames, times = GREY, [0, DURATION]
    return lambda seed: camera(3, noise_rate=rate).events(frames, times, sample=seed)


def of_number(events, draw):
    law = stats.poisson(RATE * 1e-6 * DURATION * HEIGHT * WIDTH)
    return of_counts(law, [len(events)], draw)


def of_intervals(events, draw):
    """Times, spread over their µs; each waits for the next as long as a Poisson process does."""
    times = np.sort(events.t - draw.random(len(events)))
    # Given the last one, the earlier times are uniform; intervals as shares of what is left.
    left = times[-1] - np.concatenate([[0.0], times[:-2]])
    gaps = np.diff(times[:-1], prepend=0.0)
    return (1.0 - gaps / left) ** np.arange(times.size - 1, 0, -1)


def of_pixels(events, draw):
    n = HEIGHT * WIDTH
    counts = np.bincount(events.y.astype(int) * WIDTH + events.x, minlength=n)
    return of_multinomial(np.full(n, 1.0 / n), counts, draw)


def of_polarities(events, draw):
    return of_counts(Binomial(len(events), 0.5), [np.count_nonzero(events.p)], draw)


class Sent:
    """Events of noise that a wrong camera sent."""

    def __init__(self, seed, fault):
        random = np.random.default_rng(seed)
        n = random.poisson(RATE * 1e-6 * DURATION * HEIGHT * WIDTH)
        self.t = 1 + np.sort(random.integers(0, DURATION, n))
        self.p = random.random(n) < (0.52 if fault == "more ON" else 0.5)
        pixel = random.integers(0, HEIGHT * WIDTH, n)
        if fault == "no last row":
            pixel = random.integers(0, (HEIGHT - 1) * WIDTH, n)
        if fault == "regular":
            self.t = 1 + np.arange(n) * (DURATION // n)
        self.y, self.x = np.divmod(pixel, WIDTH)

    def __len__(self):
        return self.t.size


def sent(fault):
    return lambda seed: Sent(seed, fault)


def mirrored(seed):
    """OFF thresholds are those of ON."""
    on, _ = thresholds(MISMATCH)(seed)
    return np.stack([on, on])


CASES = {
    "thresholds": Case(
        of_thresholds, thresholds(MISMATCH), {"mismatch 5 % more": thresholds(1.05 * MISMATCH)}
    ),
    "pairs of thresholds": Case(
        of_pairs_of_thresholds, thresholds(MISMATCH), {"mirrored": mirrored}
    ),
    "number": Case(of_number, noise(RATE), {"rate 3 % more": noise(1.03 * RATE)}),
    "intervals": Case(of_intervals, noise(RATE), {"regular": sent("regular")}),
    "pixels": Case(of_pixels, noise(RATE), {"no last row": sent("no last row")}),
    "polarities": Case(of_polarities, noise(RATE), {"more ON": sent("more ON")}),
}


@right_cases(CASES)
def test_cameras(case):
    assert case.complaints(case.right) == []


@wrong_cases(CASES)
def test_wrong_cameras_are_found_out(case, generator):
    assert case.complaints(generator) != []


def test_rate_of_false_alarms_is_as_written():
    assert states_rate(__doc__, len(CASES))
