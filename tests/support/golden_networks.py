"""The networks of rust/hrsnn-core/tests/golden, made and hashed in Python; no test lives here.

Run as a script it prints the hashes. The core's `tests/golden.rs` makes the same of the same file.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from hrsnn_rs import _hrsnn

FOLDER = Path(__file__).parent.parent.parent / "rust" / "hrsnn-core" / "tests" / "golden"
SEED = 7


def read(name: str) -> dict:
    return json.loads((FOLDER / name).read_text())


def merged(common, own):
    """Return `common` with what `own` has in place of it, section by section."""
    if not (isinstance(common, dict) and isinstance(own, dict)):
        return own
    return common | {name: merged(common[name], value) for name, value in own.items()}


def digest(*arrays: np.ndarray) -> str:
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    return sha.hexdigest()


class Plan:
    """One network to make."""

    def __init__(self, name: str, what: dict) -> None:
        self.name, self.what = name, what

    def uniform(self, low: float, high: float, n: int, name: str) -> np.ndarray:
        offsets = np.array([0, n])
        purpose = f"{self.name}/{name}"
        return _hrsnn.sample("uniform", [low, high], None, None, offsets, SEED, purpose)

    def values(self, value, n: int, name: str) -> np.ndarray:
        if isinstance(value, list):
            return self.uniform(*value, n, name)
        return np.full(n, float(value))

    def neurons(self) -> dict[str, np.ndarray]:
        n = self.what["n_neurons"]
        values = {k: self.values(v, n, k) for k, v in self.what["neurons"].items()}
        return {
            name: np.maximum(v, 0.0) if name.startswith("tau_syn") else v
            for name, v in values.items()
        }

    def synapses(self, name: str, n_rows: int) -> dict:
        """Draw synapses; sources with negative weights have no plastic ones."""
        what, n_neurons = self.what[name], self.what["n_neurons"]

        def unit(n: int, part: str) -> np.ndarray:
            return self.uniform(0.0, 1.0, n, f"{name}/{part}")

        there = unit(n_rows * n_neurons, "p").reshape(n_rows, n_neurons) < what["p"]
        source, target = np.nonzero(there)
        n = target.size
        negative = (unit(n_rows, "negative") < what["negative"])[source]
        weight = self.values(what["weight"], n, f"{name}/weight")
        plastic = (unit(n, "plastic") < what["plastic"]) & ~negative
        return {
            "indptr": np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64),
            "indices": target.astype(np.uint32),
            "weight": np.where(negative, -weight, weight),
            "delay": self.values(what["delay"], n, f"{name}/delay"),
            "plasticity": self.plasticity(name, plastic) if what["plastic"] > 0 else None,
        }

    def plasticity(self, name: str, plastic: np.ndarray) -> dict:
        what = dict(self.what["stdp"])
        nearest = what.pop("pairing") == "nearest"
        for part in ("a_plus", "a_minus", "tau_plus", "tau_minus"):
            what[part] = self.values(what[part], plastic.size, f"{name}/{part}")
        return what | {"plastic": plastic, "nearest": nearest}

    def network(self) -> _hrsnn.Network:
        n_neurons, adaptation = self.what["n_neurons"], self.what["adaptation"]
        return _hrsnn.Network(
            self.neurons(),
            self.synapses("inputs", self.what["n_inputs"]),
            self.synapses("recurrent", n_neurons),
            None if adaptation is None else (adaptation[0], adaptation[1]),
            self.targets("incoming"),
            self.what["dtype"],
            competition=self.competition(),
            incoming_inputs=self.targets("incoming_inputs"),
            norms=tuple(self.what["norms"]),
        )

    def targets(self, name: str) -> np.ndarray:
        what = self.what[name]
        return np.zeros(0) if what is None else self.values(what, self.what["n_neurons"], name)

    def competition(self) -> tuple[np.ndarray, float, int] | None:
        """Groups of one size, and every fourth of them none."""
        what = self.what["competition"]
        if what is None:
            return None
        group = np.arange(self.what["n_neurons"]) // what["size"]
        group[group % 4 == 3] = 2**32 - 1
        return group.astype(np.uint32), float(what["inhibition"]), what["hold_us"]

    def sample(self, k: int) -> tuple[np.ndarray, np.ndarray, int]:
        n, duration = self.what["events"], self.what["duration"]
        t = self.uniform(0.0, duration, n, f"t/{k}").astype(np.int64)
        channel = self.uniform(0.0, self.what["n_inputs"], n, f"channel/{k}").astype(np.uint32)
        return np.sort(t), channel, duration

    def hashes(self) -> dict:
        """Learn from all samples, then transform them."""
        network = self.network()
        samples = [self.sample(k) for k in range(self.what["samples"])]
        raster, counts = [], []
        for sample in samples:
            *spikes, count, _ = network.run(*sample, True, None)
            raster += spikes
            counts.append(count)
        features, _ = network.transform(samples, 3, False, True, 30.0, 1)
        total = np.sum(counts, axis=0)
        return {
            "n_spikes": int(total[0]),
            "n_weight_updates": int(total[4]),
            "spikes": digest(*raster),
            "input_weights": digest(network.synapses("inputs")["weight"]),
            "recurrent_weights": digest(network.synapses("recurrent")["weight"]),
            "theta": digest(network.theta()),
            "features": digest(features),
        }


def hashes() -> dict[str, dict]:
    networks = read("networks.json")
    return {
        name: Plan(name, merged(networks["common"], own)).hashes()
        for name, own in networks["networks"].items()
    }


if __name__ == "__main__":
    print(json.dumps(hashes()))
