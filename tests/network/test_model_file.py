"""Model files: whatever a file says, it is loaded whole or refused."""

import json
import os
import struct
import time
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
import pytest
from crafted_files import HUGE, File, assembled, network, saved


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    return saved(tmp_path_factory.mktemp("model") / "net.safetensors")


def raw(text: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text)) + text + data


def changed(array: np.ndarray, index: int, value: float) -> np.ndarray:
    array = array.copy()
    array[index] = value
    return array


INDPTR, INDICES = "recurrent/indptr", "recurrent/indices"

#: What is wrong, the file, and a word of the message.
CRAFTED = {
    "empty": (lambda f: b"", "ends too early"),
    "seven bytes": (lambda f: b"\0" * 7, "ends too early"),
    "no header": (lambda f: struct.pack("<Q", 0), "header"),
    "header of 2^62": (lambda f: struct.pack("<Q", HUGE), str(HUGE)),
    "header of 2^64-1": (lambda f: struct.pack("<Q", 2**64 - 1), "allowed"),
    "header of 1 GB": (lambda f: struct.pack("<Q", 10**9), "allowed"),
    "header longer than file": (lambda f: struct.pack("<Q", 1000) + b"{}", "ends after"),
    "no JSON": (lambda f: raw(b"hello"), "header"),
    "no UTF-8": (lambda f: raw(b"\xff" * 64), "header"),
    "JSON list": (lambda f: raw(b"[]"), "header"),
    "deep lists": (lambda f: raw(b"[" * 500_000 + b"]" * 500_000), "header"),
    "deep objects": (lambda f: raw(b'{"a":' * 200_000 + b"1" + b"}" * 200_000), "header"),
    "unclosed": (lambda f: raw(b'{"a":{"dtype":"F64"'), "header"),
    "rubbish behind": (lambda f: raw(b"{} {}"), "header"),
    "nothing in it": (lambda f: raw(b"{}"), "no checksum"),
    "texts that are numbers": (lambda f: raw(b'{"__metadata__":{"a":1}}'), "header"),
    "shape of 2^62": (lambda f: f.lying(INDPTR, shape=[HUGE]), "header"),
    "shape that overflows": (lambda f: f.lying(INDPTR, shape=[HUGE, HUGE]), "header"),
    "shape that wraps to the right size": (
        lambda f: f.lying(INDPTR, shape=[2**61 + f.header[INDPTR]["shape"][0]]),
        "header",
    ),
    "negative shape": (lambda f: f.lying(INDPTR, shape=[-1]), "header"),
    "shape beyond 64 bits": (lambda f: f.lying(INDPTR, shape=[2**70]), "header"),
    "fractional shape": (lambda f: f.lying(INDPTR, shape=[1.5]), "header"),
    "shape of a million ones": (lambda f: f.lying(INDPTR, shape=[1] * 10**6), "allowed"),
    "offsets of 2^62": (lambda f: f.lying(INDPTR, data_offsets=[HUGE, HUGE + 72]), "header"),
    "offsets backwards": (lambda f: f.lying(INDPTR, data_offsets=[72, 0]), "header"),
    "offsets beyond the file": (
        lambda f: f.lying(INDPTR, data_offsets=[len(f.data), len(f.data) + 72]),
        "header",
    ),
    "overlap": (
        lambda f: f.lying(INDPTR, data_offsets=f.header["neuron/tau_m"]["data_offsets"]),
        "header",
    ),
    "hole": (
        lambda f: raw(
            json.dumps(
                f.header
                | {
                    "hole": {
                        "dtype": "U8",
                        "shape": [1],
                        "data_offsets": [len(f.data) + 8, len(f.data) + 9],
                    }
                }
            ).encode(),
            f.data + b"\0" * 9,
        ),
        "header",
    ),
    "bytes behind": (lambda f: assembled(f.header, f.data + b"\0"), "bytes of arrays"),
    "bytes missing": (lambda f: assembled(f.header, f.data[:-1]), "bytes of arrays"),
    "unknown element type": (lambda f: f.lying(INDPTR, dtype="F99"), "header"),
    "float16": (
        lambda f: assembled(
            {"__metadata__": f.texts, "a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}},
            b"\0\0",
        ),
        "element type",
    ),
    "wrong checksum": (
        lambda f: assembled(
            f.header | {"__metadata__": f.texts | {"checksum": "00000000"}}, f.data, right=False
        ),
        "checksum",
    ),
    "another format": (
        lambda f: assembled(f.header | {"__metadata__": f.texts | {"format": "other"}}, f.data),
        "not a model file",
    ),
    "a later version": (lambda f: f.told(format_version=2), "version 2"),
    "no version": (lambda f: f.told(format_version=None), "version None"),
    "deep JSON in a text": (
        lambda f: assembled(
            f.header | {"__metadata__": f.texts | {"header": "[" * 400_000 + "]" * 400_000}}, f.data
        ),
        "not JSON",
    ),
    "a text that is a list": (
        lambda f: assembled(f.header | {"__metadata__": f.texts | {"header": "[]"}}, f.data),
        "not an object",
    ),
    "a number of a million digits": (
        lambda f: assembled(
            f.header | {"__metadata__": f.texts | {"metadata": '{"a":' + "9" * 10**6 + "}"}}, f.data
        ),
        "not JSON",
    ),
    "a text too long": (
        lambda f: assembled(
            f.header
            | {"__metadata__": f.texts | {"metadata": json.dumps({"a": "x" * (2**20 + 1)})}},
            f.data,
        ),
        "longer",
    ),
    "indptr down": (
        lambda f: f.replaced(recurrent__indptr=changed(f.array(INDPTR), 2, -1)),
        "indptr",
    ),
    "indptr huge": (
        lambda f: f.replaced(recurrent__indptr=changed(f.array(INDPTR), 3, HUGE)),
        "indptr",
    ),
    "indptr not from 0": (lambda f: f.replaced(recurrent__indptr=f.array(INDPTR) + 1), "indptr"),
    "indptr empty": (lambda f: f.replaced(inputs__indptr=np.zeros(0, np.int64)), "indptr"),
    "indptr of other neurons": (
        lambda f: f.replaced(recurrent__indptr=f.array(INDPTR)[:-1]),
        "indptr",
    ),
    "indptr past the end": (
        lambda f: f.replaced(recurrent__indptr=changed(f.array(INDPTR), -1, 10**6)),
        "indptr",
    ),
    "index of N": (
        lambda f: f.replaced(recurrent__indices=changed(f.array(INDICES), -1, 8)),
        "indices",
    ),
    "index of 2^32-1": (
        lambda f: f.replaced(recurrent__indices=changed(f.array(INDICES), 0, 2**32 - 1)),
        "indices",
    ),
    "index twice": (
        lambda f: f.replaced(recurrent__indices=np.zeros_like(f.array(INDICES))),
        "indices",
    ),
    "an array is missing": (lambda f: f.replaced(neuron__tau_m=None), "neuron/tau_m is missing"),
    "an array is strange": (lambda f: f.replaced(neuron__x=np.zeros(8)), "neuron/x"),
    "of another type": (
        lambda f: f.replaced(neuron__tau_m=f.array("neuron/tau_m").astype(np.float32)),
        "neuron/tau_m",
    ),
    "of two dimensions": (
        lambda f: f.replaced(neuron__tau_m=f.array("neuron/tau_m").reshape(2, 4)),
        "neuron/tau_m",
    ),
    "of another length": (
        lambda f: f.replaced(neuron__bias=f.array("neuron/bias")[:-1]),
        "neuron/bias",
    ),
    "too few weights": (
        lambda f: f.replaced(recurrent__weight=f.array("recurrent/weight")[1:]),
        "recurrent/weight",
    ),
    "too many delays": (lambda f: f.replaced(recurrent__delay=np.ones(3)), "delay"),
    "NaN weight": (
        lambda f: f.replaced(recurrent__weight=changed(f.array("recurrent/weight"), 0, np.nan)),
        "recurrent",
    ),
    "infinite theta": (
        lambda f: f.replaced(neuron__theta=changed(f.array("neuron/theta"), 0, np.inf)),
        "theta",
    ),
    "negative tau_m": (
        lambda f: f.replaced(neuron__tau_m=changed(f.array("neuron/tau_m"), 1, -1.0)),
        "tau_m",
    ),
    "delay of 0": (
        lambda f: f.replaced(recurrent__delay=changed(f.array("recurrent/delay"), 0, 0.0)),
        "delay",
    ),
    "delay of NaN": (
        lambda f: f.replaced(recurrent__delay=changed(f.array("recurrent/delay"), 0, np.nan)),
        "delay",
    ),
    "delay of 1e300": (
        lambda f: f.replaced(recurrent__delay=changed(f.array("recurrent/delay"), 0, 1e300)),
        "delay",
    ),
    "truth of 2": (
        lambda f: f.replaced(neuron__inhibitory=changed(f.array("neuron/inhibitory"), 0, 2)),
        "inhibitory",
    ),
    "incoming of another length": (lambda f: f.replaced(incoming=np.ones(3)), "incoming"),
    "incoming of NaN": (
        lambda f: f.replaced(incoming=changed(f.array("incoming"), 0, np.nan)),
        "incoming",
    ),
    "no neurons": (
        lambda f: f.replaced(
            **{
                name.replace("/", "__"): f.array(name)[:0]
                for name in f.arrays()
                if "neuron" in name
            }
        ),
        "indptr",
    ),
    "gain of NaN": (lambda f: f.told(input_gain=float("nan")), "input_gain"),
    "gain of text": (lambda f: f.told(input_gain="1"), "input_gain"),
    "float16 precision": (lambda f: f.told(dtype="float16"), "dtype"),
    "plasticity of text": (lambda f: f.told(plasticity="all"), "attribute"),
    "plasticity without bounds": (lambda f: f.told(plasticity={"recurrent": {}}), "w_min"),
    "plasticity with huge bounds": (
        lambda f: f.told(
            plasticity={"recurrent": f.json["plasticity"]["recurrent"] | {"w_max": 10**400}}
        ),
        "int too large",
    ),
    "plasticity with bounds of NaN": (
        lambda f: f.told(
            plasticity={"recurrent": f.json["plasticity"]["recurrent"] | {"w_max": float("nan")}}
        ),
        "w_max",
    ),
    "arrays of STDP without STDP": (lambda f: f.told(plasticity={}), "recurrent/"),
    "threshold of text": (lambda f: f.told(adaptive_threshold="x"), ""),
    "threshold with a negative step": (
        lambda f: f.told(adaptive_threshold={"theta_plus": -1.0, "tau_theta": 1.0}),
        "theta_plus",
    ),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_files_are_refused(tmp_path, content, name):
    make, word = CRAFTED[name]
    path = tmp_path / "net.safetensors"
    path.write_bytes(make(File(content)))
    begin = time.process_time()
    with pytest.raises(hr.FormatError) as caught:
        hr.Network.load(path)
    assert str(caught.value).startswith(str(path))
    assert word in str(caught.value)
    assert time.process_time() - begin < 1.0


def test_there_are_enough_crafted_files_and_the_craft_is_right(tmp_path, content):
    assert len(CRAFTED) >= 40
    path = tmp_path / "net.safetensors"
    path.write_bytes(File(content).replaced())  # what was taken apart goes together again
    hr.Network.load(path)


def test_pipes_and_devices_are_refused_without_waiting(tmp_path):
    pipe = tmp_path / "pipe"
    if hasattr(os, "mkfifo"):
        os.mkfifo(pipe)
        with pytest.raises(hr.FormatError, match="not a regular file"):
            hr.Network.load(pipe)
    if Path("/dev/zero").exists():
        with pytest.raises(hr.FormatError, match="not a regular file"):
            hr.Network.load("/dev/zero")


@pytest.mark.parametrize("path", [None, 3, b"\0", "a\0b", [], 1.5])
def test_nonsense_for_a_path_is_refused(path):
    with pytest.raises((hr.HRSNNError, OSError, TypeError)):
        hr.Network.load(path)
    with pytest.raises((hr.HRSNNError, OSError, TypeError)):
        network().save(path)


def test_texts_that_could_not_be_loaded_are_not_saved(tmp_path):
    path = tmp_path / "net.safetensors"
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for metadata in ({"a": "x" * 2**20}, {"a": deep}, {"a": float("nan")}, {"a": {1, 2}}):
        with pytest.raises(hr.ParameterError, match="metadata"):
            network().save(path, metadata=metadata)
    assert not path.exists()
