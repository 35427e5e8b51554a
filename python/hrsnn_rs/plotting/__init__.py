"""Figures of what a network holds, does and is worth, each drawn into given axes of matplotlib.

Not here: the page that gathers figures (`report`). Knows networks, laws and results; matplotlib is
loaded by the figure that is asked for.
"""

from hrsnn_rs.plotting.canvas import png
from hrsnn_rs.plotting.clips import clip_frames, clip_gif
from hrsnn_rs.plotting.fields import receptive_fields
from hrsnn_rs.plotting.figures import confusion, raster, scores, time_constants, weights
from hrsnn_rs.plotting.law_figures import laws
from hrsnn_rs.plotting.recorded import traces
from hrsnn_rs.plotting.sweep_figures import sweep_outcome
from hrsnn_rs.plotting.task_figures import balance_outcome, task_gains, task_outcome

__all__ = [
    "balance_outcome",
    "clip_frames",
    "clip_gif",
    "confusion",
    "laws",
    "png",
    "raster",
    "receptive_fields",
    "scores",
    "sweep_outcome",
    "task_gains",
    "task_outcome",
    "time_constants",
    "traces",
    "weights",
]
