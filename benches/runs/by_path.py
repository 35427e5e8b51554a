"""What `hrsnn train` and `hrsnn evaluate` reach with defaults, by a folder's path alone.

    python benches/runs/by_path.py FOLDER --seeds 3 --option 'subject=^([a-z]+)_'

Each person is left out in turn: a model is trained on all others and evaluated on that one, by the
commands as a user types them. What is after `--` goes to `hrsnn train`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from hrsnn_rs.datasets import open_dataset


def hrsnn(*words: str) -> dict:
    """Run a command and read what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "hrsnn_rs", *words, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("words", nargs="*", help="for `hrsnn train`")
    arguments = parser.parse_args()
    options = [word for option in arguments.option for word in ("--option", option)]
    dataset = open_dataset(arguments.data, **dict(one.split("=", 1) for one in arguments.option))
    persons = sorted({str(one) for one in dataset.subjects})
    means = []
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder, "model"))
        for seed in range(arguments.seeds):
            right = n_clips = 0.0
            for person in persons:
                rest = [one for one in persons if one != person]
                path = [str(arguments.data), *options]
                train = ["--model", model, "--seed", str(seed), *arguments.words]
                hrsnn("train", *path, *train, "--groups", *rest)
                row = hrsnn("evaluate", model, *path, "--groups", person)
                assert not row["seen_in_training"]
                right += row["accuracy"] * row["n_samples"]
                n_clips += row["n_samples"]
                print(f"seed {seed} {person} {row['accuracy']:.3f}", flush=True)
            means.append(right / n_clips)
            print(f"seed {seed} {means[-1]:.4f} of {n_clips:.0f} clips", flush=True)
    print(f"{len(means)} seeds: {np.mean(means):.4f}, from {min(means):.4f} to {max(means):.4f}")


if __name__ == "__main__":
    main()
