"""Samples, and folds, shared out over processes and machines, by joblib's interface.

Who does the work is what `joblib.parallel_config` says: processes of this machine (`loky`), or
workers of a dask cluster (`dask`). Nothing starts by itself. Invariant: a task runs one sample at a
time with one thread, so that no core has two, and no feature depends on who ran it.
"""

from __future__ import annotations

import hashlib
import itertools
import pickle
import warnings
from collections.abc import Sized
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.learning.estimator_input import check_samples, is_table, taken_apart
from hrsnn_rs.learning.fitted_as import check_as_fitted
from hrsnn_rs.network.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

#: Parts for each worker in a round.
_ROUND = 8
#: Of this process as a worker: the model that it had last, by the hash of its bytes.
_HELD: dict[str, Any] = {}


def parallel_transform(
    network: Network, samples: Iterable[Any], n_windows: int = 1, *, batch: int = 32, **options: Any
) -> NDArray[Any]:
    """Give what `Network.transform` gives, from the workers that joblib is told to use.

    Parameters
    ----------
    network : Network
        Not changed. It travels once to each worker.
    samples : iterable
        As for `Network.transform`; an iterator is read as the work goes on. Of a data set only
        names travel: each worker reads its own.
    n_windows : int, default=1
        Windows that each sample is cut into.
    batch : int, default=32
        Samples of a task.
    **options
        Further ones of `Network.transform`, but for `n_threads`, `progress`, `return_stats` and
        `drive`.

    Returns
    -------
    float32 ndarray of shape (n_samples, n_windows, n_neurons)
        The bits of `Network.transform`, whoever ran it.

    Raises
    ------
    ParameterError, ShapeError
        As for `Network.transform`; the index is that in the task.

    Examples
    --------
    >>> import joblib
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.learning import parallel_transform
    >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    >>> with joblib.parallel_config(backend="threading", n_jobs=2):
    ...     parallel_transform(network, [([100, 5000], [0, 0])] * 3, batch=2).shape
    (3, 1, 5)
    """
    if not isinstance(network, Network):
        raise ParameterError(f"network must be a Network; got {network!r}.")
    options = checked_options(network, {**options, "n_windows": n_windows})
    parts = _shared_out(network, "transform", samples, batch, options)
    return np.concatenate(parts) if parts else network.transform([], **options)


def parallel_features(
    classifier: HRSNNClassifier, samples: Any, *, batch: int = 32
) -> NDArray[Any]:
    """Give what a fitted classifier's `window_features` gives, from the workers of joblib.

    Parameters
    ----------
    classifier : HRSNNClassifier
        Fitted. Not changed. It travels once to each worker.
    samples : data set, or iterable
        As for `parallel_transform`; samples are encoded by the workers too.
    batch : int, default=32
        Samples of a task.

    Returns
    -------
    ndarray of shape (n_samples, n_windows, n_neurons)
        What `classifier.readout_.predict` takes; the bits of `window_features`.

    Raises
    ------
    ParameterError, ShapeError
        As for `window_features`, and if there is no sample.

    Examples
    --------
    >>> import joblib
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.learning import HRSNNClassifier, parallel_features
    >>> from hrsnn_rs.network import default_network
    >>> gestures = make_gestures(2, 1, duration=400_000)
    >>> classifier = HRSNNClassifier(network=default_network(n_neurons=40), epochs=0)
    >>> with joblib.parallel_config(backend="threading", n_jobs=2):
    ...     parallel_features(classifier.fit(gestures), gestures, batch=8).shape
    (22, 4, 40)
    """
    if not isinstance(classifier, HRSNNClassifier):
        raise ParameterError(f"classifier must be a HRSNNClassifier; got {classifier!r}.")
    check_as_fitted(classifier)
    parts = _shared_out(classifier, "window_features", samples, batch, {})
    return np.concatenate(parts) if parts else classifier.window_features(samples)


def checked_options(network: Network, options: dict[str, Any]) -> dict[str, Any]:
    """Give options of `Network.transform` as workers take them: one thread, and all allowed."""
    for name in options.keys() & {"n_threads", "progress", "return_stats", "drive"}:
        raise ParameterError(f"{name} must be left out; got {options[name]!r}.")
    network.transform([], **options, n_threads=1)
    return {**options, "n_threads": 1}


def _shared_out(
    model: Any, method: str, samples: Any, batch: int, options: dict[str, Any]
) -> list[NDArray[Any]]:
    """Let workers call a method of a model for one batch after the other, in order."""
    from joblib import Parallel, delayed

    batch = check_integer("batch", batch, 1)
    content, key = _content(model)
    sent = _sent(content, key)
    found = Parallel(batch_size=1)(
        delayed(_one_task)(sent, key, method, one, options)
        for one in enumerate(parts_of(samples, batch))
    )
    return [features for _, features in found]


