from typing import Any

import numpy as np
from numpy.typing import NDArray

class EventCamera:
    def __new__(
        cls,
        height: int,
        width: int,
        on: NDArray[np.float64],
        off: NDArray[np.float64],
        dead_us: int,
        luma_offset: float,
    ) -> EventCamera: ...
    def feed(
        self, frames: NDArray[Any], times: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]: ...
    def reset(self) -> None: ...
    @property
    def n_crossings(self) -> int: ...
    @property
    def n_dead(self) -> int: ...

def dead_time(
    t: NDArray[np.int64], channel: NDArray[np.uint32], n_channels: int, dead_us: int
) -> NDArray[np.bool_]: ...
