"""Good arguments of the names of the wings up to encoding, for test_bad_arguments."""

from functools import cache
from pathlib import Path
from typing import Any

import av
import hrsnn_rs as hr
import numpy as np
from aedat_files import write_aedat
from bad_arguments import Target
from hrsnn_rs import encoding, made_up, recordings
from hrsnn_rs import events as sources
from hrsnn_rs import network as networks
from hrsnn_rs.network import Plane


def aedat() -> str:
    if not Path("one.aedat").exists():
        write_aedat(Path("one.aedat"), [5, 70], [1, 2], [3, 4], [0, 1])
    return "one.aedat"


def npz() -> str:
    if not Path("one.npz").exists():
        np.savez("one.npz", t=[1, 4], x=[2, 0], y=[3, 1], p=[1, 0])
    return "one.npz"


@cache
def _still() -> bytes:
    """A file of one grey frame."""
    with av.open("still.avi", "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=64, height=48)
        frame = av.VideoFrame.from_ndarray(np.full((48, 64), 80, np.uint8), "gray")
        for packet in [*stream.encode(frame.reformat(format="yuv420p")), *stream.encode()]:
            container.mux(packet)
    return Path("still.avi").read_bytes()


def video() -> str:
    Path("one.avi").write_bytes(_still())
    return "one.avi"


def _camera() -> Any:
    return made_up.CameraRecording(hr.EventCamera(2, 3), sample=0)


def _see(frames: Any, times: Any) -> None:
    _camera().see(frames, times)


def _stop(duration: Any = None) -> Any:
    recording = _camera()
    recording.see(np.full((2, 2, 3), 128, np.uint8), [0, 1000])
    return recording.stop(duration)


def _look(
    path: Any, *, start: Any = 0, stop: Any = None, frame_size: Any = None, damaged: Any = "raise"
) -> None:
    with recordings.Video(path, start=start, stop=stop, frame_size=frame_size, damaged=damaged):
        pass


def _aedat_pieces(path: Any, max_events: Any = 1_000_000, *, sensor_size: Any = (128, 128)) -> None:
    list(recordings.iterate_aedat(path, max_events, sensor_size=sensor_size))


def _tables() -> encoding.TableEncoder:
    return encoding.TableEncoder([0.0, -1.0], [1.0, 1.0])


def of_events() -> dict[str, Target]:
    current = sources.InjectedCurrent
    return {
        "events.InjectedCurrent": Target(
            current, lambda: {"values": [2.0, 0.0], "edges": [10, 60, 90], "neurons": [1]}
        ),
        "events.InjectedCurrent.ramp": Target(
            current.ramp, lambda: {"first": 1.0, "last": 2.0, "start": 5.0, "stop": 9.0}
        ),
        "events.InjectedCurrent.step": Target(
            current.step, lambda: {"value": 1.0, "start": 5.0, "stop": 9.0}
        ),
        "events.InjectedCurrent.white_noise": Target(
            current.white_noise, lambda: {"std": 1.0, "start": 5.0, "stop": 9.0}
        ),
        "events.PoissonDrive": Target(sources.PoissonDrive, lambda: {"rates": [10.0, 30.0, 5.0]}),
        "events.PoissonDrive.events": Target(
            sources.PoissonDrive([10.0]).events, lambda: {"duration": 1000}
        ),
        "events.PoissonDrive.for_sample": Target(
            sources.PoissonDrive([10.0]).for_sample, lambda: {"number": 1}
        ),
        "events.as_events": Target(
            sources.as_events, lambda: {"events": ([5, 6], [0, 2]), "n_channels": 3}
        ),
    }


def of_recordings() -> dict[str, Target]:
    return {
        "made_up.CameraRecording": Target(
            made_up.CameraRecording, lambda: {"camera": hr.EventCamera(2, 3), "sample": 0}
        ),
        "made_up.CameraRecording.see": Target(
            _see, lambda: {"frames": np.full((2, 2, 3), 128, np.uint8), "times": [0, 1000]}
        ),
        "made_up.CameraRecording.stop": Target(_stop, dict),
        "made_up.render": Target(
            made_up.render, lambda: {"label": 0, "subject": 1, "size": 16, "duration": 20_000}
        ),
        "recordings.EventCache": Target(recordings.EventCache, lambda: {"path": "cache"}),
        "recordings.Video": Target(_look, lambda: {"path": video()}),
        "recordings.iterate_aedat": Target(_aedat_pieces, lambda: {"path": aedat()}),
        "recordings.read_aedat": Target(recordings.read_aedat, lambda: {"path": aedat()}),
        "recordings.summarize_aedat": Target(recordings.summarize_aedat, lambda: {"path": aedat()}),
        "recordings.read_events": Target(recordings.read_events, lambda: {"path": npz()}),
    }


def of_networks() -> dict[str, Target]:
    return {
        "network.cut_patches": Target(
            networks.cut_patches,
            lambda: {
                "samples": [hr.Events([10, 20, 30], [0, 1, 15], n_channels=16)],
                "n_samples": 1,
                "plane": Plane(4, 4, 1),
                "field": 3,
                "n_patches": 2,
                "most_events": 9,
                "seed": 0,
            },
        ),
        "network.default_inputs": Target(networks.default_inputs, dict),
        "network.default_network": Target(
            networks.default_network,
            lambda: {"n_inputs": 32, "sensor": (4, 4), "n_neurons": 10},
        ),
        "network.default_neuron": Target(networks.default_neuron, dict),
        "network.default_plasticity": Target(networks.default_plasticity, dict),
        "network.default_rule": Target(networks.default_rule, dict),
        "network.default_recurrent": Target(networks.default_recurrent, dict),
    }


def of_encoders() -> dict[str, Target]:
    fields, levels = encoding.GaussianFields, encoding.LevelCrossing
    return {
        "encoding.GaussianFields": Target(
            fields, lambda: {"n_columns": 1, "low": -1.0, "high": 1.0, "dt": 10.0}
        ),
        "encoding.GaussianFields.encode": Target(
            fields(1, -1.0, 1.0, 10.0).encode, lambda: {"series": [[0.0], [0.5]]}
        ),
        "encoding.LevelCrossing": Target(
            levels, lambda: {"n_columns": 1, "delta": 1.0, "dt": 10.0}
        ),
        "encoding.LevelCrossing.encode": Target(
            levels(1, 1.0, 10.0).encode, lambda: {"series": [[0.0], [2.5]]}
        ),
        "encoding.TableEncoder": Target(
            encoding.TableEncoder, lambda: {"low": [0.0, -1.0, 0.0], "high": [1.0, 1.0, 1.0]}
        ),
        "encoding.TableEncoder.encode": Target(_tables().encode, lambda: {"row": [0.0, 1.0]}),
        "encoding.TableEncoder.from_dict": Target(
            encoding.TableEncoder.from_dict, lambda: {"fields": _tables().to_dict()}
        ),
        "encoding.TableEncoder.of_rows": Target(
            encoding.TableEncoder.of_rows, lambda: {"rows": np.array([[0.0, 5.0], [1.0, 3.0]])}
        ),
    }


def wing_targets() -> dict[str, Target]:
    """Names of the wings up to encoding, with arguments that are fine."""
    return of_events() | of_recordings() | of_networks() | of_encoders()


#: What looks bad and is valid, as in valid_arguments.
VALID_IN_WINGS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("None",): (
        "events.InjectedCurrent.neurons",
        "events.InjectedCurrent.ramp.neurons",
        "events.InjectedCurrent.step.neurons",
        "events.InjectedCurrent.white_noise.neurons",
        "events.PoissonDrive.edges",
        "events.as_events.dt",
        "events.as_events.duration",
        "events.as_events.sensor_size",
        "made_up.CameraRecording.stop.duration",
        "network.default_network.axon_delay",
        "network.default_network.inputs",
        "network.default_network.neuron",
        "network.default_network.plasticity",
        "network.default_network.recurrent",
        "network.default_network.sensor",
        "recordings.Video.frame_size",
        "recordings.Video.stop",
        "recordings.read_aedat.stop",
        "recordings.read_events.sensor_size",
    ),
    ("None", "zero"): ("recordings.read_aedat.start",),
    ("None", "text"): ("recordings.EventCache.path",),
    ("None", "a half"): (
        "network.default_network.recurrent_delay",
        "network.default_network.tau_m",
    ),
    ("None", "zero", "a half"): ("network.default_network.w_recurrent",),
    ("zero",): (
        "events.InjectedCurrent.seed",
        "events.InjectedCurrent.white_noise.seed",
        "events.PoissonDrive.for_sample.number",
        "events.PoissonDrive.seed",
        "made_up.CameraRecording.sample",
        "made_up.render.label",
        "made_up.render.repeat",
        "made_up.render.seed",
        "made_up.render.subject",
        "network.cut_patches.seed",
        "network.default_network.seed",
        "recordings.Video.start",
    ),
    ("a half",): (
        "encoding.GaussianFields.dt",
        "encoding.GaussianFields.rate",
        "encoding.GaussianFields.width",
        "encoding.LevelCrossing.dt",
        "events.InjectedCurrent.ramp.every",
        "events.InjectedCurrent.white_noise.every",
    ),
    ("zero", "a half"): (
        "encoding.GaussianFields.dead_time",
        "encoding.LevelCrossing.dead_time",
        "events.InjectedCurrent.noise",
        "events.InjectedCurrent.ramp.start",
        "events.InjectedCurrent.step.start",
        "events.InjectedCurrent.white_noise.start",
        "events.InjectedCurrent.white_noise.std",
    ),
    ("minus one", "zero", "a half"): (
        "encoding.GaussianFields.low",
        "events.InjectedCurrent.ramp.first",
        "events.InjectedCurrent.ramp.last",
        "events.InjectedCurrent.step.value",
        "events.InjectedCurrent.white_noise.mean",
    ),
    ("zero", "a half", "huge"): ("encoding.GaussianFields.high",),
    ("a half", "huge"): ("encoding.LevelCrossing.delta",),
    ("negative array",): ("encoding.TableEncoder.low",),
    ("array of bool",): ("encoding.TableEncoder.encode.row",),
    ("2-d array",): ("encoding.TableEncoder.of_rows.rows",),
    ("wrong length",): ("events.PoissonDrive.rates",),
}
