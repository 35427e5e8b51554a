"""What a recurrent layer adds on top of learned features, for recorded clips without a folder.

    HRSNN_DATA=folder python benches/runs/on_features.py nmnist --seeds 10 --output rows.parquet

As `hrsnn compare ... --layers stacked` has it: HeNHeS, the homogeneous network (with the best of
eight time constants, or that of the same mean), and the untrained one, on the maps of a feature
layer that is learned in each of four folds; the features alone stand beside them. Rows go to the
file as they come, and a run that was stopped goes on there.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from hrsnn_rs.cli.terminal import aligned
from hrsnn_rs.learning import Clips, compare, default_encoder
from hrsnn_rs.report.tables import format_comparisons, format_summary
from recorded_clips import LOADERS, SIZE


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(LOADERS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--homogeneous", choices=("mean", "best"), default="best")
    parser.add_argument("--rate", type=float, default=3.0, help="mean rate in Hz")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    events, labels, persons, _ = LOADERS[arguments.name](Path(os.environ["HRSNN_DATA"]))
    names, labels = np.unique(labels, return_inverse=True)
    clips = Clips(
        arguments.name, events, labels, persons, tuple(map(str, names)),
        encoder=default_encoder(SIZE, SIZE), is_video=arguments.name.startswith("weizmann"),
    )  # fmt: skip
    rows = compare(
        clips,
        range(arguments.seeds),
        ["HeNHeS", "HoNHoS"],
        ["untrained"],
        features=["features"],
        layers="stacked",
        folds=4,
        homogeneous=arguments.homogeneous,
        memory=False,
        n_neurons=500,
        rate=arguments.rate,
        output=arguments.output,
        n_threads=arguments.threads,
        progress=lambda done, total, what: print(f"{done}/{total} {what}", flush=True),
    )
    print(aligned(format_summary(rows)))
    print(aligned(format_comparisons(rows)))


if __name__ == "__main__":
    main()
