"""Calls of every public name with one argument made bad, generated from the signatures.

For test_bad_arguments, which makes the calls; what is valid of it stands in valid_arguments.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hrsnn_rs as hr
import numpy as np
import scipy.sparse as sp

#: What nobody means, by name. Functions, so that no call can spoil it for the next one.
BAD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "minus infinity": lambda: float("-inf"),
    "minus one": lambda: -1,
    "zero": lambda: 0,
    "a half": lambda: 0.5,
    "huge": lambda: 2**70,
    "huge float": lambda: 1e300,
    "True": lambda: True,
    "complex": lambda: 1j,
    "text": lambda: "text",
    "bytes": lambda: b"bytes",
    "object": lambda: object(),
    "function": lambda: len,
    "empty list": lambda: [],
    "empty dict": lambda: {},
    "ragged": lambda: [[1.0], [1.0, 2.0]],
    "0-d NaN": lambda: np.array(np.nan),
    "empty array": lambda: np.zeros(0),
    "array with NaN": lambda: np.array([1.0, np.nan, 2.0]),
    "array with infinity": lambda: np.array([1.0, np.inf, 2.0]),
    "negative array": lambda: np.array([-1.0, -2.0, -3.0]),
    "2-d array": lambda: np.ones((2, 3)),
    "3-d array": lambda: np.ones((2, 3, 2)),
    "wrong length": lambda: np.ones(7),
    "array of text": lambda: np.array(["a", "b"]),
    "array of objects": lambda: np.array([None, {}], dtype=object),
    "array of bool": lambda: np.array([True, False]),
    "array of complex": lambda: np.array([1j, 2.0]),
    "array of dates": lambda: np.array(["2020-01-01"], dtype="M8[us]"),
    "strided NaN": lambda: np.full(9, np.nan)[::3],
    "big-endian NaN": lambda: np.array([np.nan, 1.0]).astype(">f8"),
    "masked": lambda: np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
    "read-only NaN": lambda: np.frombuffer(np.full(3, np.nan).tobytes()),
}


@dataclass(frozen=True)
class Target:
    """A public name, and arguments with which it works."""

    call: Callable[..., Any]
    good: Callable[[], dict[str, Any]]


def events() -> hr.Events:
    return hr.Events([0, 10, 20], [0, 1, 2], n_channels=3, duration=1000)


def sensor_events() -> hr.SensorEvents:
    return hr.SensorEvents([0, 10], [0, 1], [1, 0], [1, 0], height=2, width=3)


def network() -> hr.Network:
    return hr.Network(
        3,
        5,
        inputs=hr.RandomConnectivity(p=1.0, weight=4.0),
        recurrent=hr.RandomConnectivity(p=0.5),
        plasticity=hr.STDP(),
    )


def matrix() -> sp.csr_array:
    return sp.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))


def _record(dtype: list[tuple[str, str]]) -> np.ndarray:
    return np.array([(5, 2, 0, 1), (9, 1, 1, 0)], dtype=dtype)


def structured() -> np.ndarray:
    return _record([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "?")])


def _fit_classifier(samples, y, groups=None, sample_weight=None, **settings) -> hr.HRSNNClassifier:
    return hr.HRSNNClassifier(**settings).fit(samples, y, groups, sample_weight)


_fit_classifier.__signature__ = inspect.Signature(
    [
        *list(inspect.signature(_fit_classifier).parameters.values())[:4],
        *inspect.signature(hr.HRSNNClassifier).parameters.values(),
    ]
)


def pixel_events() -> hr.Events:
    """Make flickering of a plane of 4 x 4 pixels."""
    return hr.Events(np.arange(64) * 3_000, np.arange(64) * 5 % 16, 16, duration=200_000)


def _fit_transformer(samples, **settings) -> hr.HRSNNTransformer:
    return hr.HRSNNTransformer(**settings).fit(samples)


def _fit_layer(X, **settings) -> hr.FeatureLayer:
    return hr.FeatureLayer(**settings).fit(X)


for _fit, _kind in ((_fit_transformer, hr.HRSNNTransformer), (_fit_layer, hr.FeatureLayer)):
    _fit.__signature__ = inspect.Signature(
        [
            *list(inspect.signature(_fit).parameters.values())[:1],
            *inspect.signature(_kind).parameters.values(),
        ]
    )


def simulation() -> hr.Simulation:
    return hr.Simulation(network(), events(), learn=True)


def _run_until(t: int, n_threads: int | None = None) -> None:
    simulation().run_until(t, n_threads=n_threads)


def many_events() -> hr.Events:
    t = np.arange(300) * 1000
    return hr.Events(t, np.arange(300) % 3, n_channels=3, duration=300_000)


def targets() -> dict[str, Target]:
    """Every public name with arguments that are fine."""
    net = network()
    return {
        "LIF": Target(hr.LIF, dict),
        "STDP": Target(hr.STDP, dict),
        "AdaptiveThreshold": Target(hr.AdaptiveThreshold, dict),
        "Competition": Target(hr.Competition, lambda: {"groups": [0, 0, 1]}),
        "Constant": Target(hr.Constant, lambda: {"value": 1.0}),
        "Gamma": Target(hr.Gamma, lambda: {"mean": 2.0, "low": 0.1, "high": 9.0}),
        "LogNormal": Target(hr.LogNormal, lambda: {"mean": 2.0, "std": 1.0}),
        "LogUniform": Target(hr.LogUniform, lambda: {"low": 0.5, "high": 2.0}),
        "Normal": Target(hr.Normal, lambda: {"mean": 2.0, "std": 1.0}),
        "Uniform": Target(hr.Uniform, lambda: {"low": 0.5, "high": 2.0}),
        "RandomConnectivity": Target(hr.RandomConnectivity, lambda: {"p": 0.5}),
        "FixedInDegreeConnectivity": Target(hr.FixedInDegreeConnectivity, lambda: {"k": 2}),
        "OneToOneConnectivity": Target(hr.OneToOneConnectivity, dict),
        "SmallWorldConnectivity": Target(
            hr.SmallWorldConnectivity, lambda: {"k": 2, "p_rewire": 0.1}
        ),
        "DistanceConnectivity": Target(hr.DistanceConnectivity, lambda: {"grid": (1, 2, 3)}),
        "LocalConnectivity": Target(hr.LocalConnectivity, lambda: {"sensor": (4, 4)}),
        "LocalRecurrence": Target(hr.LocalRecurrence, lambda: {"sensor": (4, 4)}),
        "ExplicitConnectivity": Target(hr.ExplicitConnectivity, lambda: {"matrix": matrix()}),
        "Network": Target(
            hr.Network,
            lambda: {
                "n_inputs": 3,
                "n_neurons": 5,
                "recurrent": hr.RandomConnectivity(p=0.5),
                "plasticity": hr.STDP(),
            },
        ),
        "Network.estimate_memory": Target(
            hr.Network.estimate_memory, lambda: {"n_inputs": 3, "n_neurons": 5}
        ),
        "Network.from_arrays": Target(
            hr.Network.from_arrays,
            lambda: {"inputs": matrix(), "recurrent": matrix(), "plasticity": hr.STDP()},
        ),
        "Network.from_populations": Target(
            hr.Network.from_populations,
            lambda: {
                "populations": [hr.Population("E", 5)],
                "projections": [hr.Projection("E", "E", hr.RandomConnectivity(p=0.5), hr.STDP())],
                "inputs": 3,
            },
        ),
        "Population": Target(hr.Population, lambda: {"name": "E", "n_neurons": 5}),
        "Projection": Target(
            hr.Projection,
            lambda: {"source": "E", "target": "I", "rule": hr.OneToOneConnectivity()},
        ),
        "Network.run": Target(net.run, lambda: {"events": events()}),
        "Network.train": Target(net.train, lambda: {"samples": [events()]}),
        "Network.transform": Target(net.transform, lambda: {"samples": [events()]}),
        "Network.calibrate": Target(
            net.calibrate, lambda: {"samples": [many_events()], "rate": 30.0}
        ),
        "Network.variant": Target(net.variant, lambda: {"name": "HoNHoS"}),
        "Network.load": Target(hr.Network.load, lambda: {"path": "/nowhere"}),
        "Network.save": Target(net.save, lambda: {"path": "/nowhere/net"}),
        "Simulation": Target(hr.Simulation, lambda: {"network": net, "events": events()}),
        "Simulation.run_until": Target(_run_until, lambda: {"t": 500}),
        "Simulation.run": Target(simulation().run, dict),
        "Simulation.save": Target(simulation().save, lambda: {"path": "/nowhere/half"}),
        "Simulation.load": Target(hr.Simulation.load, lambda: {"path": "/nowhere"}),
        "Events": Target(
            hr.Events, lambda: {"t": [0, 1, 2], "channel": [0, 1, 0], "n_channels": 3}
        ),
        "Events.from_structured": Target(
            hr.Events.from_structured,
            lambda: {"array": structured(), "sensor_size": (4, 4, 2)},
        ),
        "Events.from_raster": Target(
            hr.Events.from_raster, lambda: {"raster": np.ones((2, 3), int), "dt": 1.0}
        ),
        "Events.from_frame": Target(
            hr.Events.from_frame, lambda: {"frame": events().to_frame(), "n_channels": 3}
        ),
        "Events.quantized": Target(events().quantized, lambda: {"quantum": 1000}),
        "Events.poisson": Target(
            hr.Events.poisson, lambda: {"rates": [100.0, 50.0], "duration": 1000}
        ),
        "Events.concatenate": Target(hr.Events.concatenate, lambda: {"samples": [events()]}),
        "Events.merge": Target(hr.Events.merge, lambda: {"samples": [events()]}),
        "Events.shift": Target(events().shift, dict),
        "Events.select": Target(events().select, dict),
        "Events.from_sensor": Target(hr.Events.from_sensor, lambda: {"events": sensor_events()}),
        "SensorEvents": Target(
            hr.SensorEvents,
            lambda: {
                "t": [0, 1, 2],
                "x": [0, 1, 0],
                "y": [1, 0, 1],
                "p": [0, 1, 0],
                "height": 2,
                "width": 2,
            },
        ),
        "EventEncoder": Target(hr.EventEncoder, lambda: {"height": 64, "width": 64}),
        "EventEncoder.encode": Target(
            hr.EventEncoder(height=2, width=3, size=(2, 3)).encode,
            lambda: {"events": sensor_events()},
        ),
        "TrackingEncoder": Target(hr.TrackingEncoder, lambda: {"height": 64, "width": 64}),
        "TrackingEncoder.encode": Target(
            hr.TrackingEncoder(height=2, width=3).encode, lambda: {"events": sensor_events()}
        ),
        "EventCamera": Target(hr.EventCamera, lambda: {"height": 2, "width": 3}),
        "FrameDifference": Target(hr.FrameDifference, lambda: {"height": 10, "width": 10}),
        "FrameDifference.encode": Target(
            hr.FrameDifference(10, 10).encode, lambda: {"frames": np.zeros((3, 10, 10), np.uint8)}
        ),
        "TemporalContrast": Target(hr.TemporalContrast, lambda: {"camera": hr.EventCamera(64, 64)}),
        "Readout": Target(
            lambda alpha=1.0, compression="none", scaling="each", class_weight=None: hr.Readout(
                alpha, compression, scaling, class_weight
            ).fit(np.eye(6), [0, 1] * 3),
            dict,
        ),
        "Readout.fit": Target(
            lambda features, y, groups=None, sample_weight=None: hr.Readout().fit(
                features, y, groups, sample_weight
            ),
            lambda: {"features": np.eye(6), "y": [0, 1, 0, 1, 0, 1]},
        ),
        "HRSNNTransformer.fit": Target(
            _fit_transformer,
            lambda: {"samples": [events()] * 4, "network": network(), "n_windows": 2, "rate": None},
        ),
        "FeatureLayer.fit": Target(
            _fit_layer,
            lambda: {
                "X": [pixel_events()] * 4,
                "plane": (4, 4),
                "polarities": 1,
                "n_features": 2,
                "n_patches": 10,
                "spikes": 5.0,
            },
        ),
        "HRSNNClassifier.fit": Target(
            _fit_classifier,
            lambda: {
                "samples": [events()] * 4,
                "y": [0, 1, 0, 1],
                "network": network(),
                "n_windows": 2,
                "rate": None,
            },
        ),
        "make_gestures": Target(
            hr.make_gestures, lambda: {"n_subjects": 2, "n_repeats": 1, "size": 16}
        ),
        "load_folder": Target(hr.load_folder, lambda: {"path": "/nowhere"}),
        "open_dataset": Target(hr.open_dataset, lambda: {"path": "/nowhere"}),
        "reversed_pairs": Target(
            hr.reversed_pairs, lambda: {"samples": hr.make_gestures(2, 1, size=16)}
        ),
    }


def arguments(target: Target) -> list[str]:
    """Names of all arguments, from the signature."""
    return list(inspect.signature(target.call).parameters)
