"""Nonsense in every argument of every constructor is refused by name; the rest is kept."""

import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
from hrsnn_rs import arguments
from hrsnn_rs.description import heterogeneity
from hrsnn_rs.description.connectivity import (
    DistanceConnectivity,
    FixedInDegreeConnectivity,
    RandomConnectivity,
    SmallWorldConnectivity,
)
from hrsnn_rs.description.explicit_connectivity import ExplicitConnectivity
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from hrsnn_rs.description.parameters import (
    LIF,
    STDP,
    AdaptiveThreshold,
    Constant,
    Distribution,
    Gamma,
    LogNormal,
    LogUniform,
    Normal,
    Uniform,
    constant_of_same_mean,
    resolve,
    resolve_lif,
    resolve_stdp,
)
from hrsnn_rs.errors import HRSNNError, ParameterError, ShapeError
from scipy import integrate, sparse, stats

NONSENSE = [
    math.nan,
    math.inf,
    -math.inf,
    10**400,
    "x",
    True,
    1j,
    object(),
    {},
    [[1.0]],
    [1.0, [2.0]],
    ["x"],
    [None],
    [math.nan],
    np.array([True]),
    b"x",
]
MATRIX = sparse.csr_array(np.array([[0.0, 1.0], [2.0, 0.0]]))

# Valid arguments of each constructor; where None or -1 has a meaning.
VALID = [
    (Constant, {"value": 1.0}, {"value": {-1}}),
    (
        Gamma,
        {"mean": 1.0, "shape": 3.0, "low": 0.1, "high": 5.0},
        {"low": {-1, None}, "high": {None}},
    ),
    (
        LogNormal,
        {"mean": 1.0, "std": 0.3, "low": 0.1, "high": 5.0},
        {"low": {-1, None}, "high": {None}},
    ),
    (LogUniform, {"low": 0.5, "high": 1.0}, {}),
    (Uniform, {"low": 0.0, "high": 1.0}, {"low": {-1}}),
    (
        Normal,
        {"mean": 0.0, "std": 2.0, "low": -2.0, "high": 2.0},
        {"mean": {-1}, "low": {-1, None}, "high": {-1, None}},
    ),
    (
        LIF,
        {
            "tau_m": 20.0,
            "v_rest": 0.0,
            "v_reset": 0.0,
            "v_threshold": 15.0,
            "t_ref": 2.0,
            "bias": 0.0,
            "tau_syn_ex": 5.0,
            "tau_syn_in": 10.0,
        },
        {"v_rest": {-1}, "v_reset": {-1}, "bias": {-1}},
    ),
    (
        STDP,
        {
            "a_plus": 0.01,
            "a_minus": 0.01,
            "tau_plus": 15.0,
            "tau_minus": 30.0,
            "w_min": 0.0,
            "w_max": 2.0,
            "mu_plus": 0.0,
            "mu_minus": 0.0,
            "pairing": "nearest",
            "inputs": True,
        },
        {"w_max": {None}, "inputs": {True}},
    ),
    (AdaptiveThreshold, {"theta_plus": 0.05, "tau_theta": 1e7}, {}),
    (
        RandomConnectivity,
        {
            "p": 0.1,
            "weight": 1.0,
            "delay": 1.0,
            "inhibitory_gain": 4.0,
            "allow_autapses": False,
        },
        {"delay": {None}, "allow_autapses": {True}},
    ),
    (
        FixedInDegreeConnectivity,
        {"k": 3, "weight": 1.0, "delay": 1.0, "inhibitory_gain": 4.0, "allow_autapses": False},
        {"delay": {None}, "allow_autapses": {True}},
    ),
    (
        SmallWorldConnectivity,
        {"k": 4, "p_rewire": 0.1, "weight": 1.0, "delay": 1.0, "inhibitory_gain": 4.0},
        {"delay": {None}},
    ),
    (
        DistanceConnectivity,
        {
            "grid": (2, 2, 2),
            "lambda_": 2.0,
            "c_ee": 0.3,
            "c_ei": 0.2,
            "c_ie": 0.4,
            "c_ii": 0.1,
            "weight": 1.0,
            "delay": 1.0,
            "inhibitory_gain": 4.0,
        },
        {"delay": {None}},
    ),
    (
        LocalRecurrence,
        {
            "sensor": (8, 8),
            "k": 4,
            "sigma": 6.0,
            "weight": 1.0,
            "delay": 1.0,
            "inhibitory_gain": 4.0,
        },
        {"delay": {None}, "sensor": {None}},
    ),
    (
        LocalConnectivity,
        {
            "sensor": (8, 8),
            "polarities": 2,
            "k": 4,
            "sigma": 1.5,
            "negative": 0.1,
            "weight": 1.0,
            "delay": 1.0,
        },
        {"delay": {None}, "sensor": {None}},
    ),
    (ExplicitConnectivity, {"matrix": MATRIX, "delay": 1.0}, {"delay": {None}}),
]
CASES = [
    pytest.param(make, valid, name, value, id=f"{make.__name__}-{name}-{value!r:.20}")
    for make, valid, meaningful in VALID
    for name in valid
    for value in [None, -1, *NONSENSE]
    if not any(value is allowed for allowed in meaningful.get(name, ()))
]


