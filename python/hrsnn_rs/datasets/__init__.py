"""Folders as people have them, opened by their path: what is in them, what is missing, who is who.

Not here: how one file is read (`recordings`), and what learns from it (`learning`). Knows
recordings and encoders, and no network.
"""

from hrsnn_rs.datasets.base import Dataset, Recording
from hrsnn_rs.datasets.doctor import inspect, open_dataset, told
from hrsnn_rs.datasets.dvs128_gesture import DVS128Gesture
from hrsnn_rs.datasets.event_folder import EventFolder, load_folder
from hrsnn_rs.datasets.folds import Folds, folds_for, usual_folds
from hrsnn_rs.datasets.gesture_set import GestureSet, make_gestures
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.datasets.kth import KTH
from hrsnn_rs.datasets.nmnist import NMNIST
from hrsnn_rs.datasets.samples import EventSamples, ReversedPairs, Subset, reversed_pairs
from hrsnn_rs.datasets.shd import SHD
from hrsnn_rs.datasets.splits import Split, leak, split_for, validation_groups
from hrsnn_rs.datasets.tonic_samples import TonicSamples, from_tonic
from hrsnn_rs.datasets.ucf11 import UCF11
from hrsnn_rs.datasets.ucf101 import UCF101
from hrsnn_rs.datasets.video_dataset import VideoDataset
from hrsnn_rs.datasets.video_folder import VideoFolder

__all__ = [
    "KTH",
    "NMNIST",
    "SHD",
    "UCF11",
    "UCF101",
    "DVS128Gesture",
    "Dataset",
    "EventFolder",
    "EventSamples",
    "Folds",
    "GestureSet",
    "Inspection",
    "Problem",
    "Recording",
    "ReversedPairs",
    "Split",
    "Subset",
    "TonicSamples",
    "VideoDataset",
    "VideoFolder",
    "folds_for",
    "from_tonic",
    "inspect",
    "leak",
    "load_folder",
    "make_gestures",
    "open_dataset",
    "reversed_pairs",
    "split_for",
    "told",
    "usual_folds",
    "validation_groups",
]
