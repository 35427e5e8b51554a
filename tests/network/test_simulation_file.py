"""Simulation files: whatever a file says, it is loaded whole and goes on, or it is refused."""

import json
import random
import sys
import time
from pathlib import Path

import damaged_files
import hrsnn_rs as hr
import numpy as np
import pytest
from crafted_files import File, assembled
from crafted_files import network as small_network
from hrsnn_rs.events import PoissonDrive

T = 7_300


def network() -> hr.Network:
    """Currents, a drive, and synapses of both sources that learn: nothing that moves is missing."""
    return hr.Network(
        3,
        8,
        neuron=hr.LIF(bias=hr.Uniform(0.0, 25.0), tau_syn_ex=3.0),
        inputs=hr.RandomConnectivity(p=0.5, weight=9.0),
        recurrent=hr.RandomConnectivity(p=0.4, delay=hr.Uniform(1.0, 5.0)),
        plasticity=hr.STDP(a_plus=hr.Gamma(mean=0.1, shape=3.0), inputs=True, w_max=12.0),
        adaptive_threshold=hr.AdaptiveThreshold(),
        normalize_weights=True,
        seed=3,
    )


def sample() -> hr.Events:
    t = np.arange(0, 20_000, 500)
    return hr.Events(t, np.arange(t.size) % 3, n_channels=3, duration=20_000)


def saved(path: Path) -> bytes:
    simulation = hr.Simulation(network(), sample(), learn=True)
    simulation.run_until(T)
    simulation.save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    return saved(tmp_path_factory.mktemp("simulation") / "half.safetensors")


def changed(array: np.ndarray, index: int, value: float) -> np.ndarray:
    array = array.copy()
    array[index] = value
    return array


def noted(file: File, **changes) -> bytes:
    """The file with another text of the simulation; what is None is left out."""
    fields = json.loads(file.texts["simulation"]) | changes
    fields = {name: value for name, value in fields.items() if value is not None}
    file.texts["simulation"] = json.dumps(fields)
    return assembled(file.header, file.data)


def array(name: str, index: int, value: float):
    """Craft a file with one other element."""
    key = name.replace("/", "__")
    return lambda f: f.replaced(**{key: changed(f.array(name), index, value)})


def shorter(name: str):
    return lambda f: f.replaced(**{name.replace("/", "__"): f.array(name)[:-1]})


