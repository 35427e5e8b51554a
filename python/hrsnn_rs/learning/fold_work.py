"""One fold of one system of an experiment: what a worker does by itself.

Lives here: which system becomes which features, and feature layers that systems of a seed share.
Not here: which folds there are and what becomes of them (`experiment`), and who does the work
(`parallel`).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import joblib

from hrsnn_rs.arguments import check_kind
from hrsnn_rs.errors import CalibrationError, CalibrationWarning
from hrsnn_rs.learning.feature_systems import FEATURE_SYSTEMS, feature_features, mapped_clips
from hrsnn_rs.learning.homogeneous import best_homogeneous_features
from hrsnn_rs.learning.judging import judge
from hrsnn_rs.learning.systems import count_features, network_features
from hrsnn_rs.network.network import VARIANTS, Network
from hrsnn_rs.network.presets import SENSOR, default_network, default_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from hrsnn_rs.learning.clips import Clips
    from hrsnn_rs.learning.feature_layer import FeatureLayer
    from hrsnn_rs.learning.judging import Judged
    from hrsnn_rs.learning.systems import Features

_OF_NETWORK = (
    *("epochs", "rate", "spikes", "n_calibration", "recalibrate"),
    *("n_windows", "windows", "memory"),
)
_OF_LAYER = ("readout", "n_windows", "windows", "memory")
_OF_COUNTS = ("n_windows", "windows", "memory")


class FoldWork:
    """What all folds of an experiment have in common; called, it does one of them.

    Parameters
    ----------
    clips : Clips
        Encoded clips. Not changed.
    make_network : callable or None
        Called with `seed`; gives a HeNHeS network. `None`: the default one for such clips.
    n_neurons : int
        Of the default network.
    settings : dict
        Those of `compare` by name, with `homogeneous` and `readout`.
    is_stacked : bool
        Whether networks stand on top of a learned feature layer.
    places : ndarray of shape (n_clips,)
        Place of each clip in its data set.
    n_threads : int or None
        Threads; the result does not depend on them.
    """

    def __init__(
        self,
        clips: Clips,
        make_network: Callable[..., Network] | None,
        n_neurons: int,
        settings: dict[str, Any],
        *,
        is_stacked: bool,
        places: NDArray[np.intp],
        n_threads: int | None,
    ) -> None:
        self.clips = clips
        self.make_network = make_network
        self.n_neurons = n_neurons
        self.settings = settings
        self.is_stacked = is_stacked
        self.places = places
        self.n_threads = n_threads
        self._maps: dict[tuple[int, int], tuple[Clips, FeatureLayer]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave to each worker what it finds out by itself; take along a function of any kind."""
        make = self.make_network
        if make is not None:
            make = joblib.wrap_non_picklable_objects(make)
        return self.__dict__ | {"_maps": {}, "make_network": make}

    def __call__(self, system: str, seed: int, fold: int, training: NDArray[np.bool_]) -> Judged:
        """Measure one system in one fold.

        Parameters
        ----------
        system : str
            As for `compare`.
        seed, fold : int
            Which fold.
        training : bool ndarray of shape (n_clips,)
            Which clips it may see.

        Returns
        -------
        Judged

        Raises
        ------
        CalibrationError
            If a network or a feature layer cannot reach its rate; system, seed and fold are said.
        """
        with warnings.catch_warnings():
            # Their share is a column; one warning a row says so.
            warnings.simplefilter("ignore", CalibrationWarning)
            try:
                counted = self._features(system, seed, fold, training)
            except CalibrationError as error:
                raise CalibrationError(f"{system}, seed {seed}, fold {fold}: {error}") from error
        return judge(
            self.clips,
            training,
            counted,
            self.settings["readout"],
            memory=self.settings["memory"],
            places=self.places,
        )

    def _features(self, system: str, seed: int, fold: int, training: NDArray[np.bool_]) -> Features:
        """Let one system turn training and tested clips into counts."""
        if system == "event counts":
            return count_features(self.clips, **self._chosen(_OF_COUNTS))
        if system in FEATURE_SYSTEMS:
            words = self._chosen(_OF_LAYER) | {"n_threads": self.n_threads}
            return feature_features(system, seed, self.clips, training, **words)
        clips, layer = self.clips, None
        if self.is_stacked:
            clips, layer = self._mapped(seed, fold, training)
        network = self._network(system, seed, clips, layer)
        if system == "no recurrence":
            network = network.without_recurrence()
        words = self._chosen(_OF_NETWORK) | {"n_threads": self.n_threads}
        if system == "untrained" or not network.can_learn:
            words["epochs"] = 0
        if system not in VARIANTS:
            return network_features(network, clips, training, **words)
        is_heterogeneous, _ = VARIANTS[system]
        if is_heterogeneous or self.settings["homogeneous"] == "mean":
            return network_features(network.variant(system), clips, training, **words)
        readout = self.settings["readout"]
        return best_homogeneous_features(network, system, clips, training, readout, **words)

    def _chosen(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: self.settings[name] for name in names}

    def _mapped(
        self, seed: int, fold: int, training: NDArray[np.bool_]
    ) -> tuple[Clips, FeatureLayer]:
        """Give clips as networks on top of the feature layer of this fold see them."""
        found = self._maps.get((seed, fold))
        if found is None:
            found = mapped_clips(self.clips, training, seed, self.n_threads)
            # Systems of a seed follow one another.
            kept = {key: one for key, one in self._maps.items() if key[0] == seed}
            self._maps = kept | {(seed, fold): found}
        return found

    def _network(self, system: str, seed: int, clips: Clips, layer: FeatureLayer | None) -> Network:
        if self.make_network is not None:
            return network_made(self.make_network, seed)
        has_one_rule = system in VARIANTS and not VARIANTS[system][1]
        return default_network(
            clips.events[0].n_channels,
            sensor=SENSOR if layer is None else layer.maps,
            n_neurons=self.n_neurons,
            plasticity=default_rule() if has_one_rule else None,
            seed=seed,
        )


def network_made(make_network: Callable[..., Network], seed: int) -> Network:
    """Call a user's function, and refuse what is no network."""
    made: Network = check_kind(f"make_network(seed={seed})", make_network(seed=seed), Network)
    return made