def work_on(
    model: Any, method: str, parts: Iterable[Any], options: dict[str, Any]
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Let workers call a method of a model for each part, and yield what is done as it is done.

    Parameters
    ----------
    model : Network or HRSNNClassifier
        Not changed. It travels once to each worker.
    method : str
        Of the model; takes samples and `options`.
    parts : iterable
        As `parts_of` gives them. Few are read ahead of those that are done.
    options : dict
        Of the method.

    Yields
    ------
    place : int
        Of a part among the parts.
    found : ndarray
        What the method gave for it.

    Raises
    ------
    ParameterError
        If joblib's backend gives nothing before all is done.
    """
    from joblib import Parallel, delayed, effective_n_jobs
    from joblib.parallel import get_active_backend

    backend = get_active_backend()[0]
    if not backend.supports_return_generator:
        raise ParameterError(
            "joblib's backend must be one that gives results as they come, such as loky, threading "
            f"or dask; got {type(backend).__name__}."
        )
    content, key = _content(model)
    sent = _sent(content, key)
    numbered = enumerate(parts)
    # In rounds, since joblib asks for parts as fast as workers are done, whether or not somebody
    # has taken what they made.
    for first in numbered:
        some = itertools.chain([first], itertools.islice(numbered, _ROUND * effective_n_jobs() - 1))
        yield from Parallel(return_as="generator_unordered", batch_size=1)(
            delayed(_one_task)(sent, key, method, one, options) for one in some
        )


class SharedCalls:
    """Calls of one piece of work: here, or in the workers that joblib is told to use.

    Parameters
    ----------
    work : callable
        With an attribute `n_threads`, which is 1 for workers. Must not be changed between calls:
        it is made into bytes, and travels to each worker, once.
    """

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work
        self._content: tuple[NDArray[np.uint8], str] | None = None

    def __call__(
        self, tasks: Sequence[tuple[Any, ...]], tell: Callable[[int], None] | None = None
    ) -> list[Any]:
        """Do one task after the other.

        Parameters
        ----------
        tasks : sequence of tuple
            Arguments.
        tell : callable, default=None
            Called with the number of a task before it begins; of workers' tasks with that of the
            first.

        Returns
        -------
        list
            What the work gave, in the order of the tasks.
        """
        from joblib import Parallel, delayed, effective_n_jobs

        if effective_n_jobs(None) == 1:
            found = []
            for place, task in enumerate(tasks):
                if tell is not None:
                    tell(place)
                found.append(self._work(*task))
            return found
        if tell is not None:
            tell(0)
        if self._content is None:
            self._content = _content(self._work)
        content, key = self._content
        sent = _sent(content, key)
        in_order: list[Any] = Parallel()(delayed(_one_call)(sent, key, task) for task in tasks)
        return in_order


def _content(model: Any) -> tuple[NDArray[np.uint8], str]:
    """Give a model as bytes, and their hash."""
    # As an array: joblib maps a large one into the memory of each process.
    content = np.frombuffer(pickle.dumps(model), np.uint8)
    return content, hashlib.sha256(content.data).hexdigest()


def _sent(content: NDArray[np.uint8], key: str) -> Any:
    """Give what stands for a model's bytes in tasks, by who will do them.

    For dask that is a task of its own, whose result workers hand on to each other: where all that
    hold it have died, the scheduler does it again, while data scattered to them would be lost.
    """
    from joblib.parallel import get_active_backend

    client = getattr(get_active_backend()[0], "client", None)
    if client is None:
        return content
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")
        return client.submit(_as_array, content.tobytes(), key=f"hrsnn-model-{key}")


def _as_array(content: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(content, np.uint8)


def parts_of(samples: Any, batch: int) -> Iterator[Any]:
    """Cut samples into batches; of a data set as smaller data sets, which hold names alone."""
    check_samples("samples", samples)
    if isinstance(samples, EventSamples):
        for begin in range(0, len(samples), batch):
            yield samples.subset(range(begin, min(begin + batch, len(samples))))
    elif is_table(samples):
        for begin in range(0, length_of(samples) or 0, batch):
            yield samples[begin : begin + batch]
    else:
        left = iter(samples)
        while part := list(itertools.islice(left, batch)):
            yield part


def length_of(samples: Any) -> int | None:
    """Give the number of samples, `None` for an iterator."""
    check_samples("samples", samples)
    if hasattr(samples, "shape"):
        return int(samples.shape[0])
    return len(samples) if isinstance(samples, Sized) else None


def _one_task(
    content: Any, key: str, method: str, numbered: tuple[int, Any], options: dict[str, Any]
) -> tuple[int, NDArray[Any]]:
    """Run one batch here.

    It comes in a tuple, for dask to keep it with its task: what it scatters, one death can lose.
    """
    place, part = numbered
    samples = taken_apart(part)[0] if isinstance(part, EventSamples) else part
    return place, getattr(_held(content, key), method)(samples, **options)


def _one_call(content: Any, key: str, task: tuple[Any, ...]) -> Any:
    """Do one task here."""
    return _held(content, key)(*task)


def _held(content: Any, key: str) -> Any:
    """Make a model of its bytes, once per process; it works with one thread."""
    model = _HELD.get(key)
    if model is None:
        if not isinstance(content, np.ndarray):  # A cluster of one worker: joblib works here.
            content = content.result()
        model = pickle.loads(content.tobytes())
        if hasattr(model, "n_threads"):
            model.n_threads = 1
        _HELD.clear()
        _HELD[key] = model
    return model
