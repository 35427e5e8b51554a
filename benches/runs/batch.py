"""What learning in batches does to accuracy.

    python benches/runs/batch.py gestures
    python benches/runs/batch.py FOLDER --every 2

Networks of the default recipe (HeNHeS) learn from the same clips one after the other and in batches
of some sizes, beside the same network before training; two persons are left out for each seed.
Prints one row per size: accuracy on those two, mean and least and greatest over seeds; mean rate
on the training clips after training; and the distance from the network that learned one after
the other, over how far that one came from where it began.
"""

import argparse
import statistics
from pathlib import Path

import hrsnn_rs as hr
import numpy as np
from hrsnn_rs.datasets.event_folder import load_folder
from hrsnn_rs.datasets.gesture_set import make_gestures
from hrsnn_rs.datasets.splits import split_for
from hrsnn_rs.network.presets import default_network
from tqdm import tqdm

N_WINDOWS, RATE = 4, 3.0


def clips(
    data: str, every: int, per_person: int | None
) -> tuple[list[hr.Events], np.ndarray, np.ndarray]:
    """Encoded clips, labels, and persons; `every` so many of a folder, or made-up gestures."""
    samples = (
        make_gestures()
        if data == "gestures"
        else load_folder(Path(data), clips_per_subject=per_person)
    )
    chosen = range(0, len(samples), every)
    first, _ = samples[0]
    encoder = hr.EventEncoder(first.height, first.width)
    events = [encoder(samples[i][0]) for i in tqdm(chosen, "read")]
    return events, samples.labels[::every], samples.groups[::every]


def measured(
    events: list[hr.Events],
    labels: np.ndarray,
    groups: np.ndarray,
    seed: int,
    n_neurons: int,
    batches: list[int],
) -> dict[int, tuple[float, float, float]]:
    """Accuracy, rate in Hz and relative distance for each size; 0 stands for no training."""
    training = split_for(groups, seed).training
    shown = [events[i] for i in np.flatnonzero(training)]
    start = default_network(events[0].n_channels, n_neurons=n_neurons, seed=seed)
    start.calibrate(shown, rate=RATE)
    seconds = sum(sample.duration for sample in shown) / 1e6
    before = start.recurrent_weights.data.astype(np.float64)
    found, one_by_one = {}, before
    for batch in [0, *batches]:
        network = start.copy()
        if batch:
            network.train(shown, batch=batch)
        after = network.recurrent_weights.data.astype(np.float64)
        if batch == 1:
            one_by_one = after
        way = np.linalg.norm(one_by_one - before)
        distance = float(np.linalg.norm(after - one_by_one) / way) if batch and way else np.nan
        counts = network.transform(events, n_windows=N_WINDOWS, windows="events")
        readout = hr.Readout().fit(counts[training], labels[training], groups=groups[training])
        accuracy = float(readout.score(counts[~training], labels[~training]))
        rate = float(counts[training].sum()) / n_neurons / seconds
        found[batch] = (accuracy, rate, distance)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", help="`gestures`, or a folder that `load_folder` reads")
    parser.add_argument("--every", type=int, default=1, help="take only every so-manieth clip")
    parser.add_argument("--clips-per-subject", type=int, help="where a number says who it is")
    parser.add_argument("--neurons", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 4, 16], help="1 comes first")
    options = parser.parse_args()
    if options.batch[0] != 1:
        parser.error("--batch must begin with 1, which the others are compared with")
    events, labels, groups = clips(options.data, options.every, options.clips_per_subject)
    rows = [
        measured(events, labels, groups, seed, options.neurons, options.batch)
        for seed in tqdm(range(options.seeds), "seeds")
    ]
    n_persons = len(np.unique(groups))
    print(f"{len(events)} clips of {n_persons} persons, {options.neurons} neurons")
    print("| batch | accuracy | least, greatest | rate, Hz | distance |")
    print("| --- | --- | --- | --- | --- |")
    for batch in rows[0]:
        accuracy, rate, distance = zip(*(row[batch] for row in rows), strict=True)
        name = batch or "untrained"
        print(
            f"| {name} | {statistics.mean(accuracy):.3f} | {min(accuracy):.3f},"
            f" {max(accuracy):.3f} | {statistics.mean(rate):.2f} |"
            f" {statistics.mean(distance):.3f} |"
        )


if __name__ == "__main__":
    main()