@pytest.mark.parametrize(("make", "valid", "name", "value"), CASES)
def test_nonsense_is_refused_by_name(make, valid, name, value):
    with pytest.raises(HRSNNError, match=rf"\b{name}\b"):
        make(**(valid | {name: value}))


@pytest.mark.parametrize(("make", "valid", "meaningful"), VALID)
def test_valid_arguments_make_an_object_that_pickles(make, valid, meaningful):
    made = make(**valid)
    assert repr(pickle.loads(pickle.dumps(made))) == repr(made)
    for name, values in meaningful.items():
        for value in values:
            make(**(valid | {name: value}))


@pytest.mark.parametrize(("make", "valid", "meaningful"), VALID)
def test_objects_are_frozen(make, valid, meaningful):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(make(**valid), next(iter(valid)), 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LIF(tau_m=-5.0), "tau_m must be greater than 0 ms; got -5.0."),
        (
            lambda: LIF(tau_m=[20.0] * 12 + [-5.0]),
            "tau_m must be greater than 0 ms; got -5.0 at neuron 12.",
        ),
        (lambda: LIF(tau_m=Constant(0.0)), "tau_m must be greater than 0 ms; got 0.0."),
        (
            lambda: LIF(v_reset=15.0),
            "v_reset must be less than v_threshold (15.0 mV); got 15.0 at neuron 0.",
        ),
        (
            lambda: STDP(a_plus=[0.1, -0.1]),
            "a_plus must be at least 0 mV; got -0.1 at synapse 1.",
        ),
        (
            lambda: STDP(w_min=1.0, w_max=1.0),
            "w_max must be greater than w_min (1.0 mV); got 1.0.",
        ),
        (
            lambda: STDP(w_min=-1.0, w_max=1.0),
            "w_min and w_max must not lie on two sides of 0 mV; got -1.0 and 1.0.",
        ),
        (lambda: STDP(pairing="all"), "pairing must be one of all_to_all, nearest; got 'all'."),
        (lambda: Gamma(mean=-1.0), "mean must be greater than 0; got -1.0."),
        (lambda: Uniform(2.0, 1.0), "high must be greater than low (2.0); got 1.0."),
        (lambda: LogUniform(2.0, 1.0), "high must be greater than low (2.0); got 1.0."),
        (lambda: LogUniform(0.0, 1.0), "low must be greater than 0; got 0.0."),
        (
            lambda: LogUniform(1e-300, 1e300),
            "high must be within 1.8e308 times low; got 1e+300.",
        ),
        (
            lambda: Gamma(1.0, low=100.0),
            "low and high must leave at least 0.001 of the law;"
            " got Gamma(mean=1.0, shape=3.0, low=100.0, high=None).",
        ),
        (lambda: RandomConnectivity(p=1.5), "p must be in [0, 1]; got 1.5."),
        (lambda: DistanceConnectivity(grid=(2, 2)), "grid must be 3 integers; got (2, 2)."),
        (
            lambda: LocalRecurrence(sensor=(0, 2)),
            "sensor must be at least 1; got 0.",
        ),
    ],
)
def test_messages(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "law",
    [
        Gamma(20.0, 3.0, low=5.0),
        Gamma(20.0, 0.5, low=1.0, high=40.0),
        LogNormal(20.0, 5.0, high=22.0),
        LogNormal(1.0, 3.0, low=-1.0, high=4.0),
        Normal(-2.0, 3.0, low=-1.0, high=9.0),
        Normal(0.0, 1.0, high=1.5),
    ],
)
def test_mean_drawn_is_the_integral(law):
    if isinstance(law, Gamma):
        full = stats.gamma(law.shape, scale=law.mean / law.shape)
    elif isinstance(law, LogNormal):
        sigma = math.sqrt(math.log1p((law.std / law.mean) ** 2))
        full = stats.lognorm(sigma, scale=law.mean * math.exp(-0.5 * sigma**2))
    else:
        full = stats.norm(law.mean, law.std)
    low = max(full.ppf(1e-13), -math.inf if law.low is None else law.low)
    high = full.isf(1e-13) if law.high is None else law.high
    moment = integrate.quad(lambda x: x * full.pdf(x), low, high, limit=500)[0]
    mass = integrate.quad(full.pdf, low, high, limit=500)[0]
    # quad's own tolerance is 1.5e-8 on each of the two integrals.
    assert law.mean_drawn == pytest.approx(moment / mass, rel=1e-6)


