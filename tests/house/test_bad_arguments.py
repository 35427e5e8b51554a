"""A wall against bad input: calls generated from the signatures of all public names."""

import importlib
import inspect

import bad_arguments
import hrsnn_rs as hr
import numpy as np
import pytest
from bad_arguments import BAD, arguments, targets
from dataset_arguments import PATHS_OF_DATASETS, VALID_DATASETS, dataset_targets
from figure_arguments import VALID_IN_FIGURES, figure_targets
from learning_arguments import learning_targets
from search_arguments import search_targets
from valid_arguments import VALID
from valid_learning import VALID_IN_LEARNING, VALID_IN_SEARCH
from wing_arguments import VALID_IN_WINGS, wing_targets

TARGETS = targets() | wing_targets() | dataset_targets() | figure_targets()
TARGETS |= learning_targets() | search_targets()
CALLS = [(name, argument) for name in TARGETS for argument in arguments(TARGETS[name])]
#: What a system call may answer: the path is fine, but there is nothing, or a folder.
PATHS = {
    *(f"{name}.path" for name in ("Network.load", "Network.save", "load_folder", "open_dataset")),
    *(f"{name}.path" for name in ("Simulation.load", "Simulation.save")),
    "Network.run.spikes_to",
    *(f"recordings.{name}.path" for name in ("iterate_aedat", "read_aedat", "summarize_aedat")),
    *(f"recordings.{name}.path" for name in ("Video", "read_events")),
    *PATHS_OF_DATASETS,
    "learning.LiveStream.load.path",
}
#: Arguments that others are made of, and that messages name with what they became.
BECOMES = {
    "network.default_network.recurrent_delay": "recurrent.delay",
    "network.default_network.w_recurrent": "recurrent.weight",
    "network.cut_patches.samples": "events must be Events",
}
#: scikit-learn's contract asks for its own TypeError where an array holds objects.
OBJECTS = {"Readout.fit.features", "HRSNNClassifier.fit.samples"}
#: Functions are called here, and what they raise is their own.
CALLED = {"datasets.EventFolder.count_events.progress", "report.demo_figures.make_network"}
#: Results, which users read and do not make.
RESULTS = {"Calibration", "RunResult", "RunStats"}
#: Why what is public in a wing is not called here.
UNTRIED = {
    "is given back, and not made by users": {
        "encoding": {"EncodingReport", "Track", "TrackingReport"},
        "made_up": {"CameraReport"},
        "recordings": {"AedatSummary"},
        "datasets": {"Folds", "Inspection", "Problem", "Split"},
        "learning": {"BesidePaper", "Features", "LiveScore", "Spread", "Summary"},
    },
    "is a base of others, which are called": {
        "description": {"Connectivity", "Distribution"},
        "encoding": {"SensorEncoder"},
        "datasets": {"Dataset", "EventSamples", "VideoDataset"},
    },
    "is a tuple, and is checked where it is used": {
        "network": {"Plane", "Tiling"},
        "datasets": {"Recording"},
        "report": {"ReportFigure"},
    },
    "is a part of a Gaussian process of scikit-learn's, whose kernels check nothing": {
        "search": {"WassersteinMatern"}
    },
    "needs neo, nir or pynwb, and has nonsense in tests of its own": {
        "network": {"from_neo", "from_nir", "from_nwb", "to_neo", "to_nir", "to_nwb"}
    },
}
#: Wings whose public names are all called here, or said above.
WINGS = (
    *("events", "description", "made_up", "recordings", "network", "encoding", "datasets"),
    *("learning", "search", "plotting", "report"),
)
#: What is valid, in the package and in its wings.
ALL_VALID = [
    *(*VALID.items(), *VALID_IN_WINGS.items(), *VALID_DATASETS.items()),
    *(*VALID_IN_FIGURES.items(), *VALID_IN_LEARNING.items(), *VALID_IN_SEARCH.items()),
]


def valid(call: str) -> set[str]:
    return {kind for kinds, calls in ALL_VALID if call in calls for kind in kinds}


def same(before: object, after: object) -> bool:
    if isinstance(before, np.ndarray):
        same_data = np.ma.getdata(before).tobytes() == np.ma.getdata(after).tobytes()
        return same_data and before.dtype == after.dtype and before.shape == after.shape
    return before is after or type(before) is type(after)


