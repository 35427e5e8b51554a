"""A network that sees a stream: events piece by piece, features of the latest past.

Lives here: the words for the core's stream. Not here: how a stream is cut and forgotten (the core),
and what makes its events. Invariant: neither pieces nor saving change a bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.description.competition import NO_GROUP
from hrsnn_rs.errors import FormatError
from hrsnn_rs.events.no_copies import NoCopies
from hrsnn_rs.network.running import TAU_LOWPASS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hrsnn_rs.network.network import Network

__all__ = ["NetworkStream"]


class NetworkStream(NoCopies):
    """A copy of a network on its way through a stream; it learns nothing.

    Parameters
    ----------
    network : Network
        Is copied.
    span : int
        Length in µs of the windows that will be asked for, at most.
    state : tuple of mapping, default=None
        What `state` gave; `None`: from rest, at time 0.

    Examples
    --------
    >>> import numpy as np
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.network.stream import NetworkStream
    >>> network = hr.Network(1, 2, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    >>> stream = NetworkStream(network, 1000)
    >>> stream.feed(np.array([100]), np.array([0], np.uint32), 500)
    >>> stream.features(1000, 1)
    array([[1., 1.]], dtype=float32)
    """

    _instead = "make another of what state() gives"

    def __init__(
        self,
        network: Network,
        span: int,
        state: tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        self._n_neurons = network.n_neurons
        whole = None if state is None else {**state[0], **state[1]}
        try:
            self._core = _hrsnn.Stream(network._core, span, whole)
        except (KeyError, TypeError) as error:
            raise FormatError(f"the state of a network is not whole: {error!r}.") from None

    def feed(
        self,
        t: NDArray[np.int64],
        channel: NDArray[np.uint32],
        until: int,
        n_threads: int | None = None,
    ) -> None:
        """Take the next events, and go on until the time `until` (µs)."""
        self._core.feed(t, channel, until, n_threads)

    def spikes(self, since: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Give times and neurons of the spikes since a time, of the last piece at least."""
        return self._core.spikes(since)

    def features(
        self,
        span: int,
        n_windows: int,
        *,
        windows: str = "events",
        features: str = "counts",
        pools: NDArray[np.uint32] | None = None,
    ) -> NDArray[np.float32]:
        """Give the features of the last `span` µs, shape (n_windows, n_units).

        They are those of `Network.transform` for a sample that lasted so long, with the events and
        spikes that there were.
        """
        n_pools = None if pools is None else int(pools[pools != NO_GROUP].max()) + 1
        flat = self._core.features(
            span,
            n_windows,
            windows == "events",
            features != "lowpass",
            None if features == "counts" else TAU_LOWPASS,
            pools,
            n_pools,
        )
        return flat.reshape(n_windows, -1)

    @property
    def t(self) -> int:
        """How far it has come, µs."""
        return self._core.t

    @property
    def n_input_events(self) -> int:
        """Events so far."""
        return self._core.counts[1]

    @property
    def n_spikes(self) -> int:
        """Spikes so far."""
        return self._core.counts[0]

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Give arrays and numbers of which an equal stream can be made, with the same network."""
        whole = self._core.state()
        arrays = {name: value for name, value in whole.items() if isinstance(value, np.ndarray)}
        return arrays, {name: value for name, value in whole.items() if name not in arrays}
