"""Tiling: the weights of a few features copied to all places of a plane.

Lives here: where the places are, which synapses a copy has, and which copies are pooled. Not here:
how features are learned. Weights that are shared stay as they are: nothing tiled learns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.network.patches import Plane

__all__ = ["Tiling"]


class Tiling(NamedTuple):
    """Places of a plane, `stride` pixels apart, each of which has a copy of every feature.

    The neuron of feature `k` at the place of row `u` and column `v` is
    `(u * n_columns + v) * n_features + k`.

    Attributes
    ----------
    plane : Plane
        The input channels.
    field : int
        Pixels of a feature's side, odd.
    stride : int
        Pixels between two places.

    Examples
    --------
    >>> from hrsnn_rs.network.patches import Plane
    >>> tiling = Tiling(Plane(32, 32), field=5, stride=2)
    >>> tiling.n_rows, tiling.n_columns
    (16, 16)
    """

    plane: Plane
    field: int
    stride: int

    @property
    def n_rows(self) -> int:
        """Places from top to bottom."""
        return -(-self.plane.height // self.stride)

    @property
    def n_columns(self) -> int:
        """Places from left to right."""
        return -(-self.plane.width // self.stride)

    def synapses(self, weights: FloatArray) -> csr_array:
        """Copy features to all places.

        Parameters
        ----------
        weights : float array of shape (polarities * field * field, n_features)
            mV.

        Returns
        -------
        csr_array of shape (n_channels, n_rows * n_columns * n_features)
            Row = channel. What lies outside of the plane has no synapse.
        """
        from scipy.sparse import csr_array

        plane, field, n_features = self.plane, self.field, weights.shape[1]
        u, v = (a.ravel() for a in np.indices((self.n_rows, self.n_columns)))
        channels, neurons, values = [], [], []
        for pixel, of_pixel in enumerate(weights):
            rest, column = divmod(pixel, field)
            polarity, row = divmod(rest, field)
            y = u * self.stride + self.stride // 2 + row - field // 2
            x = v * self.stride + self.stride // 2 + column - field // 2
            place = np.flatnonzero((y >= 0) & (y < plane.height) & (x >= 0) & (x < plane.width))
            channel = (polarity * plane.height + y[place]) * plane.width + x[place]
            channels.append(np.repeat(channel, n_features))
            neurons.append((place[:, None] * n_features + np.arange(n_features)).ravel())
            values.append(np.tile(of_pixel, place.size))
        shape = (plane.n_channels, u.size * n_features)
        parts = (np.concatenate(channels), np.concatenate(neurons))
        matrix = csr_array((np.concatenate(values), parts), shape=shape)
        matrix.sort_indices()
        return matrix

    def map_channels(self, neuron: NDArray[Any], n_features: int) -> NDArray[np.uint32]:
        """Give the channel of each neuron, as a network on top of the maps numbers them.

        Parameters
        ----------
        neuron : int array of shape (n,)
            Neurons of the tiled network.
        n_features : int
            Features of a place.

        Returns
        -------
        uint32 array of shape (n,)
            `(feature * n_rows + row) * n_columns + column`: each feature has a map.
        """
        place, feature = np.divmod(neuron.astype(np.int64), n_features)
        channel: NDArray[np.int64] = feature * (self.n_rows * self.n_columns) + place
        return channel.astype(np.uint32)

    def pools(self, n_features: int, size: int) -> NDArray[np.int64]:
        """Give the pool of each neuron: `size` x `size` places of one feature.

        Parameters
        ----------
        n_features : int
            Features of a place.
        size : int
            Places of a pool's side.

        Returns
        -------
        int64 array of shape (n_neurons,)
            `(row * columns + column) * n_features + feature`, where rows and columns are those
            of pools.
        """
        u, v, k = (a.ravel() for a in np.indices((self.n_rows, self.n_columns, n_features)))
        columns = -(-self.n_columns // size)
        pools: NDArray[np.int64] = (u // size * columns + v // size) * n_features + k
        return pools