def test_means_without_truncation_are_those_asked_for():
    assert Gamma(20.0).mean_drawn == 20.0
    assert LogNormal(20.0, 5.0).mean_drawn == 20.0
    assert Normal(-2.0, 5.0).mean_drawn == -2.0
    assert Uniform(1.0, 2.0).mean == Uniform(1.0, 2.0).mean_drawn == 1.5
    assert LogUniform(1.0, math.e).mean == pytest.approx(math.e - 1.0, rel=1e-15)
    # Next to each other: the logarithm of their quotient has hardly a digit.
    assert LogUniform(0.1, 0.1 + 1e-15).mean == pytest.approx(0.1 + 5e-16, rel=1e-14)
    assert Constant(3.0).mean == Constant(3.0).mean_drawn == 3.0


def test_constant_of_same_mean():
    assert constant_of_same_mean(Gamma(20.0)) == Constant(20.0)
    law = Gamma(20.0, low=10.0)
    assert constant_of_same_mean(law) == Constant(law.mean_drawn)
    assert constant_of_same_mean([1.0, 3.0]) == Constant(2.0)
    assert constant_of_same_mean(5) == 5.0
    with pytest.raises(ParameterError, match="parameter must have a mean"):
        constant_of_same_mean([])
    with pytest.raises(ParameterError, match="value must be a finite number; got inf"):
        constant_of_same_mean([1.7e308, 1.7e308])


def test_homogeneous_keeps_what_is_not_heterogeneous():
    stdp = STDP(a_plus=Gamma(0.01), tau_minus=Uniform(1.0, 3.0), w_max=2.0, pairing="nearest")
    expected = STDP(a_plus=Constant(0.01), tau_minus=Constant(2.0), w_max=2.0, pairing="nearest")
    assert stdp.homogeneous() == expected


def test_arrays_are_copied_and_frozen():
    array = np.array([10.0, 20.0])
    lif = LIF(tau_m=array)
    array[0] = 99.0
    assert lif.tau_m.tolist() == [10.0, 20.0]
    with pytest.raises(ValueError, match="read-only"):
        lif.tau_m[0] = 1.0


