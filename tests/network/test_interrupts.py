"""Ctrl-C: the answer comes within 200 ms, and the network is as usable as before."""

import os
import pickle
import signal
import threading
import time

import hrsnn_rs as hr
import numpy as np
import pytest
from interrupts import latency

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")

N_INPUTS = 200
#: Seconds that half of the answers may take, and any answer on a machine that is busy.
SOON, LATEST = 0.2, 1.5
LAW = hr.Gamma(mean=0.05, shape=3.0)


def network(n_neurons=1000) -> hr.Network:
    """Half a million synapses."""
    return hr.Network(
        N_INPUTS,
        n_neurons,
        inputs=hr.RandomConnectivity(p=0.05, weight=4.0),
        recurrent=hr.RandomConnectivity(p=0.5, weight=LAW),
        plasticity=hr.STDP(a_plus=hr.Gamma(mean=0.01, shape=3.0)),
        seed=1,
    )


def sample(duration=1_000_000) -> hr.Events:
    rng = np.random.default_rng(2)
    n = duration // 100
    t = np.sort(rng.integers(0, duration, n))
    return hr.Events(t, rng.integers(0, N_INPUTS, n), N_INPUTS, duration)


#: Seconds of work on any machine: what waits for it is interrupted long before its end.
LONG = sample(60_000_000)


@pytest.fixture(scope="module")
def net():
    return network()


WORK = {
    "making": lambda net: [network() for _ in range(4)],
    "run": lambda net: net.run(LONG),
    "learning": lambda net: net.copy().run(LONG, learn=True),
    "train": lambda net: net.copy().train([LONG] * 3),
    "transform": lambda net: net.transform([LONG] * 4, n_threads=2),
    "calibrate": lambda net: net.copy().calibrate([LONG] * 2, rate=20.0),
    "simulation": lambda net: hr.Simulation(net, LONG, learn=True).run(),
    "weights": lambda net: [net.recurrent_weights for _ in range(8)],
    "describe": lambda net: [net.describe() for _ in range(4)],
}


@pytest.mark.parametrize("name", WORK)
def test_an_answer_comes_soon(net, name):
    answers = []
    for after in (0.05, 0.11, 0.02):
        answer = latency(lambda: WORK[name](net), after)
        if answer is not None:
            answers.append(answer)
    assert answers
    assert np.median(answers) < SOON
    assert max(answers) < LATEST


def test_after_an_interruption_everything_works_as_before(net):
    twin, events = net.copy(), sample(300_000)
    spikes = net.run(events).spikes
    for work in (net.run, lambda s: net.transform([s] * 8), lambda s: net.run(s, learn=True)):
        assert latency(lambda work=work: work(LONG), 0.1) is not None
        # Learning is kept up to a window; running and transforming leave no trace.
        if work == net.run:
            assert net.run(events).spikes.equals(spikes)
    assert np.isfinite(net.recurrent_weights.data).all()
    net.train([events])
    twin.train([events])


def test_an_interrupted_calibration_leaves_the_gain(net):
    twin = net.copy()
    assert latency(lambda: twin.calibrate([LONG] * 8, rate=20.0), 0.3) is not None
    assert twin.input_gain == net.input_gain
    assert (twin.input_weights.data == net.input_weights.data).all()


@pytest.mark.parametrize("n_neurons", [600, 1500])
def test_an_interrupted_simulation_goes_on(tmp_path, n_neurons):
    # Fewer and more synapses than what is worth a thread that can be left alone.
    net = network(n_neurons)
    simulation, twin = (hr.Simulation(net, LONG, learn=True) for _ in range(2))
    for _ in range(3):
        before = simulation.t
        assert latency(simulation.run, 0.02) is not None
        assert before <= simulation.t < LONG.duration
        simulation.save(tmp_path / "half")
        simulation = hr.Simulation.load(tmp_path / "half")
    later = simulation.t + 200_000
    simulation.run_until(later)
    twin.run_until(later)
    assert simulation.result.spikes.equals(twin.result.spikes)
    assert (simulation.network.recurrent_weights.data == twin.network.recurrent_weights.data).all()


def test_waiting_for_a_network_that_another_thread_uses_can_be_interrupted(net):
    one = net.copy()
    # The longer samples are for machines that are through with the shorter ones too early.
    for duration in (2_000_000, 10_000_000, 60_000_000):
        events = sample(duration)
        other = threading.Thread(target=one.run, args=(events,), kwargs={"learn": True})
        other.start()
        time.sleep(0.05)
        answers = [latency(lambda: one.recurrent_weights, 0.1) for _ in range(2)]
        still_learning = other.is_alive()
        other.join()
        if still_learning:
            break
    assert still_learning
    assert all(answer is not None and answer < LATEST for answer in answers)


