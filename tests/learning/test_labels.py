"""Labels of every type: the same fit, kept and restored exactly, or refused before work."""

import numpy as np
import pytest
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning.labels import (
    codes_among,
    encode,
    from_bytes,
    from_json,
    to_bytes,
    to_json,
    weights_of_classes,
)
from hrsnn_rs.learning.readout import Readout

CODES = np.tile(np.arange(3), 16)
NAMES = np.array(["b", "ba", "µ"])
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

INTEGERS = [
    np.dtype(f"{order}{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8) for order in "<>"
]
LARGEST = {
    f"largest {dtype.str}": np.iinfo(dtype).max - np.array([2, 1, 0], dtype=dtype)
    for dtype in INTEGERS
}
LOWEST = {
    f"lowest {dtype.str}": np.iinfo(dtype).min + np.array([0, 1, 2], dtype=dtype)
    for dtype in INTEGERS
}
#: Three labels in ascending order, and what becomes of them for 48 samples.
KINDS = {
    **{dtype.str: np.array([0, 1, 2], dtype=dtype)[CODES] for dtype in INTEGERS},
    **{name: three.astype(three.dtype)[CODES] for name, three in (LARGEST | LOWEST).items()},
    **{
        f"{order}f{size}": np.array([-1.0, 0.0, 5.0], dtype=f"{order}f{size}")[CODES]
        for size in (2, 4, 8)
        for order in "<>"
    },
    "str": NAMES[CODES],
    "wide str": NAMES.astype("U20")[CODES],
    "big-endian str": NAMES.astype(">U2")[CODES],
    "bytes": np.array([b"\x00\xff", b"a", b"ab"])[CODES],
    "objects of str": NAMES.astype(object)[CODES],
    "list of str": NAMES[CODES].tolist(),
    "list of int": [(2, 30, 400)[code] for code in CODES],
    "list of large int": [2**64 - 3 + code for code in CODES.tolist()],
    "tuple of bytes": tuple((b"a", b"b", b"c")[code] for code in CODES),
    "objects of int": np.array([-4, 0, 9], dtype=object)[CODES],
    "objects of bytes": np.array([b"a", b"b", b"c"], dtype=object)[CODES],
    "objects of float": np.array([-4.0, 0.0, 9.0], dtype=object)[CODES],
    "Categorical": pd.Categorical(NAMES[CODES]),
    "Categorical of int": pd.Categorical(np.array([10, 20, 30])[CODES]),
    "pandas int": pd.Series(CODES, index=np.arange(48) + 7),
    "pandas uint8": pd.Series(CODES.astype(np.uint8)),
    "pandas Int64": pd.Series(CODES, dtype="Int64"),
    "pandas UInt8": pd.Series(CODES, dtype="UInt8"),
    "pandas string": pd.Series(NAMES[CODES], dtype="string"),
    "pandas objects": pd.Series(NAMES[CODES], dtype=object),
    "pandas category": pd.Series(NAMES[CODES]).astype("category"),
    "polars int": pl.Series(CODES),
    "polars uint8": pl.Series(CODES.astype(np.uint8)),
    "polars string": pl.Series(NAMES[CODES].tolist()),
    "polars categorical": pl.Series(NAMES[CODES].tolist(), dtype=pl.Categorical),
    "polars enum": pl.Series(NAMES[CODES].tolist(), dtype=pl.Enum(NAMES.tolist())),
}
if hasattr(np.dtypes, "StringDType"):
    KINDS["variable str"] = np.array(NAMES.tolist(), dtype=np.dtypes.StringDType())[CODES]
TRUTHS = {
    "bool": CODES > 0,
    "list of bool": (CODES > 0).tolist(),
    "objects of bool": (CODES > 0).astype(object),
    "pandas bool": pd.Series(CODES > 0),
    "pandas boolean": pd.Series(CODES > 0, dtype="boolean"),
    "polars bool": pl.Series(CODES > 0),
}


@pytest.fixture(scope="module")
def counts():
    random = np.random.default_rng(2)
    counts = random.poisson(2.0, size=(48, 3, 10)).astype(float)
    for code in range(3):
        counts[code == CODES, code, :4] += 3
    return counts


@pytest.fixture(scope="module")
def reference(counts):
    return {3: Readout().fit(counts, CODES), 2: Readout().fit(counts, (CODES > 0).astype(int))}


@pytest.mark.parametrize("name", [*KINDS, *TRUTHS])
def test_the_type_of_labels_changes_no_bit_and_comes_back(counts, reference, name):
    y = (KINDS | TRUTHS)[name]
    readout = Readout().fit(counts, y)
    same = reference[len(readout.classes_)]
    assert len(readout.classes_) == (2 if name in TRUTHS else 3)
    for attribute in ("alpha_", "temperature_", "coef_", "intercept_"):
        np.testing.assert_array_equal(getattr(readout, attribute), getattr(same, attribute))
    assert readout.score(counts, y) == same.score(counts, CODES if name in KINDS else CODES > 0)
    assert same.score(counts, CODES if name in KINDS else CODES > 0) == 1.0

    given = y if isinstance(y, (list, tuple)) else np.asarray(y).tolist()
    assert set(readout.classes_.tolist()) == set(given)
    assert {type(label) for label in readout.classes_.tolist()} == {type(given[0])}
    again = Readout.from_arrays(readout.to_arrays())
    assert again.classes_.dtype.str == readout.classes_.dtype.str
    assert again.classes_.tolist() == readout.classes_.tolist()
    np.testing.assert_array_equal(again.predict(counts), readout.predict(counts))
    assert again.predict(counts).dtype == readout.predict(counts).dtype
    np.testing.assert_array_equal(again.predict_proba(counts), readout.predict_proba(counts))


@pytest.mark.parametrize(
    "name", [name for name, y in (KINDS | TRUTHS).items() if type(y) is np.ndarray]
)
def test_an_array_keeps_its_type(name):
    y = (KINDS | TRUTHS)[name]
    if y.dtype.kind in "biufUS":
        assert encode("y", y).values.dtype.str == y.dtype.str


REFUSED = {
    "None": (["a", None, "b"], "got None at sample 1"),
    "NaN among strings": (["a", "b", float("nan")], "got nan at sample 2"),
    "NaN": (np.array([0.0, np.nan, 1.0]), "got nan at sample 1"),
    "infinity": (np.array([0.0, np.inf, 1.0]), "got inf at sample 1"),
    "objects and NaN": (np.array(["a", np.nan, "b"], dtype=object), "got nan at sample 1"),
    "pandas NA": (pd.Series(["a", "b", pd.NA], dtype="string"), "got <NA> at sample 2"),
    "pandas Int64 NA": (pd.Series([1, pd.NA, 2], dtype="Int64"), "got (<NA>|nan) at sample 1"),
    "category of none": (pd.Series(["a", None, "b"]).astype("category"), "got nan at sample 1"),
    "polars null": (pl.Series(["a", None, "b"]), "got None at sample 1"),
    "polars int null": (pl.Series([1, None, 2]), "got nan at sample 1"),
    "number and string": ([1, "1", 2], "got '1' at sample 1, a string after an integer"),
    "truth and number": ([True, 2, 3], "got 2 at sample 1, an integer after a truth value"),
    "bytes and string": (np.array([b"a", "a"], dtype=object), "a string after bytes"),
    "beyond 64 bits": ([2**64, 0, 1], "64 bits; got 18446744073709551616"),
    "both ends": ([-1, 2**63], "64 bits"),
    "complex": (np.array([1j, 2.0]), "complex128"),
    "dates": (np.array(["2020-01-01", "2020-01-02"], "M8[D]"), "datetime64"),
    "things": (np.array([object(), 1], dtype=object), "at sample 0"),
    "two columns": (np.ones((3, 2)), "1d array"),
    "a number": (7, "1d array"),
    "structured": (np.zeros(3, dtype=[("a", int)]), "dtype"),
    "long double": (np.array([0, 1], dtype=np.longdouble), "float128|longdouble"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("argument", ["y", "groups"])
def test_what_cannot_be_kept_is_refused_by_name(name, argument):
    given, said = REFUSED[name]
    with pytest.raises((ParameterError, ShapeError), match=f"^{argument} .*({said})"):
        encode(argument, given)


def test_broken_floats_are_targets_of_a_regression_but_may_be_groups():
    with pytest.raises(ParameterError, match=r"Unknown label type: continuous.*got 0\.5 at sample"):
        encode("y", [1.0, 0.5])
    assert encode("groups", [1.0, 0.5], whole=False).codes.tolist() == [1, 0]


def test_labels_are_compared_whatever_their_type():
    classes = np.array([3, 7], dtype=np.uint8)
    for given in ([7, 3, 5], [7.0, 3.0, 5.0], np.array([7, 3, 5], ">i8"), pl.Series([7, 3, 5])):
        assert codes_among(classes, "y", given).tolist() == [1, 0, -1]
    assert codes_among(classes, "y", ["3", "7"]).tolist() == [-1, -1]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"dtype": "<i8", "values": 3},
        {"dtype": "<i8", "values": ["1", "2"]},
        {"dtype": "<i8", "values": [True, False]},
        {"dtype": "<i1", "values": [1, 300]},
        {"dtype": "<i8", "values": [2, 1]},
        {"dtype": "<i8", "values": [1, 1]},
        {"dtype": "|O", "values": [1, 2]},
        {"dtype": "O,O", "values": ["a", "b"]},
        {"dtype": "<U900000000", "values": ["a", "b"]},
        {"dtype": "<U9000000", "values": [f"{n:04}" for n in range(9)]},
        {"dtype": "<U1", "values": ["ab", "ac"]},
        {"dtype": "|S1", "values": ["a", "\u0416"]},
        {"dtype": "<M8[s]", "values": [1, 2]},
        {"dtype": 8, "values": [1, 2]},
    ],
)
def test_strange_labels_of_a_file_are_refused(wrong):
    with pytest.raises((KeyError, TypeError, ValueError, OverflowError)):
        from_json(from_bytes(to_bytes(wrong)))


