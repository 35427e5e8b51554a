"""Figures of what features see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.arguments import NOT_NEGATIVE, as_array, check_array, check_text
from hrsnn_rs.errors import ShapeError
from hrsnn_rs.plotting.canvas import blank, own_settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


@own_settings
def receptive_fields(fields: ArrayLike, title: str = "") -> Figure:
    """Draw the fields of features side by side, ON in red and OFF in green.

    Parameters
    ----------
    fields : array of shape (n_features, polarities, height, width)
        Not negative, such as `FeatureLayer.fields_`; with one polarity red alone, with two OFF
        comes first. Not changed.
    title : str, default=""
        What they are.

    Returns
    -------
    matplotlib.figure.Figure
        One axes; each field is scaled to its own largest weight.

    Raises
    ------
    ShapeError
        If the shape is another.
    ParameterError
        If a value is negative, or no finite number.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.plotting import receptive_fields
    >>> figure = receptive_fields(np.random.default_rng(0).random((16, 2, 5, 5)))
    """
    check_text("title", title)
    shape = as_array("fields", fields).shape
    if len(shape) != 4 or shape[1] not in (1, 2) or 0 in shape:
        raise ShapeError(
            f"fields must have shape (n_features, 1 or 2 polarities, height, width); got {shape}."
        )
    values = check_array("fields", fields, *NOT_NEGATIVE, ndim=4)
    n, polarities, height, width = values.shape
    largest = values.max(axis=(1, 2, 3), keepdims=True)
    values = values / np.where(largest > 0.0, largest, 1.0)
    n_columns = int(np.ceil(np.sqrt(n)))
    n_rows = -(-n // n_columns)
    picture = np.ones((n_rows * (height + 1) + 1, n_columns * (width + 1) + 1, 3))
    for k, field in enumerate(values):
        row, column = divmod(k, n_columns)
        top, left = row * (height + 1) + 1, column * (width + 1) + 1
        place = picture[top : top + height, left : left + width]
        place[...] = 0.0
        place[..., 0] = field[-1]
        if polarities == 2:
            place[..., 1] = field[0]
    figure = blank(4.0, 4.0 * n_rows / n_columns + 0.3)
    axes = figure.subplots()
    axes.imshow(picture, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title)
    return figure