def test_equality_and_hash():
    assert LIF(tau_m=[1.0, 2.0]) == LIF(tau_m=np.array([1, 2]))
    assert LIF(tau_m=[1.0, 2.0]) != LIF(tau_m=[1.0, 3.0])
    assert LIF(tau_m=[1.0, 1.0]) != LIF(tau_m=1.0)
    assert LIF() != STDP()
    assert len({Gamma(1.0), Gamma(1), Gamma(2.0)}) == 2


@pytest.mark.parametrize(
    "group",
    [
        LIF(),
        LIF(tau_m=Gamma(20.0, low=5.0), v_rest=[-1.0, 0.1 + 0.2]),
        STDP(a_plus=LogNormal(0.01, 0.002), a_minus=Normal(0.1, 0.01, low=0.0), w_max=3.0),
        AdaptiveThreshold(theta_plus=1),
    ],
)
def test_dictionaries_survive_json(group):
    assert type(group).from_dict(json.loads(json.dumps(group.to_dict()))) == group


@pytest.mark.parametrize(
    "law", [Constant(1), Gamma(2), LogNormal(1, 2), Uniform(1, 2), LogUniform(1, 2), Normal(0, 1)]
)
def test_laws_survive_json(law):
    assert Distribution.from_dict(json.loads(json.dumps(law.to_dict()))) == law


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({}, "kind"),
        ({"kind": "cauchy"}, "kind"),
        ({"kind": "gamma"}, "mean"),
        ({"kind": "gamma", "mean": 1.0, "std": 1.0}, "std"),
        ({"kind": "gamma", "mean": -1.0}, "mean"),
        ({"kind": []}, "kind"),
        (None, "content"),
        ([1], "content"),
    ],
)
def test_wrong_dictionaries_are_refused(content, word):
    with pytest.raises(ParameterError, match=word):
        Distribution.from_dict(content)
    if isinstance(content, dict):
        with pytest.raises(ParameterError, match=word):
            LIF.from_dict({"tau_m": content})


def test_unknown_argument_in_dictionary_is_refused():
    with pytest.raises(ParameterError, match="tau_x"):
        LIF.from_dict({"tau_x": 1.0})
    with pytest.raises(ParameterError, match="content"):
        LIF.from_dict(None)


def test_resolve_takes_numbers_arrays_and_laws():
    offsets = np.array([0, 2, 2, 3])
    assert resolve(2, "delay", offsets, 1).tolist() == [2.0, 2.0, 2.0]
    array = np.array([1, 2, 3])
    resolved = resolve(array, "delay", offsets, 1)
    assert resolved.tolist() == [1.0, 2.0, 3.0]
    assert resolved.flags.writeable
    drawn = resolve(Gamma(1.0), "delay", offsets, 1)
    assert drawn.tolist() == Gamma(1.0).sample(offsets, 1, "delay").tolist()
    assert drawn.tolist() != resolve(Gamma(1.0), "delay", offsets, 1, purpose="x").tolist()
    with pytest.raises(ShapeError, match=r"delay must have length 3; got length 2\."):
        resolve([1.0, 2.0], "delay", offsets, 1)


def test_resolve_lif_checks_what_was_drawn():
    values = resolve_lif(LIF(tau_m=Gamma(20.0)), 5, seed=1, purpose="neuron")
    names = {"tau_m", "v_rest", "v_reset", "v_threshold", "t_ref", "bias"}
    assert set(values) == names | {"tau_syn_ex", "tau_syn_in"}
    assert all(array.shape == (5,) and array.dtype == np.float64 for array in values.values())
    with pytest.raises(ParameterError, match=r"tau_m must be greater than 0 ms; got -.* at neuron"):
        resolve_lif(LIF(tau_m=Normal(0.0, 1.0)), 50, seed=1, purpose="neuron")
    with pytest.raises(ParameterError, match=r"v_rest must be less than v_threshold .* neuron 1\."):
        resolve_lif(LIF(v_rest=[0.0, 20.0]), 2, seed=1, purpose="neuron")
    with pytest.raises(ShapeError, match=r"t_ref must have length 3; got length 2\."):
        resolve_lif(LIF(t_ref=[1.0, 1.0]), 3, seed=1, purpose="neuron")
    with pytest.raises(ParameterError, match=r"n must be at least 0; got -1\."):
        resolve_lif(LIF(), -1, seed=1, purpose="neuron")


