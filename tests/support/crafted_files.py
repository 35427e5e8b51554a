"""Model files taken apart and put together as `save` never would: for tests of reading them."""

import contextlib
import json
import random
import struct
import zlib

import hrsnn_rs as hr
import numpy as np

HUGE = 2**62
DTYPES = {"F64": 8, "F32": 4, "I64": 8, "U32": 4, "U8": 1}


def network() -> hr.Network:
    return hr.Network(
        3,
        8,
        inputs=hr.RandomConnectivity(p=0.5, weight=9.0),
        recurrent=hr.RandomConnectivity(p=0.4, delay=hr.Uniform(1.0, 5.0)),
        plasticity=hr.STDP(a_plus=hr.Gamma(mean=0.1, shape=3.0)),
        adaptive_threshold=hr.AdaptiveThreshold(),
        normalize_weights=True,
        seed=3,
    )


def sample() -> hr.Events:
    return hr.Events([0, 1000, 5000], [0, 1, 2], n_channels=3, duration=20_000)


class File:
    """A model file taken apart, to be put together in ways that `save` never would."""

    def __init__(self, content: bytes) -> None:
        n = struct.unpack("<Q", content[:8])[0]
        self.header = json.loads(content[8 : 8 + n])
        self.data = content[8 + n :]
        self.texts = self.header["__metadata__"]
        self.json = json.loads(self.texts["header"])

    def array(self, name: str) -> np.ndarray:
        entry = self.header[name]
        kind = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "U32": "<u4", "U8": "u1"}[entry["dtype"]]
        start, end = entry["data_offsets"]
        return np.frombuffer(self.data[start:end], kind).reshape(entry["shape"]).copy()

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: self.array(name) for name in self.header if name != "__metadata__"}

    def replaced(self, **changes) -> bytes:
        """The file with other arrays, whole and with a checksum that is right."""
        arrays = self.arrays()
        for name, value in changes.items():
            name = name.replace("__", "/")
            if value is None:
                del arrays[name]
            else:
                arrays[name] = value
        kinds = {"<f8": "F64", "<f4": "F32", "<i8": "I64", "<u4": "U32", "|u1": "U8"}
        header, data = {}, b""
        for name, values in sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize):
            content = np.ascontiguousarray(values).tobytes()
            header[name] = {
                "dtype": kinds[values.dtype.str],
                "shape": list(values.shape),
                "data_offsets": [len(data), len(data) + len(content)],
            }
            data += content
        return assembled({**header, "__metadata__": self.texts}, data)

    def told(self, **changes) -> bytes:
        """The file with another header of the network."""
        self.texts["header"] = json.dumps(self.json | changes)
        return assembled(self.header, self.data)

    def lying(self, name: str, **changes) -> bytes:
        """The file with an array that is described otherwise; its checksum cannot be right."""
        self.header[name] |= changes
        return assembled(self.header, self.data)


def checksum(header: dict, data: bytes) -> str:
    """As snapshot.rs has it: texts and arrays by name, and then their bytes."""
    crc = 0
    for name, text in sorted(header.get("__metadata__", {}).items()):
        if name != "checksum":
            for word in (name, text):
                word = word.encode()
                crc = zlib.crc32(word, zlib.crc32(struct.pack("<Q", len(word)), crc))
    for name, entry in sorted(item for item in header.items() if item[0] != "__metadata__"):
        for word in (name, f"{entry['dtype']} {entry['shape']}"):
            word = word.encode()
            crc = zlib.crc32(word, zlib.crc32(struct.pack("<Q", len(word)), crc))
    return f"{zlib.crc32(data, crc):08x}"


def assembled(header: dict, data: bytes, *, right: bool = True) -> bytes:
    if right and "__metadata__" in header:
        with contextlib.suppress(KeyError, TypeError):
            header["__metadata__"]["checksum"] = checksum(header, data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def saved(path) -> bytes:
    """The content of a file with everything in it."""
    net = network()
    net.train([sample()])
    net.save(path, extra={"coef": np.eye(2)}, metadata={"note": 1})
    return path.read_bytes()


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Damage of one of six kinds; half of the files then get a checksum that is right."""
    damaged = bytearray(content)
    n_header = 8 + struct.unpack("<Q", content[:8])[0]
    kind = rng.randrange(6)
    for _ in range(rng.choice([1, 1, 2, 8])):
        end = n_header if rng.random() < 0.5 else len(damaged)
        place = rng.randrange(min(end, len(damaged)))
        if kind == 0:
            damaged[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            damaged[place] = rng.choice([0, 255, 128, 127, *b'"{}[],:-e19'])
        elif kind == 2:
            del damaged[place : place + rng.choice([1, 8, 100])]
        elif kind == 3:
            damaged[place:place] = bytes(rng.randrange(256) for _ in range(rng.choice([1, 8, 64])))
        elif kind == 4:
            size = rng.choice([4, 8])
            value = rng.choice([0, 1, 2**31, 2**32 - 1, HUGE, 2**63, 2**64 - 1])
            damaged[place : place + size] = struct.pack("<Q", value)[:size]
        else:
            del damaged[max(place, 1) :]
        if not damaged:
            break
    if rng.random() < 0.5:
        try:
            file = File(bytes(damaged))
            return assembled(file.header, file.data)
        except (ValueError, KeyError, TypeError, AttributeError, struct.error, MemoryError):
            pass
    return bytes(damaged)