#: What is wrong, the file, and a word of the message.
CRAFTED = {
    "a later version": (lambda f: noted(f, format_version=2), "version 2"),
    "no text": (
        lambda f: assembled(
            {
                **f.header,
                "__metadata__": {k: v for k, v in f.texts.items() if k != "simulation"},
            },
            f.data,
        ),
        "simulation is missing",
    ),
    "learn of 1": (lambda f: noted(f, learn=1), "learn must be true or false; got 1"),
    "no is_over": (lambda f: noted(f, is_over=None), "is_over must be true or false"),
    "over too early": (lambda f: noted(f, is_over=True), "t must be the duration (20000 µs)"),
    "t after the end": (lambda f: noted(f, t=20_001), "t must be between 0"),
    "negative t": (lambda f: noted(f, t=-1), "t must be a whole number"),
    "t of 2^63": (lambda f: noted(f, t=2**63), "t must be a whole number"),
    "fractional t": (lambda f: noted(f, t=1.5), "t must be a whole number"),
    "earlier t": (lambda f: noted(f, t=10), "spike_t must be at least 0 and below 10 µs"),
    "later t": (lambda f: noted(f, t=T + 5_000), "crossing must be -1 or at least"),
    "no duration": (lambda f: noted(f, duration=None), "duration must be"),
    "a short duration": (lambda f: noted(f, duration=9_000), "duration"),
    "a duration of 2^62": (lambda f: noted(f, duration=2**62), "duration"),
    "settled in the future": (
        lambda f: noted(f, settled=T + 1),
        f"settled must be between 0 and {T}",
    ),
    "settled where nothing learns": (
        lambda f: noted(f, learn=False, settled=5),
        "settled must be between 0 and 0",
    ),
    "unsettled beyond the spikes": (
        lambda f: noted(f, unsettled=10**6),
        "unsettled must be at most",
    ),
    "a count of 2^63 - 1": (lambda f: noted(f, n_weight_updates=2**63 - 1), "n_weight_updates"),
    "drawn events without a drive": (lambda f: noted(f, n_drawn=1), "n_drawn must be 0 where"),
    "a negative number of drawn events": (lambda f: noted(f, n_drawn=-1), "n_drawn must be a"),
    "wall_time of text": (lambda f: noted(f, wall_time="1"), "wall_time"),
    "negative wall_time": (lambda f: noted(f, wall_time=-1.0), "wall_time"),
    "traces where nothing learns": (lambda f: noted(f, learn=False), "x must have length 0"),
    "events backwards": (array("events/t", 2, 0), "t must not decrease"),
    "an event too late": (
        array("events/t", -1, 20_000),
        "duration must be greater than the last t",
    ),
    "a negative event": (array("events/t", 0, -3), "at event 0"),
    "a channel too many": (array("events/channel", 3, 3), "got 3 at event 3"),
    "too few channels": (shorter("events/channel"), "channel must have"),
    "no v": (lambda f: f.replaced(state__v=None), "state/v is missing"),
    "v in another precision": (
        lambda f: f.replaced(state__v=f.array("state/v").astype(np.float64)),
        "state/v must be a list of float32",
    ),
    "v of two dimensions": (
        lambda f: f.replaced(state__v=f.array("state/v").reshape(2, 4)),
        "state/v must be a list",
    ),
    "a strange array": (lambda f: f.replaced(state__z=np.zeros(8)), "state/z is not an array"),
    "a strange event": (lambda f: f.replaced(events__p=np.zeros(8)), "events/p is not an array"),
    "a strange array of the network": (lambda f: f.replaced(z=np.zeros(8)), "z is not an array"),
    "v of NaN": (array("state/v", 2, np.nan), "got NaN at neuron 2"),
    "v of infinity": (array("state/v", 2, -np.inf), "v must be between"),
    "v of 1e35": (array("state/v", 2, 1e35), "v must be between"),
    "since too late": (array("state/since", 1, T + 10**7), "since must be between"),
    "since too early": (array("state/since", 1, -1), "since must be between"),
    "charge of NaN": (array("state/charge_ex", 0, np.nan), "charge_ex must be between 0"),
    "negative charge": (array("state/charge_ex", 0, -1.0), "charge_ex must be between 0"),
    "charge without current": (array("state/charge_in", 0, -1.0), "charge_in must be 0 mV"),
    "charge from the future": (array("state/charge_since", 0, T + 1), "charge_since must be"),
    "crossing in the past": (array("state/crossing", 3, T - 1), f"-1 or at least {T} µs"),
    "crossing before time": (array("state/crossing", 3, -2), "crossing must be"),
    "x of NaN": (array("state/inputs/x", 0, np.nan), "inputs/x must be"),
    "x below 0": (array("state/inputs/x", 0, -0.5), "inputs/x must be"),
    "y of infinity": (array("state/recurrent/y", 0, np.inf), "recurrent/y must be"),
    "too few traces": (shorter("state/recurrent/y"), "recurrent/y must have length"),
    "too few neurons": (shorter("state/crossing"), "crossing must have length 8; got length 7"),
    "too few charges": (shorter("state/charge_in"), "charge_in must have length"),
    "a spike of neuron N": (array("state/spike_neuron", 0, 8), "got 8 at spike 0"),
    "a spike now": (array("state/spike_t", -1, T), "spike_t must be at least 0 and below"),
    "a spike twice": (
        lambda f: f.replaced(
            state__spike_t=np.repeat(f.array("state/spike_t"), 2),
            state__spike_neuron=np.repeat(f.array("state/spike_neuron"), 2),
        ),
        "above the one before",
    ),
    "too few spikes": (shorter("state/spike_t"), "spike_neuron must have length"),
    "NaN weight": (array("recurrent/weight", 0, np.nan), "recurrent"),
    "a later version of the network": (lambda f: f.told(format_version=2), "version 2"),
    "gain of NaN": (lambda f: f.told(input_gain=float("nan")), "input_gain"),
    "float16 precision": (lambda f: f.told(dtype="float16"), "dtype must be 'float32' or"),
    "unknown precision": (lambda f: f.told(dtype="{loat32"), "dtype must be 'float32' or"),
    "precision of a list": (lambda f: f.told(dtype=["float32"]), "dtype must be 'float32' or"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_files_are_refused(tmp_path, content, name):
    make, word = CRAFTED[name]
    path = tmp_path / "half.safetensors"
    path.write_bytes(make(File(content)))
    begin = time.process_time()
    with pytest.raises(hr.FormatError) as caught:
        hr.Simulation.load(path)
    assert str(caught.value).startswith(str(path))
    assert word in str(caught.value)
    assert time.process_time() - begin < 1.0


def test_the_craft_is_right(tmp_path, content):
    path = tmp_path / "half.safetensors"
    path.write_bytes(File(content).replaced())  # what was taken apart goes together again
    file = File(content)
    zeros = {name for name in file.header if "state/" in name and not file.array(name).any()}
    assert zeros == {"state/charge_in"}  # inhibition has no current here
    simulation = hr.Simulation(network(), sample(), learn=True)
    again = hr.Simulation.load(path)
    assert again.run().spikes.equals(simulation.run().spikes)


def test_what_a_drive_gave_is_told_and_counted_where_a_file_is_too_old_to_tell(tmp_path):
    path = tmp_path / "half.safetensors"
    drive = PoissonDrive([300.0, 0.0, 200.0], seed=4)
    simulation = hr.Simulation(network(), sample(), learn=True, drive=drive)
    simulation.run_until(T)
    simulation.save(path)
    reached, content = simulation.result.stats.n_input_events, path.read_bytes()
    assert hr.Simulation.load(path).result.stats.n_input_events == reached
    end = simulation.run().stats.n_input_events
    path.write_bytes(noted(File(content), n_drawn=None))
    older = hr.Simulation.load(path)
    assert older.result.stats.n_input_events == reached
    assert older.run().stats.n_input_events == end
    # It is what the file says, and not drawn anew: that would take as long as the past is.
    path.write_bytes(noted(File(content), n_drawn=7))
    given = sum(t < T for t in sample().t)
    assert hr.Simulation.load(path).result.stats.n_input_events == given + 7


def test_each_file_is_read_by_its_own_class(tmp_path, content):
    half, net = tmp_path / "half.safetensors", tmp_path / "net.safetensors"
    half.write_bytes(content)
    network().save(net)
    with pytest.raises(hr.FormatError, match=r"not a model file .* a simulation, which Simulation"):
        hr.Network.load(half)
    with pytest.raises(hr.FormatError, match=r"not a simulation .* a model file, which Network"):
        hr.Simulation.load(net)


def mutate(source: str, n: int, seed: int) -> dict[str, float]:
    def first(simulation: hr.Simulation) -> None:
        simulation.run()

    def use(simulation: hr.Simulation) -> None:
        simulation.network.recurrent_weights.check_format()
        simulation.run_until(min(simulation.duration, simulation.t + 20_000))

    return damaged_files.mutate(Path(source), n, seed, hr.Simulation.load, first, use)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux")
def test_mutated_files_are_refused_or_go_on(tmp_path):
    path = tmp_path / "half.safetensors"
    saved(path)
    told = damaged_files.mutations(__file__, path, 300, seed=6)
    assert told["refused"] + told["loaded"] == 300
    assert told["refused"] > 150
    assert told["loaded"] > 0
    assert told["slowest"] < 1.0
    assert told["memory"] < 64e6


#: What is put where a number was: bounds, and beyond them.
NUMBERS = {
    "f": [0.0, -0.0, -1.0, 1.0, 1e-300, 1e14, 1e29, -1e29, 1e300, np.inf, -np.inf, np.nan],
    "i": [0, -1, 1, T - 1, T, T + 1, 2**31, 2**50, 2**62, 2**63 - 1, -(2**63)],
    "u": [0, 1, 7, 8, 2**31, 2**32 - 1],
}


@pytest.mark.filterwarnings("ignore:overflow")
def test_any_number_anywhere_is_refused_or_goes_on(tmp_path, content):
    path, rng = tmp_path / "half.safetensors", random.Random(8)
    names = [name for name in File(content).header if name.startswith(("state/", "events/"))]
    refused, slowest = [], 0.0
    for _ in range(300):
        file, name = File(content), rng.choice(names)
        values = file.array(name)
        for _ in range(rng.choice([1, 1, 3])):
            number = np.array(rng.choice(NUMBERS[values.dtype.kind])).astype(values.dtype)
            values[rng.randrange(values.size)] = number
        path.write_bytes(file.replaced(**{name.replace("/", "__"): values}))
        begin = time.process_time()
        try:
            simulation = hr.Simulation.load(path)
        except hr.FormatError as error:
            refused.append(str(error))
        else:
            simulation.run()
            assert np.isfinite(simulation.network.recurrent_weights.data).all()
        slowest = max(slowest, time.process_time() - begin)
    assert 100 < len(refused) < 290
    assert all(error.startswith(str(path)) for error in refused)
    assert slowest < 1.0


def test_a_file_of_a_network_without_currents_or_learning_is_small(tmp_path):
    path = tmp_path / "half.safetensors"
    simulation = hr.Simulation(small_network(), sample())
    simulation.run_until(T)
    simulation.save(path)
    file = File(path.read_bytes())
    for name in ("charge_ex", "charge_in", "charge_since", "inputs/x", "recurrent/y"):
        assert file.array(f"state/{name}").size == 0
    assert hr.Simulation.load(path).run().spikes.equals(simulation.run().spikes)