def test_resolve_stdp_checks_what_was_drawn():
    values = resolve_stdp(STDP(a_plus=Gamma(0.01)), [0, 2, 5], seed=1, purpose="stdp")
    assert {name: array.shape for name, array in values.items()} == dict.fromkeys(
        ["a_plus", "a_minus", "tau_plus", "tau_minus"], (5,)
    )
    with pytest.raises(ParameterError, match=r"tau_plus must be greater than 0 ms; .* at synapse"):
        resolve_stdp(STDP(tau_plus=Uniform(-1.0, 1.0)), [0, 50], seed=1, purpose="stdp")


@pytest.mark.parametrize(
    "offsets", [None, "x", [], [1], [0, 2, 1], [0.0, 1.0], [[0]], [0, math.nan], 5, [0, [1]]]
)
def test_wrong_offsets_are_refused(offsets):
    with pytest.raises(HRSNNError, match="offsets"):
        Gamma(1.0).sample(offsets, 1, "x")


@pytest.mark.parametrize("seed", [None, -1, 2**64, 1.5, "x", True])
def test_wrong_seeds_are_refused(seed):
    with pytest.raises(ParameterError, match="seed"):
        Gamma(1.0).sample([0, 1], seed, "x")
    with pytest.raises(ParameterError, match="seed"):
        RandomConnectivity(p=0.1).generate(2, 2, seed, "x")
    with pytest.raises(ParameterError, match="seed"):
        LocalRecurrence(sensor=(2, 2)).positions(3, seed)


def test_more_values_than_memory_is_an_error():
    with pytest.raises(MemoryError, match="offsets must be small enough"):
        Gamma(1.0).sample(np.array([0, 2**62]), 1, "x")
    with pytest.raises(ParameterError, match=r"offsets must be below 2\*\*63"):
        Gamma(1.0).sample(np.array([0, 2**63], dtype=np.uint64), 1, "x")


def test_numpy_scalars_are_numbers():
    assert arguments.check_number("x", np.float32(1.5)) == 1.5
    assert arguments.check_integer("x", np.uint8(3)) == 3


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float16(3.0), np.longdouble(3.0)])
def test_a_float_that_is_whole_is_a_whole_number(value):
    number = arguments.check_integer("x", value, 3, 3)
    assert (type(number), number) == (int, 3)


@pytest.mark.parametrize(
    "value",
    [3.5, math.nan, math.inf, np.float32(0.5), True, np.True_, "3", None, 3 + 0j, np.array(3), [3]],
)
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(ParameterError, match=r"^x must be a whole number µs; got "):
        arguments.check_integer("x", value, unit="µs")


def test_whole_numbers_keep_their_bounds():
    with pytest.raises(ParameterError, match=r"^x must be at least 2; got 1\.$"):
        arguments.check_integer("x", 1.0, 2, 3)
    with pytest.raises(ParameterError, match=r"^x must be at most 3 µs; got 4\.$"):
        arguments.check_integer("x", 4, 2, 3, unit="µs")
    with pytest.raises(ParameterError, match=f"^x must be at most {2**62 - 1}; got"):
        arguments.check_integer("x", 1e300)
    assert arguments.check_integer("x", 2**64 - 1, high=arguments.MOST_SEED) == 2**64 - 1


def test_numbers_keep_their_bounds():
    assert arguments.check_number("x", 1, *arguments.within(1.0, 2.0)) == 1.0
    assert arguments.check_number("x", 1e300, *arguments.within(1.0)) == 1e300
    for value in (0.5, 2.0, math.inf, math.nan, 10**400):
        with pytest.raises(ParameterError, match=r"^x must be at least 1 and below 2 Hz; got "):
            arguments.check_number("x", value, *arguments.within(1.0, 2.0, "Hz"))
    assert heterogeneity.check_parameter("x", np.array([1.0, 2.0])).tolist() == [1.0, 2.0]