@pytest.mark.parametrize("name", [*KINDS, *TRUTHS])
def test_json_holds_labels_of_every_type(name):
    values = encode("y", (KINDS | TRUTHS)[name]).values
    again = from_json(from_bytes(to_bytes(to_json(values))))
    assert again.dtype.str == values.dtype.str
    assert again.tolist() == values.tolist()


def test_balanced_classes_have_equal_sums():
    encoded = encode("y", ["a", "a", "a", "b", "c", "c"])
    weights = np.array([1.0, 2.0, 0.0, 4.0, 1.0, 0.5])
    balanced = weights_of_classes("balanced", encoded, weights)
    np.testing.assert_allclose(np.bincount(encoded.codes, balanced), weights.sum() / 3)
    np.testing.assert_allclose(balanced[:2] / weights[:2], balanced[0])


@pytest.mark.parametrize(
    ("class_weight", "said"),
    [
        ("equal", "got 'equal'"),
        ([1.0, 2.0], r"got \[1\.0, 2\.0\]"),
        ({"a": 1.0, "d": 2.0}, "labels of y; got 'd'"),
        ({"a": -1.0}, r"got -1\.0 for 'a'"),
        ({"a": float("nan")}, "got nan for 'a'"),
        ({"a": "2"}, "got '2' for 'a'"),
        ({"a": True}, "got True for 'a'"),
    ],
)
def test_nonsense_weights_of_classes_are_named(class_weight, said):
    with pytest.raises(ParameterError, match=f"^class_weight must .*{said}"):
        weights_of_classes(class_weight, encode("y", ["a", "b"]), np.ones(2))
