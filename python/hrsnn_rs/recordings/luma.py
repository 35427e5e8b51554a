"""Luma: the grey picture in a decoded frame, upright.

Lives here: which plane of a frame is luma, and how a picture is turned that was filmed on its side.
Not here: files and decoding (`video`). Invariant: pixels are as they are stored wherever a plane of
luma is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# Of the largest entry of a display matrix: what is below counts as 0.
_NOTHING = 0.01


class Orientation(NamedTuple):
    """How a stored picture becomes upright: first transposed, then flipped.

    Parameters
    ----------
    is_transposed : bool
        Whether rows become columns.
    rows, columns : {1, -1}
        -1: rows, or columns, come in the opposite order.

    Examples
    --------
    >>> Orientation(True, -1, 1).turned(np.array([[1, 2]]))
    array([[2],
           [1]])
    """

    is_transposed: bool = False
    rows: int = 1
    columns: int = 1

    def turned(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Return a view of a picture, upright."""
        upright = picture.T if self.is_transposed else picture
        return upright[:: self.rows, :: self.columns]

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return (rows, columns) of what is turned, or of what it came from."""
        return (size[1], size[0]) if self.is_transposed else size


def orientation_of(frame: Any, path: Path) -> Orientation:
    """Return how a frame is to be turned by its display matrix.

    Parameters
    ----------
    frame : av.VideoFrame
        The frame.
    path : Path
        Its file, for the message.

    Returns
    -------
    Orientation
        As it is where there is no matrix.

    Raises
    ------
    FormatError
        If the matrix turns by anything but quarters of a circle.
    """
    # Whoever has a frame has PyAV. Asked by type: a loop over side data gives keys from PyAV 19 on.
    from av.sidedata.sidedata import Type

    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return Orientation()
    # A point (x, y) is shown at (a x + c y, b x + d y); y goes down.
    a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32)[:9].astype(float).tolist()
    small = _NOTHING * max(abs(a), abs(b), abs(c), abs(d))
    if max(abs(b), abs(c)) <= small < min(abs(a), abs(d)):
        return Orientation(False, 1 if d > 0 else -1, 1 if a > 0 else -1)
    if max(abs(a), abs(d)) <= small < min(abs(b), abs(c)):
        return Orientation(True, 1 if b > 0 else -1, 1 if c > 0 else -1)
    raise FormatError(
        f"{path}: its frames are to be shown turned by {frame.rotation} degrees; only quarters of "
        "a circle are known."
    )


def has_luma_plane(pixels: Any) -> bool:
    """Say whether plane 0 holds luma of 8 bits and nothing else."""
    first = pixels.components[0]
    is_grey = len(pixels.components) == 1 and pixels.name != "pal8"
    return (
        not pixels.is_rgb
        and first.plane == 0
        and first.bits == 8
        and (is_grey or all(other.plane > 0 for other in pixels.components[1:]))
    )


def luma_of(frame: Any, size: tuple[int, int], has_luma: bool) -> NDArray[np.uint8]:
    """Return the luma of a frame as it is stored, scaled to a size; read-only.

    Parameters
    ----------
    frame : av.VideoFrame
        The frame.
    size : tuple of int
        (rows, columns).
    has_luma : bool
        Whether its format has a plane of luma.

    Returns
    -------
    ndarray of uint8, shape `size`
        A view of the frame, or of what it was converted to.
    """
    if size != (frame.height, frame.width) or not has_luma:
        # Luma keeps the range in which it is stored; other formats get the usual one.
        target, span = (frame.format.name, None) if has_luma else ("yuv420p", "MPEG")
        frame = frame.reformat(size[1], size[0], target, dst_color_range=span)
    plane = frame.planes[0]
    # The view keeps the plane alive; the decoder still needs it unchanged.
    padded = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    luma = padded[: size[0], : size[1]]
    luma.flags.writeable = False
    return luma
