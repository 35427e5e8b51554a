"""Pictures of fields: every weight is seen where it is, and nonsense is refused."""

import numpy as np
import pytest
from hrsnn_rs.errors import ShapeError
from hrsnn_rs.plotting import receptive_fields

pytest.importorskip("matplotlib")


def picture(fields: np.ndarray) -> np.ndarray:
    (axes,) = receptive_fields(fields).axes
    return np.asarray(axes.images[0].get_array())


def test_on_is_red_and_off_is_green():
    fields = np.zeros((4, 2, 3, 3))
    fields[2, 0, 0, 1], fields[3, 1, 2, 2] = 5.0, 2.0
    seen = picture(fields)
    assert seen.shape == (9, 9, 3)
    assert seen[5, 2].tolist() == [0.0, 1.0, 0.0]
    assert seen[7, 7].tolist() == [1.0, 0.0, 0.0]
    assert seen[1:4, 1:4].sum() == 0.0


@pytest.mark.parametrize("shape", [(4, 3, 5, 5), (4, 5, 5), (0, 2, 5, 5), (4, 2, 0, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match=r"^fields must have shape"):
        receptive_fields(np.ones(shape))
