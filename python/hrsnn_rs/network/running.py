"""Runs: many samples to learn from, many side by side, and the search for a gain.

Lives here: what a user does with a network and many samples. Not here: what a network is (`state`),
one sample (`one_sample`), and any loop over time (the core).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from hrsnn_rs.arguments import as_array, check_choice, check_integer, check_number, check_truth
from hrsnn_rs.description.competition import NO_GROUP
from hrsnn_rs.errors import MissingDependencyError, ParameterError, ShapeError
from hrsnn_rs.events.drive import checked_drive
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.network.calibration import calibrate, psp_peak
from hrsnn_rs.network.one_sample import OneSample, check_threads
from hrsnn_rs.network.results import Calibration, RunStats
from hrsnn_rs.network.training import Schedule, batches, checked, drive_after, learn_batch

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.events.drive import PoissonDrive
    from hrsnn_rs.events.events import Events

__all__ = ["RunningNetwork", "progress_bar"]

#: Samples that are handed to the core at a time, so that an iterator is never held whole.
CHUNK = 64
#: Largest batch: its samples are held at once.
MOST_BATCH = 65_536
#: Most windows of a sample: more would be cut than anybody reads out.
MOST_WINDOWS = 2**24
#: Time constant of the low-pass in ms, unless told otherwise.
TAU_LOWPASS = 30.0


class RunningNetwork(OneSample):
    """A network's runs; see `Network`."""

    def train(
        self,
        samples: Iterable[Any],
        *,
        epochs: int = 1,
        batch: int = 1,
        learning_rate: float | ArrayLike = 1.0,
        drive: PoissonDrive | None = None,
        progress: bool = False,
        n_threads: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
    ) -> RunStats:
        """Learn from samples, one after the other, without labels.

        Weights and adapted thresholds stay from sample to sample; everything else starts
        from rest.

        With `checkpoint`, the state is kept in a folder now and then, at the end and on Ctrl-C.
        The same call then goes on where the last one stopped, whatever stopped it, and ends with
        the same bits as if nothing had. A sample that was interrupted is repeated from its
        start; samples that are done are only looked at, to see that they are the same.

        With `batch` = k above 1, k samples at a time learn side by side, each on one thread and
        all from the same weights. Their changes of weights and adapted thresholds are then added
        up in the order of the samples, clipped to the bounds, and weights normalised once. This
        is an approximation, which no sequential training equals: no sample sees what the others
        of its batch have learned. Its result does not depend on `n_threads` either.

        Parameters
        ----------
        samples : iterable
            Each what `run` takes. A sequence if `epochs` is greater than 1.
        epochs : int, default=1
            Passes over the samples, in their order.
        batch : int, default=1
            Samples that learn side by side; 1: each learns from the weights that the one before
            it left. A thread at work holds a copy of the network, and each sample of a batch a
            copy of the plastic weights.
        learning_rate : float or array_like of shape (epochs * n_samples,), default=1.0
            Factor of `a_plus` and `a_minus`: one for all samples or one for each, so that learning
            can slow down. A batch has that of its first sample.
        drive : PoissonDrive, default=None
            As in `run`; each sample, over all passes, has events of its own: those of
            `drive.for_sample(drive.sample + k)` where k samples are done.
        progress : bool, default=False
            Whether to show a progress bar (needs tqdm).
        n_threads : int, default=None
            As in `run`.
        checkpoint : str or path, default=None
            Folder to keep the state in; it is made where it does not exist. Two checkpoints are
            kept, each a model file that `Network.load` reads too.
        checkpoint_every : int, default=None
            Samples between two checkpoints; `None` means every 30 s.

        Returns
        -------
        RunStats
            Sums over all samples, those of earlier calls that were stopped among them.

        Raises
        ------
        ParameterError
            If nothing in this network can learn, an iterator is to be read twice, or the
            checkpoint is of another network, other samples or other arguments.
        ShapeError
            If `learning_rate` has not a value for each sample: after the last one where `samples`
            is an iterator, which cannot be counted before.
        FormatError
            If no checkpoint in the folder is whole.
        OSError
            If a checkpoint cannot be written; those before it stay.
        KeyboardInterrupt
            On Ctrl-C. With `checkpoint` the network is as after the last whole sample; with
            `batch` as after the last whole batch.

        Warns
        -----
        CheckpointWarning
            If the newest checkpoint is damaged, and the one before is taken.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(
        ...     4, 20, inputs=hr.RandomConnectivity(p=1.0, weight=20.0),
        ...     recurrent=hr.RandomConnectivity(p=0.5), plasticity=hr.STDP(),
        ... )
        >>> sample = hr.Events([0, 3000, 6000], [0, 1, 2], n_channels=4)
        >>> network.train([sample, sample]).n_weight_updates > 0
        True
        """
        epochs = check_integer("epochs", epochs, 1)
        batch = check_integer("batch", batch, 1, MOST_BATCH)
        n_known = len(samples) if isinstance(samples, Sequence) else None
        schedule = Schedule(learning_rate, None if n_known is None else epochs * n_known)
        drive = checked_drive(drive, self.n_inputs)
        progress = check_truth("progress", progress)
        if not self.can_learn:
            raise ParameterError("plasticity must be given to train; this network has None.")
        if epochs > 1 and not isinstance(samples, Sequence) and isinstance(samples, Iterator):
            raise ParameterError("samples must be a sequence where epochs > 1; got an iterator.")
        if checkpoint is not None:
            from hrsnn_rs.network.checkpoint import Checkpoints
            from hrsnn_rs.network.kept_training import train_with_checkpoints

            checkpoints = Checkpoints(checkpoint, checkpoint_every)
            threads = check_threads(n_threads)
            with checkpoints.alone():
                return train_with_checkpoints(
                    self,
                    checkpoints,
                    samples,
                    epochs,
                    batch,
                    lambda name: _shown(samples, name, progress),
                    threads,
                    schedule,
                    drive,
                )
        if checkpoint_every is not None:
            raise ParameterError("checkpoint_every must be None where checkpoint is None.")
        stats: list[RunStats] = []
        n_done = 0
        for epoch in range(epochs):
            name = f"train {epoch + 1}/{epochs}" if epochs > 1 else "train"
            shown = _shown(samples, name, progress)
            for together in batches(shown, self.n_inputs, batch):
                rate = schedule[n_done]
                if batch == 1:
                    (one,) = together
                    drawn = drive_after(drive, n_done)
                    run = self.run(
                        one, learn=True, learning_rate=rate, drive=drawn, n_threads=n_threads
                    )
                    stats.append(run.stats)
                else:
                    stats.append(self._learned_batch(together, rate, n_threads, drive, n_done))
                n_done += len(together)
        schedule.check_used(n_done)
        return RunStats.total(stats)

    def _learned_batch(
        self,
        together: list[Events],
        rate: float,
        n_threads: int | None,
        drive: PoissonDrive | None,
        n_done: int,
    ) -> RunStats:
        """Learn from one batch; sums over its samples."""
        start = time.perf_counter()
        threads = check_threads(n_threads)
        counts = learn_batch(self._core, together, rate, threads, drive, n_done)
        share = (time.perf_counter() - start) / len(together)
        return RunStats.total(
            [
                RunStats.from_counts(row, sample.duration, share)
                for row, sample in zip(counts, together, strict=True)
            ]
        )

    # fmt: off
    @overload
    def transform(
        self, samples: Iterable[Any], n_windows: int = ..., *, windows: str = ...,
        features: str = ..., tau_lowpass: float = ..., pools: ArrayLike | None = ...,
        drive: PoissonDrive | None = ...,
        n_threads: int | None = ..., progress: bool = ..., return_stats: Literal[False] = ...,
    ) -> NDArray[np.float32]: ...
    @overload
    def transform(
        self, samples: Iterable[Any], n_windows: int = ..., *, windows: str = ...,
        features: str = ..., tau_lowpass: float = ..., pools: ArrayLike | None = ...,
        drive: PoissonDrive | None = ...,
        n_threads: int | None = ..., progress: bool = ..., return_stats: Literal[True],
    ) -> tuple[NDArray[np.float32], list[RunStats]]: ...
    # fmt: on
    def transform(
        self,
        samples: Iterable[Any],
        n_windows: int = 1,
        *,
        windows: str = "time",
        features: str = "counts",
        tau_lowpass: float = TAU_LOWPASS,
        pools: ArrayLike | None = None,
        drive: PoissonDrive | None = None,
        n_threads: int | None = None,
        progress: bool = False,
        return_stats: bool = False,
    ) -> NDArray[np.float32] | tuple[NDArray[np.float32], list[RunStats]]:
        """Run samples side by side and return features; learns nothing, stores no spikes.

        Neither `n_threads` nor the order of the samples changes a sample's features, but that with
        a `drive` each sample has the events of its place.

        Parameters
        ----------
        samples : iterable
            Each what `run` takes; an iterator is read as it goes.
        n_windows : int, default=1
            Windows that each sample is cut into; at most 2**24.
        windows : {"time", "events"}, default="time"
            Windows of equal time, or of equal shares of the sample's input events.
        features : {"counts", "lowpass", "both"}, default="counts"
            Spikes within each window; spikes low-passed with `tau_lowpass` at its end; or
            the first, then the second.
        tau_lowpass : float, default=30.0
            Time constant of the low-pass in ms.
        pools : array_like of int, shape (n_neurons,), default=None
            Pool of each neuron, numbered from 0; -1: none. Features are then sums over the neurons
            of a pool, and never held for each neuron.
        drive : PoissonDrive, default=None
            As in `run`; sample k has the events of `drive.for_sample(drive.sample + k)`. Windows of
            events are those of the sample's own.
        n_threads : int, default=None
            Samples that run at a time; `None` means all cores.
        progress : bool, default=False
            As in `train`.
        return_stats : bool, default=False
            Whether to return the counts of each sample too.

        Returns
        -------
        features : float32 array of shape (n_samples, n_windows, n_neurons)
            Twice as wide for "both"; n_pools in place of n_neurons with `pools`.
        stats : list of RunStats
            Only with `return_stats`; `wall_time` is the sample's share of its chunk.

        Raises
        ------
        ParameterError, ShapeError
            As `run`.

        Examples
        --------
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
        >>> network.transform([([100, 5000], [0, 0])], n_windows=2)[0, :, 0]
        array([1., 1.], dtype=float32)
        """
        n_windows = check_integer("n_windows", n_windows, 1, MOST_WINDOWS)
        check_choice("windows", windows, ("time", "events"))
        check_choice("features", features, ("counts", "lowpass", "both"))
        tau = check_number("tau_lowpass", tau_lowpass, "greater than 0 ms", lambda tau: tau > 0.0)
        progress = check_truth("progress", progress)
        return_stats = check_truth("return_stats", return_stats)
        drive = checked_drive(drive, self.n_inputs)
        threads = check_threads(n_threads)
        parts: list[NDArray[np.float32]] = []
        stats: list[RunStats] = []
        pool = None if pools is None else self._checked_pools(pools)
        n_pools = self.n_neurons if pool is None else int(pool[pool != NO_GROUP].max()) + 1
        width = n_pools * (2 if features == "both" else 1)
        shown = checked(_shown(samples, "transform", progress), self.n_inputs)
        while chunk := list(itertools.islice(shown, CHUNK)):
            check_memory("n_windows", 4.0 * len(chunk) * n_windows * width)
            start = time.perf_counter()
            flat, counts = self._core.transform(
                [(s.t, s.channel, s.duration) for s in chunk],
                n_windows,
                windows == "events",
                features != "lowpass",
                None if features == "counts" else tau,
                threads,
                pool=pool,
                n_pools=None if pool is None else n_pools,
                drive=None if drive is None else drive._core,
                first=0 if drive is None else drive.sample + len(stats),
            )
            share = (time.perf_counter() - start) / len(chunk)
            parts.append(flat.reshape(len(chunk), n_windows, width))
            stats += [
                RunStats.from_counts(row, sample.duration, share)
                for row, sample in zip(counts, chunk, strict=True)
            ]
        empty = np.zeros((0, n_windows, width), dtype=np.float32)
        table = np.concatenate(parts) if parts else empty
        return (table, stats) if return_stats else table

    def _checked_pools(self, pools: ArrayLike) -> NDArray[np.uint32]:
        values = as_array("pools", pools)
        if values.shape != (self.n_neurons,):
            raise ShapeError(f"pools must have length {self.n_neurons}; got shape {values.shape}.")
        if values.dtype.kind not in "iu":
            raise ParameterError(f"pools must hold whole numbers; got dtype {values.dtype}.")
        wrong = (values < -1) | (values >= self.n_neurons)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ParameterError(
                f"pools must be -1 (none) or below {self.n_neurons}; got {values[i]} at neuron {i}."
            )
        if (values < 0).all():
            raise ParameterError("pools must hold a pool; got -1 for every neuron.")
        return np.where(values < 0, NO_GROUP, values).astype(np.uint32)

    def calibrate(
        self,
        samples: Iterable[Any],
        *,
        rate: float | None = None,
        spikes: float | None = None,
        n_samples: int = 64,
        n_threads: int | None = None,
    ) -> Calibration:
        """Scale all input weights by one gain so that neurons fire at a mean rate.

        Uses no labels and learns nothing. A network whose single input synapses are above
        threshold only relays its input: the search stops there and says so. Weights that learn
        stay within `w_min` and `w_max`, and the norms that they are kept to (`normalize_inputs`)
        are scaled too.

        Parameters
        ----------
        samples : iterable
            Each what `run` takes.
        rate : float, default=None
            Target in Hz, mean over neurons and samples. `None`: 3 Hz, unless `spikes` is given.
        spikes : float, default=None
            Target in spikes of all neurons in a sample, mean over samples, in place of a rate.
        n_samples : int, default=64
            Samples to use at most, evenly spread over a sequence.
        n_threads : int, default=None
            As in `transform`.

        Returns
        -------
        Calibration
            `gain`, the `rate` reached, the share of `suprathreshold` synapses.

        Raises
        ------
        CalibrationError
            If the rate cannot be reached; the weights are as before.
        ParameterError
            If there is no sample, event or positive input weight.

        Warns
        -----
        CalibrationWarning
            If more than one in a thousand excitatory input synapses is suprathreshold.

        Examples
        --------
        >>> import numpy as np
        >>> import hrsnn_rs as hr
        >>> network = hr.Network(20, 50, inputs=hr.RandomConnectivity(p=0.5))
        >>> rng = np.random.default_rng(7)
        >>> t = np.sort(rng.integers(0, 1_000_000, 2000))
        >>> sample = hr.Events(t, rng.integers(0, 20, 2000), n_channels=20, duration=1_000_000)
        >>> abs(network.calibrate([sample], rate=3.0).rate - 3.0) < 0.3
        True
        """
        if rate is not None and spikes is not None:
            raise ParameterError("rate must be None where spikes is given.")
        if spikes is None:
            rate = 3.0 if rate is None else rate
            target = check_number("rate", rate, "greater than 0 Hz", lambda rate: rate > 0.0)
        else:
            wanted = check_number("spikes", spikes, "greater than 0", lambda n: n > 0.0)
        n = check_integer("n_samples", n_samples, 1)
        samples = _shown(samples, "calibrate", False)
        pool = samples if isinstance(samples, Sequence) else list(itertools.islice(samples, n))
        picked = [pool[i] for i in np.unique(np.linspace(0, len(pool) - 1, n).astype(int)) if pool]
        chosen = list(checked(picked, self.n_inputs))
        if spikes is not None:
            seconds = 1e-6 * sum(sample.duration for sample in chosen)
            target = wanted * len(chosen) / (self.n_neurons * max(seconds, 1e-6))
        scaling = self._input_scaling()
        p = self._neurons
        room = p["v_threshold"] + self.theta - p["v_rest"] - p["bias"]
        room = (room / psp_peak(p["tau_m"], p["tau_syn_ex"]))[scaling.target]

        def rate_of(gain: float) -> float:
            self._core.set_weights("inputs", scaling.at(gain))
            stats = self.transform(chosen, n_threads=n_threads, return_stats=True)[1]
            total = RunStats.total(stats)
            return 1e6 * total.n_spikes / (self.n_neurons * max(total.duration, 1))

        try:
            found = calibrate(rate_of, scaling, room, chosen, target)
        except BaseException:
            self._core.set_weights("inputs", scaling.weight)
            raise
        self._scale_inputs(scaling, found.gain)
        self._gain *= found.gain
        return found


def _shown(samples: Iterable[Any], name: str, progress: bool) -> Iterable[Any]:
    """Wrap `samples` in a progress bar, if wanted."""
    if not isinstance(samples, Iterable) or (isinstance(samples, np.ndarray) and samples.ndim == 0):
        raise ParameterError(f"samples must be an iterable of samples; got {samples!r}.")
    if not progress:
        return samples
    shown: Iterable[Any] = progress_bar(samples, desc=name, unit="sample")
    return shown


def progress_bar(*args: Any, **words: Any) -> Any:
    """Make a bar of tqdm, or say that it is missing."""
    try:
        from tqdm import tqdm
    except ImportError:
        raise MissingDependencyError('progress needs tqdm: pip install "hrsnn_rs[cli]"') from None
    return tqdm(*args, **words)
