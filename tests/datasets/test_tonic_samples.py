"""tonic's data sets as ours: fields by name, targets of any kind, transforms of the user."""

import numpy as np
import pytest
from hrsnn_rs.datasets.tonic_samples import from_tonic
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError, ShapeError
from hrsnn_rs.events.events import Events

ORDERS = ("txyp", "xypt", "xytp")


class Recorded:
    """What tonic's data sets have in common."""

    classes = ("left", "right")
    sensor_size = (6, 4, 2)

    def __init__(self, order: str = "xypt", polarity: str = "p") -> None:
        self.fields = [(polarity if name == "p" else name, "<i8") for name in order]
        self.polarity = polarity
        self.targets: object = [1, 0, 1]
        self.read: list[int] = []

    def __len__(self) -> int:
        return 3

    def __getitem__(self, sample: int) -> tuple[np.ndarray, object]:
        self.read.append(sample)
        array = np.zeros(2, self.fields)
        array["t"], array["x"] = [sample, 10], [sample, 5]
        if "y" in array.dtype.names:
            array["y"] = [3, 0]
        array[self.polarity] = [1, 0]
        return array, self.targets[sample]  # type: ignore[index]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("polarity", ["p", "polarity", "on"])
def test_fields_are_read_by_name(order: str, polarity: str) -> None:
    source = Recorded(order, polarity)
    samples = from_tonic(source)
    assert source.read == []
    assert samples.labels.tolist() == [1, 0, 1]
    assert samples.classes == ["left", "right"]
    events, label = samples[2]
    assert label == 1
    assert (events.height, events.width, events.duration) == (4, 6, 11)
    assert events.t.tolist() == [2, 10]
    assert events.x.tolist() == [2, 5]
    assert events.y.tolist() == [3, 0]
    assert events.p.tolist() == [1, 0]
    assert source.read == [2]


def test_targets_may_be_names_or_have_to_be_read() -> None:
    source = Recorded()
    source.targets = ["right", "left", "right"]
    assert from_tonic(source).labels.tolist() == [1, 0, 1]
    source.targets = np.array([7, 3, 7])
    samples = from_tonic(source)
    assert (samples.classes, samples.labels.tolist()) == (["3", "7"], [1, 0, 1])
    assert from_tonic(source, labels=["a", "b", "a"]).classes == ["a", "b"]
    with pytest.raises(ShapeError, match="labels must be 3, one a sample; got shape"):
        from_tonic(source, labels=[1])

    class Unlabelled(Recorded):
        targets = None

        def __init__(self) -> None:
            self.fields = [(name, "<i8") for name in "txp"]
            self.polarity, self.read = "p", []

        def __getitem__(self, sample: int) -> tuple[np.ndarray, object]:
            self.targets = [0, 0, 1]
            try:
                return super().__getitem__(sample)
            finally:
                self.targets = None

    source = Unlabelled()
    source.sensor_size = (6, 1, 1)  # type: ignore[misc]
    samples = from_tonic(source)
    assert samples.labels.tolist() == [0, 0, 1]
    assert samples[0][0].y.tolist() == [0, 0]


def test_subjects_are_those_of_the_data_set_or_unknown() -> None:
    source = Recorded()
    unknown = from_tonic(source)
    with pytest.warns(DataWarning, match="may leak"):
        unknown.split(n_test=1)
    source.users = [4, 4, 9]  # type: ignore[attr-defined]
    known = from_tonic(source)
    assert known.groups.tolist() == [4, 4, 9]
    assert known.split(test_groups=[9])[1].tolist() == [2]
    assert from_tonic(source, groups=[1, 2, 3]).groups.tolist() == [1, 2, 3]
    with pytest.raises(ShapeError, match="groups must be 3, one a sample; got 1"):
        from_tonic(source, groups=[1])


def test_what_is_no_table_of_events_is_refused() -> None:
    source = Recorded()
    encoder = EventEncoder(4, 6, size=(2, 2))
    assert isinstance(from_tonic(source, encoder)[0][0], Events)
    with pytest.raises(FormatError, match=r"sample 0 of Recorded: y must be below 2"):
        from_tonic(source, sensor_size=(2, 6))[0]
    with pytest.raises(ParameterError, match="dataset must be a data set of tonic"):
        from_tonic(iter([]))
    with pytest.raises(ParameterError, match="encoder must be a function"):
        from_tonic(source, "fast")  # type: ignore[arg-type]
    source.sensor_size = (None, 4, 2)  # type: ignore[assignment]
    with pytest.raises(ParameterError, match=r"sensor_size=\(height, width\) must be given"):
        from_tonic(source)

    class Frames(Recorded):
        def __getitem__(self, sample: int) -> tuple[np.ndarray, object]:
            return np.zeros((3, 2, 4, 6)), 0

    with pytest.raises(FormatError, match="sample 1 of Frames: array must be a structured array"):
        from_tonic(Frames())[1]


@pytest.mark.external
def test_transforms_of_tonic_run_before() -> None:
    transforms = pytest.importorskip("tonic.transforms")
    crop = transforms.CropTime(min=0, max=5)

    class Cropped(Recorded):
        def __getitem__(self, sample: int) -> tuple[np.ndarray, object]:
            array, target = super().__getitem__(sample)
            return crop(array), target

    assert from_tonic(Cropped())[1][0].t.tolist() == [1]
