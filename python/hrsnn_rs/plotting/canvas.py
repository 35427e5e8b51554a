"""Where figures are drawn: settings and a backend of our own, whatever the user's are.

matplotlib is imported when the first figure is made. A backend that is not there (`MPLBACKEND`),
LaTeX for every word (`text.usetex`) or a style of the user's could otherwise fail, after minutes of
work, or change what the report shows. No figure touches pyplot. matplotlib's settings are global:
they are ours while something is drawn, one thread at a time, and the user's again afterwards.
"""

from __future__ import annotations

import functools
import io
import os
import sys
import threading
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from hrsnn_rs.errors import MissingDependencyError, ParameterError
from hrsnn_rs.events.columns import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from matplotlib.figure import Figure

_DRAWING = threading.RLock()
_DPI = 130

_P = ParamSpec("_P")
_T = TypeVar("_T")


def own_settings(draw: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a function draw with matplotlib's own settings in place of the user's."""

    @functools.wraps(draw)
    def drawn(*arguments: _P.args, **options: _P.kwargs) -> _T:
        with _settings():
            return draw(*arguments, **options)

    return drawn


@own_settings
def blank(width: float, height: float) -> Figure:
    """Make an empty figure of that many inches, apart from pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@own_settings
def png(figure: Figure) -> bytes:
    """Draw a figure into the bytes of a PNG file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure; not shown anywhere.

    Returns
    -------
    bytes
        The same for the same figure, with any settings of the user.

    Raises
    ------
    ParameterError
        If it is no figure.

    Examples
    --------
    >>> from hrsnn_rs.plotting import png, time_constants
    >>> png(time_constants([20.0, 25.0, 60.0]))[1:4]
    b'PNG'
    """
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        raise ParameterError(f"figure must be a Figure of matplotlib; got {kind_of(figure)}.")
    buffer = io.BytesIO()
    # Without the metadata the same figure gives the same bytes with any matplotlib.
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


@contextmanager
def _settings() -> Iterator[None]:
    """Hold matplotlib's own settings, in this thread alone."""
    with _DRAWING:
        matplotlib = _loaded()
        ours = {
            name: value
            for name, value in matplotlib.rcParamsDefault.items()
            if not name.startswith("backend")
        }
        with matplotlib.rc_context(ours):
            yield


def _loaded() -> ModuleType:
    """Import matplotlib, which fails as a whole where `MPLBACKEND` names nothing that it knows."""
    if "matplotlib" not in sys.modules:
        wanted = os.environ.pop("MPLBACKEND", None)
        try:
            import matplotlib
        except ImportError:
            pass
        else:
            # Not ours, but the user's in what is drawn elsewhere.
            with suppress(ValueError):
                matplotlib.rcParams.update({} if wanted is None else {"backend": wanted})
        finally:
            if wanted is not None:
                os.environ["MPLBACKEND"] = wanted
    try:
        return import_module("matplotlib")
    except ImportError as error:
        raise MissingDependencyError(
            'figures need matplotlib: pip install "hrsnn_rs[plot]"'
        ) from error
