"""A clip of an event camera to look at: as pictures side by side, and as a moving one.

Lives here: how events become pixels. ON events are red, OFF events green, as in `receptive_fields`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_integer, check_number, check_text
from hrsnn_rs.errors import MissingDependencyError, ParameterError
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.network.saving import home_of, replace_file
from hrsnn_rs.plotting.canvas import blank, own_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Nothing, OFF, ON, both.
_COLOURS = np.array([[16, 20, 24], [64, 200, 96], [230, 72, 60], [240, 220, 90]], np.uint8)
# A GIF counts in hundredths of a second, and browsers take less than two of them for ten.
_TICK, _SHORTEST = 10.0, 20.0
_SMALLEST = 240
#: ms: hundredths of a second in 16 bits.
_LONGEST = 655_350.0
_MOST = 5000


@own_settings
def clip_frames(
    events: SensorEvents, n_frames: int = 6, title: str = "", *, tau: float = 40.0
) -> Figure:
    """Draw a clip as event surfaces side by side: what each pixel saw last, the older the fainter.

    Parameters
    ----------
    events : SensorEvents
        The clip. Not changed.
    n_frames : int, default=6
        Pictures, at most 60.
    title : str, default=""
        What it shows.
    tau : float, default=40.0
        Time in ms in which an event fades to 1/e.

    Returns
    -------
    matplotlib.figure.Figure
        An axes for each picture, six in a row; above each its time in ms, equal steps to the end.

    Raises
    ------
    ParameterError
        If it is no clip.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.plotting import clip_frames
    >>> clip, _ = make_gestures(3, 1, size=32, duration=200_000)[0]
    >>> len(clip_frames(clip, n_frames=4).axes)
    4
    """
    clip = _checked(events)
    n = check_integer("n_frames", n_frames, 1, 60)
    fade = check_number("tau", tau, "above 0 ms", lambda ms: ms > 0.0)
    check_text("title", title)
    ends = np.linspace(0, clip.duration, n + 1)[1:]
    n_columns = min(n, 6)
    n_rows = -(-n // n_columns)
    wide = 9.0 / n_columns
    figure = blank(9.0, n_rows * (wide * clip.height / clip.width + 0.3) + 0.4 * bool(title))
    grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes, end, surface in zip(grid, ends, _surfaces(clip, ends, 1000.0 * fade), strict=False):
        axes.imshow(surface, interpolation="nearest")
        axes.set_title(f"{end / 1000.0:.0f} ms", fontsize=9)
    for axes in grid:
        axes.set_axis_off()
    for axes in grid[n:]:
        axes.remove()
    figure.suptitle(title)
    return figure


def clip_gif(
    path: str | PathLike[str], events: SensorEvents, *, every: float = 40.0, slower: float = 1.0
) -> int:
    """Write a clip as an animated GIF that goes on for ever.

    Parameters
    ----------
    path : str or path-like
        File to write; replaced if it is there.
    events : SensorEvents
        The clip. Not changed.
    every : float, default=40.0
        What one picture shows, in ms: all its events alike, pixels with both kinds yellow.
    slower : float, default=1.0
        How many times as long as the clip it lasts. A picture is shown for a multiple of 10 ms,
        at least 20.

    Returns
    -------
    int
        Number of pictures.

    Raises
    ------
    ParameterError
        If it is no clip, or would have more than 5000 pictures.
    OutOfMemoryError
        If they would not fit into the memory.
    MissingDependencyError
        If matplotlib, which brings Pillow, is not installed.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.plotting import clip_gif
    >>> clip, _ = make_gestures(3, 1, size=32, duration=200_000)[0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clip_gif(Path(folder, "clip.gif"), clip)
    5
    """
    home = home_of("path", path)
    clip = _checked(events)
    each = check_number("every", every, "at least 0.001 ms", lambda ms: ms >= 1e-3)
    slow = check_number("slower", slower, "above 0", lambda factor: factor > 0.0)
    if each * slow > _LONGEST:
        raise ParameterError(
            f"every times slower must be at most {_LONGEST:g} ms, as long as a GIF can show a "
            f"picture; got {each * slow:g}."
        )
    n = int(np.ceil(clip.duration / (1000.0 * each)))
    if n > _MOST:
        raise ParameterError(
            f"every must give at most {_MOST} pictures; {each:g} ms gives {n} of"
            f" {clip.duration / 1e6:g} s."
        )
    factor = max(1, round(_SMALLEST / max(clip.height, clip.width)))
    check_memory("every", 2.0 * n * clip.height * clip.width * factor**2)
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError('GIFs need Pillow: pip install "hrsnn_rs[plot]"') from error

    def image(picture: NDArray[np.uint8]) -> Any:
        large = np.kron(picture, np.ones((factor, factor), np.uint8))
        made = Image.frombytes("P", large.shape[::-1], large.tobytes())
        made.putpalette(_COLOURS.ravel().tolist())
        return made

    shown = map(image, _pictures(clip, 1000.0 * each * np.arange(1, n + 1)))
    ticks = max(_SHORTEST, _TICK * round(slow * each / _TICK))
    looks = {"duration": round(ticks), "loop": 0, "optimize": False, "disposal": 1}
    replace_file(
        home,
        lambda part: next(shown).save(
            part, format="GIF", save_all=True, append_images=shown, **looks
        ),
    )
    return n


def _checked(events: SensorEvents) -> SensorEvents:
    if not isinstance(events, SensorEvents):
        raise ParameterError(f"events must be SensorEvents; got {events!r}.")
    return events


def _surfaces(clip: SensorEvents, ends: NDArray[Any], tau: float) -> Iterator[NDArray[np.float64]]:
    """Give the latest event of each pixel before each end, as its colour, faded."""
    latest = np.full((clip.height, clip.width), -np.inf)
    colour = np.zeros((clip.height, clip.width), np.intp)
    begin = 0
    for end in ends:
        stop = int(np.searchsorted(clip.t, end))
        place = clip.y[begin:stop], clip.x[begin:stop]
        # Where a pixel is named twice, NumPy keeps the last, and they are sorted by time.
        latest[place] = clip.t[begin:stop]
        colour[place] = 1 + (clip.p[begin:stop] > 0)
        strength = np.exp((latest - end) / tau)[..., np.newaxis]
        yield (_COLOURS[0] + strength * (_COLOURS[colour] - _COLOURS[0].astype(float))) / 255.0
        begin = stop


def _pictures(clip: SensorEvents, ends: NDArray[Any]) -> Iterator[NDArray[np.uint8]]:
    """Give what each span saw, as places in the table of colours; the first one begins at 0."""
    begin = 0
    for end in np.searchsorted(clip.t, ends):
        inside = slice(begin, int(end))
        picture = np.zeros((clip.height, clip.width), np.uint8)
        place = (clip.y[inside], clip.x[inside])
        is_on = clip.p[inside] > 0
        picture[place[0][~is_on], place[1][~is_on]] = 1
        on = np.zeros_like(picture)
        on[place[0][is_on], place[1][is_on]] = 2
        yield picture + on
        begin = int(end)
