"""What a feature layer that has learned is worth, beside drawn fields and event counts.

    HRSNN_DATA=folder python benches/runs/features.py nmnist --seeds 6
    HRSNN_DATA=folder python benches/runs/features.py weizmann --seeds 10 --first 100

Persons are left out one by one. Fields are learned twice for each seed, on either half of the
persons, and a person is tested with those of the half that it is not in: no field has seen it. All
systems have the same windows, pools and readout, and the layers as many spikes. Says how far the
first system is ahead of the others, in points with intervals over persons and seeds. Writes one row
for each clip, seed and system.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import polars as pl
from gaps import between, in_points
from hrsnn_rs import Events
from hrsnn_rs.learning import FeatureLayer, Readout, window_counts
from recorded_clips import LOADERS, pooled

SYSTEMS = ("learned", "drawn", "shuffled", "exemplars")


def left_out(features: dict, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Which clips are named rightly by a readout that has not seen their person.

    `features` has those to use for each person.
    """
    right = np.zeros(len(labels), bool)
    for group in np.unique(groups):
        test = groups == group
        table = features[group]
        readout = Readout(scaling="common").fit(table[~test], labels[~test], groups=groups[~test])
        right[test] = readout.predict(table[test]) == labels[test]
    return right


def layer_features(layer: FeatureLayer, clips: list[Events], groups: np.ndarray) -> tuple:
    """Features for each person from a layer that was fitted to the other half of the persons."""
    names = np.unique(groups)
    found, spikes, seconds, layers = {}, [], [], []
    for half in (names[0::2], names[1::2]):
        layer = layer.__class__(**layer.get_params())
        start = time.perf_counter()
        layer.fit([c for c, g in zip(clips, groups, strict=True) if g not in half])
        middle = time.perf_counter()
        table, stats = layer.transform_with_stats(clips)
        seconds += [middle - start, time.perf_counter() - middle]
        found |= dict.fromkeys(half.tolist(), table)
        spikes.append(np.mean([s.n_spikes for s in stats]))
        layers.append(layer)
    return found, float(np.mean(spikes)), seconds, layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=LOADERS)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=["learned", "drawn"])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    arguments = parser.parse_args()
    clips, labels, groups, settings = LOADERS[arguments.data](Path(os.environ["HRSNN_DATA"]))
    settings |= {k: eval(v) for k, v in (word.split("=", 1) for word in arguments.set)}
    groups, labels = np.asarray(groups), np.asarray(labels)
    n_windows = settings.get("n_windows", 4)
    counts = np.stack([pooled(window_counts(c, n_windows)) for c in clips])
    right = left_out(dict.fromkeys(np.unique(groups).tolist(), counts), labels, groups)
    print(f"counts {right.mean():.4f}  {np.mean([len(c) for c in clips]):.0f} events", flush=True)
    rows = [("counts", 0, i, groups[i], r) for i, r in enumerate(right)]
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        for system in arguments.systems:
            layer = FeatureLayer(filters=system, seed=seed, **settings)
            found, spikes, seconds, layers = layer_features(layer, clips, groups)
            right = left_out(found, labels, groups)
            rows += [(system, seed, i, groups[i], r) for i, r in enumerate(right)]
            print(
                f"{system} seed {seed} {right.mean():.4f}  {spikes:.0f} spikes,"
                f" suprathreshold {layers[0].calibration_.suprathreshold:.3f}, fit"
                f" {seconds[0]:.1f} s, {len(clips) / seconds[1]:.0f} clips/s",
                flush=True,
            )
    table = pl.DataFrame(rows, schema=["system", "seed", "clip", "person", "right"], orient="row")
    if arguments.output:
        table.write_parquet(arguments.output)
    print(table.group_by("system").agg(pl.mean("right")).sort("right"))
    first, *others = arguments.systems
    for other in (*others, "counts"):
        print(f"{first} - {other}: {in_points(between(table, first, other))}")


if __name__ == "__main__":
    main()
