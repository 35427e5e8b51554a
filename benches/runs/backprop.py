"""Features that learn without labels beside a recurrent spiking network trained by backpropagation.

    HRSNN_DATA=folder python benches/runs/backprop.py ours nmnist --output rows.parquet
    HRSNN_DATA=folder PYTHONPATH=python .venv-torch/bin/python \
        benches/runs/backprop.py backprop nmnist --output rows.parquet
    python benches/runs/backprop.py figure rows.parquet --figure backprop.png

Persons (of digits: folds) are left out in four parts. Of the others' clips a share is taken, the
same for all systems of a seed, each class alike. "ours" measures the default feature layer,
learned and drawn, a random recurrent network (untrained, and trained by heterogeneous STDP), and
pooled event counts. "backprop" measures a recurrent network of leaky integrate-and-fire neurons
of snnTorch with a surrogate gradient, and a convolutional network with a gated recurrent unit as
a ceiling. Both see the events in steps of equally many events, summed over 2 x 2 pixels. Their
number of epochs, learning rate and steps were set once, before anything was measured: see
`SETTINGS`. "figure" gives intervals over persons and seeds, and p after Holm's correction for all
differences of a data set. Rows go to the file as they come, and a run that was stopped goes on
there.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from recorded_clips import CAMERA, LOADERS, SIZE, pooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FRACTIONS = (0.1, 0.25, 0.5, 1.0)
#: Of both networks that are trained by backpropagation.
SETTINGS = {"n_neurons": 500, "steps": 24, "epochs": 30, "batch": 32, "rate": 2e-3}
N_PARTS = 4
OPPONENT = "backprop RSNN"
#: Of our systems, each beside what tells whether its learning is worth anything.
CONTROLS = (("HeNHeS", "recurrent, untrained"), ("learned features", "drawn features"))


class Split(NamedTuple):
    """Which clips are trained on and which are judged."""

    fraction: float
    part: int
    seed: int
    train: np.ndarray
    test: np.ndarray


class Outcome(NamedTuple):
    """What a system named, and what it took."""

    predicted: np.ndarray
    n_neurons: int
    n_synapses: int
    operations: float
    seconds: float


def splits(labels: np.ndarray, groups: np.ndarray, seeds: int) -> Iterator[Split]:
    """Leave out a quarter of the persons, and take a share of the other clips of each class."""
    names = np.unique(groups)
    for seed in range(seeds):
        for part in range(N_PARTS):
            out = np.isin(groups, names[part::N_PARTS])
            order = np.random.default_rng([seed, part]).permutation(np.flatnonzero(~out))
            for fraction in FRACTIONS:
                taken = [order[labels[order] == label] for label in np.unique(labels)]
                taken = [one[: max(2, round(fraction * len(one)))] for one in taken]
                train = np.sort(np.concatenate(taken))
                yield Split(fraction, part, seed, train, np.flatnonzero(out))


def read_out(table: np.ndarray, labels: np.ndarray, split: Split, scaling: str) -> np.ndarray:
    from hrsnn_rs.learning import Readout

    readout = Readout(scaling=scaling).fit(table[split.train], labels[split.train])
    return readout.predict(table[split.test])


def ours(clips: list, labels: np.ndarray) -> dict[str, Callable[[Split], Outcome]]:
    """Systems of this package; each gives what it named of the clips that were left out."""
    from hrsnn_rs.learning import FeatureLayer, window_counts
    from hrsnn_rs.network import default_network

    counted = np.stack([pooled(window_counts(clip, 4)) for clip in clips])

    def counts(split: Split) -> Outcome:
        return Outcome(read_out(counted, labels, split, "common"), 0, 0, 0.0, 0.0)

    def features(filters: str) -> Callable[[Split], Outcome]:
        def measure(split: Split) -> Outcome:
            begin = time.perf_counter()
            layer = FeatureLayer(filters=filters, seed=split.seed, **CAMERA)
            layer.fit([clips[k] for k in split.train])
            used = np.concatenate([split.train, split.test])
            found, stats = layer.transform_with_stats([clips[k] for k in used])
            table = np.zeros((len(clips), found.shape[1]), np.float32)
            table[used] = found
            network = layer.network_
            return Outcome(
                read_out(table, labels, split, "common"),
                network.n_neurons,
                network.n_synapses,
                float(np.mean([one.n_synaptic_operations for one in stats])),
                time.perf_counter() - begin,
            )

        return measure

    def recurrent(epochs: int) -> Callable[[Split], Outcome]:
        def measure(split: Split) -> Outcome:
            begin = time.perf_counter()
            network = default_network(
                2 * SIZE * SIZE, n_neurons=SETTINGS["n_neurons"], seed=split.seed
            )
            known = [clips[k] for k in split.train]
            network.calibrate(known, rate=3.0, n_samples=48)
            if epochs:
                network.train(known, epochs=epochs)
                network.calibrate(known, rate=3.0, n_samples=48)
            used = np.concatenate([split.train, split.test])
            found, stats = network.transform(
                [clips[k] for k in used], 4, windows="events", return_stats=True
            )
            table = np.zeros((len(clips), 4 * network.n_neurons), np.float32)
            table[used] = found.reshape(len(used), -1)
            return Outcome(
                read_out(table, labels, split, "each"),
                network.n_neurons,
                network.n_synapses,
                float(np.mean([one.n_synaptic_operations for one in stats])),
                time.perf_counter() - begin,
            )

        return measure

    return {
        "learned features": features("learned"),
        "drawn features": features("drawn"),
        "HeNHeS": recurrent(1),
        "recurrent, untrained": recurrent(0),
        "event counts": counts,
    }


def frames(clip: object, steps: int) -> np.ndarray:
    """Log counts in steps of equally many events and 2 x 2 pixels: (steps, 2, 16, 16)."""
    step = np.arange(len(clip)) * steps // max(len(clip), 1)
    cells = SIZE // 2
    plane, pixel = np.divmod(clip.channel.astype(np.int64), SIZE * SIZE)
    y, x = np.divmod(pixel, SIZE)
    channel = (plane * cells + y // 2) * cells + x // 2
    flat = np.bincount(step * 2 * cells**2 + channel, minlength=steps * 2 * cells**2)
    return np.log1p(flat.reshape(steps, 2, cells, cells)).astype(np.float32)


def backprop(clips: list, labels: np.ndarray) -> dict[str, Callable[[Split], Outcome]]:
    """Networks that are trained with labels, by gradients."""
    import torch
    from opponents import ConvGru, RecurrentLif

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    inputs = torch.from_numpy(np.stack([frames(clip, SETTINGS["steps"]) for clip in clips]))
    targets = torch.from_numpy(np.searchsorted(np.unique(labels), labels))

    def measure(kind: type) -> Callable[[Split], Outcome]:
        def trained(split: Split) -> Outcome:
            begin = time.perf_counter()
            torch.manual_seed(1000 * split.seed + split.part)
            model = kind(len(np.unique(labels)), SETTINGS["n_neurons"])
            optimizer = torch.optim.Adam(model.parameters(), lr=SETTINGS["rate"])
            # As many steps of the optimiser for few clips as for a half of them.
            batches = max(1, len(split.train) // SETTINGS["batch"])
            epochs = round(SETTINGS["epochs"] * max(1.0, 8 / batches))
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
            for _ in range(epochs):
                order = torch.from_numpy(split.train)[torch.randperm(len(split.train))]
                for some in order.split(SETTINGS["batch"]):
                    optimizer.zero_grad()
                    loss = torch.nn.functional.cross_entropy(model(inputs[some]), targets[some])
                    loss.backward()
                    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                    optimizer.step()
                schedule.step()
            with torch.no_grad():
                found = model(inputs[split.test]).argmax(1).numpy()
            return Outcome(
                np.unique(labels)[found],
                model.n_neurons,
                sum(one.numel() for one in model.parameters()),
                model.operations(inputs[split.test]),
                time.perf_counter() - begin,
            )

        return trained

    return {OPPONENT: measure(RecurrentLif), "CNN + GRU": measure(ConvGru)}


def measure(arguments: argparse.Namespace) -> None:
    """Measure what the file does not hold yet."""
    clips, labels, groups, _ = LOADERS[arguments.data](Path(os.environ["HRSNN_DATA"]))
    labels, groups = np.asarray(labels), np.asarray(groups)
    systems = {"ours": ours, "backprop": backprop}[arguments.what](clips, labels)
    path = arguments.output
    rows = pl.read_parquet(path) if path.exists() else pl.DataFrame()
    key = ["data", "system", "fraction", "part", "seed"]
    known = set(rows.select(key).unique().iter_rows()) if rows.height else set()
    for split in splits(labels, groups, arguments.seeds):
        for name in arguments.systems or systems:
            own = (arguments.data, name, split.fraction, split.part, split.seed)
            if own in known:
                continue
            outcome = systems[name](split)
            right = outcome.predicted == labels[split.test]
            print(*own, f"{right.mean():.3f} {outcome.seconds:.0f} s", flush=True)
            new = pl.DataFrame({"clip": split.test, "person": groups[split.test].astype(str)})
            new = new.with_columns(
                pl.Series("right", right),
                *[pl.lit(value).alias(column) for column, value in zip(key, own, strict=True)],
                n_train=pl.lit(len(split.train)),
                n_neurons=pl.lit(outcome.n_neurons),
                n_synapses=pl.lit(outcome.n_synapses),
                operations=pl.lit(outcome.operations),
                seconds=pl.lit(outcome.seconds),
            )
            # Two runs may write to one file in turn: what is there is read anew.
            rows = pl.read_parquet(path) if path.exists() else new.clear()
            pl.concat([rows, new]).write_parquet(path)


def print_differences(of: pl.DataFrame, names: list[str]) -> None:
    """Print each system beside the one trained by backpropagation, and ours beside its control."""
    from gaps import between, in_points
    from hrsnn_rs.learning import holm

    pairs = [(name, OPPONENT) for name in names if name != OPPONENT and OPPONENT in names]
    pairs += [pair for pair in CONTROLS if set(pair) <= set(names)]
    gaps = {
        (pair, share): gap
        for pair in pairs
        for share in FRACTIONS
        if (gap := between(of.filter(fraction=share), *pair))
    }
    judged = [key for key, gap in gaps.items() if gap.is_judged]
    corrected = dict(zip(judged, holm([gaps[key].p for key in judged]), strict=True))
    for pair in pairs:
        said = [
            in_points(gaps[pair, share])
            + (f", p {corrected[pair, share]:.2g}" if (pair, share) in corrected else "")
            if (pair, share) in gaps
            else ""
            for share in FRACTIONS
        ]
        print(f"| {' - '.join(pair)} | {' | '.join(said)} |")


def figure(arguments: argparse.Namespace) -> None:
    """Draw accuracy against clips, operations and seconds, and print the tables of the page."""
    import matplotlib.pyplot as plt

    rows = pl.concat([pl.read_parquet(path) for path in arguments.rows])
    sets = sorted(rows["data"].unique())
    colours = {name: f"C{n}" for n, name in enumerate(sorted(rows["system"].unique()))}
    _, axes = plt.subplots(2, len(sets), figsize=(5 * len(sets), 7), squeeze=False)
    for (above, below), data in zip(axes.T, sets, strict=True):
        of = rows.filter(pl.col("data") == data)
        names = sorted(of["system"].unique())
        print(f"\n{data}, {of['n_train'].max()} training clips")
        shares = " | ".join(f"{100 * share:.0f} %" for share in FRACTIONS)
        print(f"| system | seeds | {shares} | operations a clip | s |")
        for name in names:
            mine = of.filter(system=name)
            each = mine.group_by("fraction", "seed").agg(
                pl.mean("right", "n_train", "operations", "seconds")
            )
            found = each.group_by("fraction").agg(
                pl.mean("right", "n_train", "operations", "seconds"),
                pl.std("right").fill_null(0.0).alias("sd"),
            ).sort("fraction")  # fmt: skip
            above.errorbar(
                found["n_train"], found["right"], found["sd"], fmt="o-", label=name,
                color=colours[name], capsize=2,
            )  # fmt: skip
            last = found.row(-1, named=True)
            if last["operations"]:
                below.plot(last["operations"], last["right"], "o", color=colours[name])
            scores = " | ".join(f"{score:.3f}" for score in found["right"])
            print(
                f"| {name} | {mine['seed'].n_unique()} | {scores} "
                f"| {last['operations']:.3g} | {last['seconds']:.1f} |"
            )
        print_differences(of, names)
        above.set(xscale="log", title=data, xlabel="training clips", ylabel="accuracy")
        below.set(xscale="log", xlabel="synaptic operations a clip", ylabel="accuracy, all clips")
        above.legend(fontsize=7)
    plt.tight_layout()
    plt.savefig(arguments.figure, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="what", required=True)
    for what in ("ours", "backprop"):
        command = commands.add_parser(what)
        command.add_argument("data", choices=LOADERS)
        command.add_argument("--seeds", type=int, default=1)
        command.add_argument("--systems", nargs="+")
        command.add_argument("--output", type=Path, required=True)
    command = commands.add_parser("figure")
    command.add_argument("rows", type=Path, nargs="+")
    command.add_argument("--figure", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.what == "figure":
        figure(arguments)
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
