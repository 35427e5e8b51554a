"""What sees labels and judges: readout, estimator, experiments, and the numbers that sum them up.

Not here: how events are read or encoded, and pictures. Knows all wings that make features, and no
command.
"""

from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.learning.clips import Clips
from hrsnn_rs.learning.comparison import (
    COMPARISON_SCHEMA,
    Summary,
    comparisons,
    difference,
    predictions,
    summarize,
    verdict,
)
from hrsnn_rs.learning.early import early_recognition
from hrsnn_rs.learning.experiment import ROW_SCHEMA, compare, library_commit
from hrsnn_rs.learning.feature_layer import FeatureLayer
from hrsnn_rs.learning.feature_parts import features_to_parquet
from hrsnn_rs.learning.feature_systems import FEATURE_SYSTEMS, feature_features
from hrsnn_rs.learning.homogeneous import best_homogeneous_features
from hrsnn_rs.learning.live import LiveStream
from hrsnn_rs.learning.live_score import LiveScore
from hrsnn_rs.learning.metrics import (
    accuracy,
    confusion_matrix,
    direction_accuracy,
    direction_scores,
    recall_of_classes,
)
from hrsnn_rs.learning.operations import synaptic_operations
from hrsnn_rs.learning.paper import CITATION, PAPER_SCHEMA, PUBLISHED, BesidePaper, beside_paper
from hrsnn_rs.learning.parallel import parallel_features, parallel_transform
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.recipes import default_encoder, default_layer
from hrsnn_rs.learning.settings import LAYERS
from hrsnn_rs.learning.statistics import (
    PairedDifference,
    Spread,
    holm,
    paired_difference,
    spread,
)
from hrsnn_rs.learning.systems import (
    CONTROLS,
    Features,
    count_features,
    network_features,
    window_counts,
)
from hrsnn_rs.learning.task_balance import measure_balance, useful_ranges
from hrsnn_rs.learning.task_direction import measure_direction
from hrsnn_rs.learning.task_interval import measure_interval, predict_interval
from hrsnn_rs.learning.task_kinds import measure_kinds
from hrsnn_rs.learning.task_memory import measure_memory
from hrsnn_rs.learning.task_order import measure_order
from hrsnn_rs.learning.task_speed import measure_speed
from hrsnn_rs.learning.task_sweeps import measure_sweep
from hrsnn_rs.learning.tasks import TASK_SCHEMA, best_constants, outcome, run_task
from hrsnn_rs.learning.transformer import HRSNNTransformer

__all__ = [
    "CITATION",
    "COMPARISON_SCHEMA",
    "CONTROLS",
    "FEATURE_SYSTEMS",
    "LAYERS",
    "PAPER_SCHEMA",
    "PUBLISHED",
    "ROW_SCHEMA",
    "TASK_SCHEMA",
    "BesidePaper",
    "Clips",
    "FeatureLayer",
    "Features",
    "HRSNNClassifier",
    "HRSNNTransformer",
    "LiveScore",
    "LiveStream",
    "PairedDifference",
    "Readout",
    "Spread",
    "Summary",
    "accuracy",
    "beside_paper",
    "best_constants",
    "best_homogeneous_features",
    "compare",
    "comparisons",
    "confusion_matrix",
    "count_features",
    "default_encoder",
    "default_layer",
    "difference",
    "direction_accuracy",
    "direction_scores",
    "early_recognition",
    "feature_features",
    "features_to_parquet",
    "holm",
    "library_commit",
    "measure_balance",
    "measure_direction",
    "measure_interval",
    "measure_kinds",
    "measure_memory",
    "measure_order",
    "measure_speed",
    "measure_sweep",
    "network_features",
    "outcome",
    "paired_difference",
    "parallel_features",
    "parallel_transform",
    "predict_interval",
    "predictions",
    "recall_of_classes",
    "run_task",
    "spread",
    "summarize",
    "synaptic_operations",
    "useful_ranges",
    "verdict",
    "window_counts",
]
