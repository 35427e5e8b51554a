"""`hrsnn train`: fit a classifier on a data set, and write it to a file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hrsnn_rs import _hrsnn
from hrsnn_rs.cli.options import (
    DATA_HELP,
    add_common_options,
    add_data_options,
    chosen_clips,
    class_names,
    count,
    data_name,
    encoded,
    open_data,
    positive,
)
from hrsnn_rs.cli.terminal import is_watched, print_row, usable_folder, writable
from hrsnn_rs.learning import (
    LAYERS,
    HRSNNClassifier,
    default_encoder,
    default_layer,
    library_commit,
)

if TYPE_CHECKING:
    import argparse


DESCRIPTION = "Train layers without labels, fit their readout, and save both."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--model", required=True, metavar="FILE", help="model to write")
    parser.add_argument(
        "--layers",
        choices=LAYERS,
        default="auto",
        help="features (the default): feature maps with shared weights; recurrent: a random "
        "recurrent network; stacked, both: the network on top of features, without or with their "
        "own counts",
    )
    parser.add_argument("--epochs", type=count, default=1, metavar="E", help="passes (1)")
    parser.add_argument(
        "--batch",
        type=positive,
        default=1,
        metavar="K",
        help="clips that learn side by side, an approximation (1: one after the other)",
    )
    parser.add_argument(
        "--neurons",
        type=positive,
        metavar="N",
        help="of the recurrent network (1000), where --layers has one",
    )
    parser.add_argument("--seed", type=count, default=0, metavar="S", help="seed (0)")
    parser.add_argument("--windows", type=positive, default=4, metavar="K", help="windows (4)")
    parser.add_argument("--groups", nargs="+", metavar="G", help="persons to train on (all)")
    parser.add_argument(
        "--checkpoint",
        metavar="DIR",
        help="keep the state of the recurrent network here; the same command goes on from it",
    )
    parser.add_argument(
        "--checkpoint-every", type=positive, metavar="N", help="samples (as many as take 30 s)"
    )
    add_data_options(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fit a classifier on a data set and save it."""
    model = Path(arguments.model)
    writable("--model", model)
    dataset = open_data(arguments)
    chosen, groups = chosen_clips(dataset, arguments.groups)
    names = class_names(dataset, chosen)
    first, _ = dataset[chosen[0]]
    encoder = default_encoder(first.height, first.width, is_video=dataset.is_video)
    layer = default_layer(encoder, is_video=dataset.is_video, seed=arguments.seed)
    has_features = arguments.layers != "recurrent"
    has_network = arguments.layers not in ("auto", "features")
    if not has_network:
        _leave_out_idle(arguments)
    if arguments.checkpoint is not None:
        usable_folder("--checkpoint", Path(arguments.checkpoint))
    classifier = HRSNNClassifier(
        encoder=encoder,
        feature_layer=layer if has_features else None,
        layers=arguments.layers,
        n_neurons=arguments.neurons,
        n_windows=arguments.windows,
        epochs=arguments.epochs,
        batch=arguments.batch,
        seed=arguments.seed,
        n_threads=arguments.threads,
        progress=is_watched(arguments.json),
        checkpoint=arguments.checkpoint,
        checkpoint_every=arguments.checkpoint_every,
    )
    events = encoded(dataset, chosen, encoder, arguments.json)
    classifier.fit(events, names, groups=groups)
    classifier.save(
        model,
        metadata={
            "dataset": data_name(arguments.data),
            "command": arguments.command_line,
            "version": _hrsnn.__version__,
            "commit": library_commit(),
        },
    )
    row = {
        "model": str(model),
        "dataset": data_name(arguments.data),
        "n_samples": len(events),
        "n_classes": len(classifier.classes_),
        "subjects_known": dataset.subjects_known,
        "groups": classifier.groups_,
        "layers": classifier.layers_,
        "encoder": type(encoder).__name__,
        "n_neurons": classifier.network_.n_neurons,
        "n_synapses": classifier.network_.n_synapses,
        "gain": classifier.network_.input_gain,
        "version": _hrsnn.__version__,
        "commit": library_commit(),
    }
    print_row(row, arguments.json)
    return 0


def _leave_out_idle(arguments: argparse.Namespace) -> None:
    """Name the options that are of a network alone, and take them as if they had not been given."""
    usual = {
        "neurons": None,
        "batch": 1,
        "epochs": min(arguments.epochs, 1),
        "checkpoint": None,
        "checkpoint_every": None,
    }
    idle = [name for name, value in usual.items() if getattr(arguments, name) != value]
    if not idle:
        return
    words = [f"--{name.replace('_', '-')}" for name in idle]
    warnings.warn(
        f"{', '.join(words)} {'are' if len(words) > 1 else 'is'} of no effect: --layers "
        f"{arguments.layers} is a feature layer without a network; --layers stacked puts one on "
        "top of it, --layers recurrent takes one in its place",
        UserWarning,
        stacklevel=3,
    )
    vars(arguments).update((name, usual[name]) for name in idle)