def test_a_handler_that_raises_something_else_is_heard(net):
    def complain(*_: object) -> None:
        raise LookupError("from the handler")

    before = signal.signal(signal.SIGALRM, complain)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(LookupError, match="from the handler"):
            net.run(LONG)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_handler_that_raises_nothing_disturbs_nothing(net):
    calls = []
    expected = net.run(sample()).spikes
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(os.getpid()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        spikes = net.run(sample()).spikes
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert calls
    assert spikes.equals(expected)


def raised_by(work, kind, after=0.1) -> BaseException | None:
    """What comes out of `work` if a handler raises `kind` in it."""

    def panic(*_: object) -> None:
        raise kind("made by a test")

    before = signal.signal(signal.SIGALRM, panic)
    try:
        signal.setitimer(signal.ITIMER_REAL, after)
        work()
    except BaseException as error:
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return None


@pytest.fixture(scope="module")
def panic(net):
    """Exception that a handler raises to make compiled code panic at will.

    PyO3 turns its own exception for panics back into a panic wherever it meets it. There are as
    many of that name as there are libraries made with it.
    """
    with pytest.raises(hr.ShapeError):
        net.run(hr.Events([0], [0], n_channels=1))
    hr.Network(1, 1).run(([0], [0]))
    kinds = [kind for kind in BaseException.__subclasses__() if kind.__name__ == "PanicException"]
    if not kinds:
        pytest.skip("PyO3 has not made its exception yet")
    for kind in kinds:
        if isinstance(raised_by(lambda: net.transform([LONG] * 2), kind), hr.InternalError):
            return kind
    pytest.fail("no panic became an InternalError")


def test_a_panic_is_an_internal_error_and_nothing_else_is_hurt(net, panic):
    expected = net.run(sample()).spikes
    for work in (lambda: net.run(LONG), lambda: net.transform([LONG] * 2)):
        error = raised_by(work, panic)
        assert isinstance(error, hr.InternalError)
        assert str(error) == "a bug of hrsnn_rs: made by a test"
    assert net.run(sample()).spikes.equals(expected)


#: Whatever looks at the state of a network, or changes it.
CALLS = {
    "run": lambda net: net.run(sample(10_000)),
    "learn": lambda net: net.run(sample(10_000), learn=True),
    "train": lambda net: net.train([sample(10_000)]),
    "train in batches": lambda net: net.train([sample(10_000)] * 2, batch=2),
    "transform": lambda net: net.transform([sample(10_000)] * 2),
    "calibrate": lambda net: net.calibrate([sample(10_000)]),
    "input_weights": lambda net: net.input_weights,
    "recurrent_weights": lambda net: net.recurrent_weights,
    "neuron_parameters": lambda net: net.neuron_parameters,
    "describe": lambda net: net.describe(),
    "copy": lambda net: net.copy(),
    "pickle": lambda net: pickle.dumps(net),
    "without_recurrence": lambda net: net.without_recurrence(),
}


@pytest.mark.parametrize("name", ["learn", "train", "train with checkpoints"])
def test_a_panic_while_learning_breaks_that_network_alone(net, panic, name, tmp_path):
    saved = tmp_path / "net.safetensors"
    net.save(saved)
    expected, weights = net.run(sample()).spikes, net.recurrent_weights.data
    one, checkpoints = net.copy(), tmp_path / "checkpoints"

    def samples():
        # Only now: before, the first checkpoint is written.
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        yield LONG

    work = {
        "learn": lambda: one.run(next(samples()), learn=True),
        "train": lambda: one.train(samples()),
        "train with checkpoints": lambda: one.train(samples(), checkpoint=checkpoints),
    }
    error = raised_by(work[name], panic, after=0.0)
    assert isinstance(error, hr.InternalError)
    assert str(error) == "a bug of hrsnn_rs: made by a test"
    calls = CALLS | {"save": lambda one: one.save(tmp_path / "broken.safetensors")}
    for call in calls.values():
        with pytest.raises(hr.InternalError, match=r"of no use any more.* load it or make it anew"):
            call(one)
    assert "Network(" in repr(one)
    for other in (net, hr.Network.load(saved)):
        assert other.run(sample()).spikes.equals(expected)
        assert (other.recurrent_weights.data == weights).all()
    if name == "train with checkpoints":
        # The one from before the sample.
        (checkpoint,) = checkpoints.glob("*.safetensors")
        assert (hr.Network.load(checkpoint).recurrent_weights.data == weights).all()


def test_a_panic_while_waiting_for_work_leaves_the_network_whole(net, panic):
    # A batch learns in threads of its own, which are told to stop; the panic is in who waits.
    one = net.copy()
    weights = one.recurrent_weights.data
    begin = time.perf_counter()
    error = raised_by(lambda: one.train([LONG] * 2, batch=2), panic)
    assert isinstance(error, hr.InternalError)
    assert (one.recurrent_weights.data == weights).all()
    assert time.perf_counter() - begin < LATEST
    for call in CALLS.values():
        call(one)