def outcome(name: str, argument: str, kind: str) -> str:
    """Empty if all is well, else what is wrong with this call."""
    target = TARGETS[name]
    value = before = BAD[kind]()
    if isinstance(value, np.ndarray):
        before = value.copy()
        value.setflags(write=False)  # who changes it is found out at once
    try:
        target.call(**{**target.good(), argument: value})
    except hr.HRSNNError as error:
        words = (argument, BECOMES.get(f"{name}.{argument}", argument), "/nowhere")
        named = any(word in str(error) for word in words) or f"{name}.{argument}" in PATHS
        wrong = "" if named and not isinstance(error, hr.InternalError) else f"said {error}"
    except OSError as error:
        is_path = f"{name}.{argument}" in PATHS or "/nowhere" in str(error)
        wrong = "" if is_path else f"raised {error!r}"
    except TypeError as error:
        allowed = OBJECTS | (CALLED if kind == "function" else set())
        wrong = "" if f"{name}.{argument}" in allowed else f"raised {error!r}"
    except Exception as error:
        wrong = f"raised {error!r}"
    else:
        wrong = "" if kind in valid(f"{name}.{argument}") else "accepted it"
    return wrong or ("" if same(before, value) else "changed it")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "argument"), CALLS)
def test_bad_arguments_are_refused_by_name(name, argument):
    wrong = {kind: outcome(name, argument, kind) for kind in BAD}
    assert {kind: text for kind, text in wrong.items() if text} == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_with_good_arguments_each_call_works(name):
    target = TARGETS[name]
    if "/nowhere" in "".join(map(str, target.good().values())):
        with pytest.raises((hr.FormatError, OSError), match="nowhere"):
            target.call(**target.good())
    else:
        target.call(**target.good())


@pytest.mark.parametrize("name", TARGETS)
def test_unknown_and_missing_arguments_are_type_errors(name):
    target = TARGETS[name]
    parameters = inspect.signature(target.call).parameters.values()
    # Options go to a data set that is only known once the folder has been looked at.
    takes_options = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    with pytest.raises(hr.HRSNNError if takes_options else TypeError):
        target.call(**target.good(), nonsense=1)
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    for missing in needed:
        given = {key: value for key, value in target.good().items() if key != missing}
        with pytest.raises(TypeError):
            target.call(**given)


def test_every_public_name_is_tried():
    names = {
        name
        for name in hr.__all__
        if callable(getattr(hr, name))
        and not (
            inspect.isclass(getattr(hr, name)) and issubclass(getattr(hr, name), BaseException)
        )
    }
    assert names - {name.partition(".")[0] for name in TARGETS} == RESULTS
    assert len(CALLS) * len(BAD) >= 300


@pytest.mark.parametrize("wing", WINGS)
def test_every_name_of_a_wing_is_tried(wing):
    module = importlib.import_module(f"hrsnn_rs.{wing}")
    names = {name for name in module.__all__ if callable(getattr(module, name))} - {*hr.__all__}
    tried = {name.split(".")[1] for name in TARGETS if name.partition(".")[0] == wing}
    untried = [table.get(wing, set()) for table in UNTRIED.values()]
    assert names - tried == set().union(*untried)


def test_what_is_valid_is_tried_and_not_everything():
    calls = {".".join(call) for call in CALLS}
    assert {call for _, several in ALL_VALID for call in several} <= calls
    assert {kind for kinds, _ in ALL_VALID for kind in kinds} < set(BAD)
    assert calls >= BECOMES.keys()


def test_a_silent_call_would_be_seen(monkeypatch):
    monkeypatch.setitem(
        TARGETS, "deaf", bad_arguments.Target(lambda tau_m: None, lambda: {"tau_m": 1.0})
    )
    assert outcome("deaf", "tau_m", "NaN") == "accepted it"

    def vague(tau_m: object) -> None:
        raise hr.ParameterError("something is wrong")

    monkeypatch.setitem(TARGETS, "vague", bad_arguments.Target(vague, dict))
    assert outcome("vague", "tau_m", "NaN") == "said something is wrong"
