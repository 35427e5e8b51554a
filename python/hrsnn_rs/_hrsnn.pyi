import os
from collections.abc import Callable
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Graph: TypeAlias = tuple[NDArray[np.int64], NDArray[np.uint32]]
_Counts: TypeAlias = list[int]
_Monitors: TypeAlias = tuple[int, list[tuple[str, NDArray[np.uint32], NDArray[np.uint32] | None]]]
_Columns: TypeAlias = tuple[
    NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]
]
_Summary: TypeAlias = tuple[int, int, int, dict[int, int], tuple[int, int] | None]

__all__ = [
    "AedatReader",
    "Course",
    "Drive",
    "EventCamera",
    "Follower",
    "Injection",
    "Network",
    "Simulation",
    "Stream",
    "Tracker",
    "__version__",
    "connect_distance",
    "connect_fixed_in_degree",
    "connect_local_inputs",
    "connect_local_recurrence",
    "connect_random",
    "connect_small_world",
    "dead_time",
    "give_back_memory",
    "load_arrays",
    "sample",
    "save_arrays",
    "sensor_positions",
]

__version__: str

@final
class AedatReader:
    def __new__(
        cls,
        path: str | os.PathLike[str],
        height: int,
        width: int,
        window: tuple[int, int] | None = None,
    ) -> AedatReader: ...
    def read(self, max_events: int | None = None) -> _Columns: ...
    def scan(self) -> _Summary: ...
    def summary(self) -> _Summary: ...
    @property
    def is_past_stop(self) -> bool: ...

@final
class Course:
    def values(self) -> NDArray[Any]: ...

@final
class Drive:
    def __new__(
        cls,
        rates: NDArray[np.float64],
        n_channels: int,
        edges: NDArray[np.int64] | None,
        seed: int,
        sample: int,
    ) -> Drive: ...
    def count(self, end: int) -> int: ...
    def events(self, duration: int) -> _Graph: ...
    def of(self, number: int) -> Drive: ...

@final
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
    def feed(self, frames: NDArray[Any], times: NDArray[np.int64]) -> _Columns: ...
    def reset(self) -> None: ...
    @property
    def n_crossings(self) -> int: ...
    @property
    def n_dead(self) -> int: ...

@final
class Injection:
    def __new__(
        cls,
        values: NDArray[np.float64],
        edges: NDArray[np.int64],
        neurons: NDArray[np.uint32],
        noise: float,
        seed: int,
    ) -> Injection: ...

@final
class Network:
    def __new__(
        cls,
        neurons: dict[str, NDArray[np.float64]],
        inputs: dict[str, Any],
        recurrent: dict[str, Any],
        adaptation: tuple[float, float] | None,
        incoming: NDArray[np.float64],
        dtype: str,
        n_shards: int | None = None,
        competition: tuple[NDArray[np.uint32], float, int] | None = None,
        incoming_inputs: NDArray[np.float64] | None = None,
        norms: tuple[str, str] | None = None,
    ) -> Network: ...
    @property
    def learned(self) -> tuple[int, int, _Counts]: ...
    def run(
        self,
        t: NDArray[np.int64],
        channel: NDArray[np.uint32],
        duration: int,
        learn: bool,
        n_threads: int | None,
        undo: bool = False,
        scale: float = 1.0,
        record: _Monitors | None = None,
        parts_to: Callable[[NDArray[np.int64], NDArray[np.uint32]], None] | None = None,
        part: int = 0,
        drive: Drive | None = None,
        injection: Injection | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32], _Counts, list[Course]]: ...
    def learn_batch(
        self,
        samples: list[tuple[NDArray[np.int64], NDArray[np.uint32], int]],
        n_threads: int | None,
        scale: float = 1.0,
        drive: Drive | None = None,
        first: int = 0,
    ) -> list[_Counts]: ...
    def transform(
        self,
        samples: list[tuple[NDArray[np.int64], NDArray[np.uint32], int]],
        n_windows: int,
        by_events: bool,
        counts: bool,
        tau_lowpass: float | None,
        n_threads: int | None,
        pool: NDArray[np.uint32] | None = None,
        n_pools: int | None = None,
        drive: Drive | None = None,
        first: int = 0,
    ) -> tuple[NDArray[np.float32], list[_Counts]]: ...
    def synapses(self, source: str) -> dict[str, Any]: ...
    def set_weights(self, source: str, weight: NDArray[np.float64]) -> None: ...
    def set_incoming(self, source: str, targets: NDArray[np.float64]) -> None: ...
    def theta(self) -> NDArray[np.float64]: ...
    def set_theta(self, theta: NDArray[np.float64]) -> None: ...

@final
class Simulation:
    def __new__(
        cls,
        network: Network,
        t: NDArray[np.int64],
        channel: NDArray[np.uint32],
        duration: int,
        learn: bool,
        state: dict[str, Any] | None = None,
        drive: Drive | None = None,
        injection: Injection | None = None,
    ) -> Simulation: ...
    @property
    def t(self) -> int: ...
    def run_until(
        self, t: int, n_threads: int | None, record: _Monitors | None = None
    ) -> list[Course]: ...
    def result(self) -> tuple[NDArray[np.int64], NDArray[np.uint32], _Counts, int]: ...
    def network(self) -> Network: ...
    def state(self) -> tuple[Network, dict[str, Any]]: ...

@final
class Stream:
    def __new__(
        cls, network: Network, keep: int, state: dict[str, Any] | None = None
    ) -> Stream: ...
    def feed(
        self,
        t: NDArray[np.int64],
        channel: NDArray[np.uint32],
        until: int,
        n_threads: int | None,
    ) -> None: ...
    @property
    def t(self) -> int: ...
    def spikes(self, since: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]: ...
    def features(
        self,
        span: int,
        n_windows: int,
        by_events: bool,
        counts: bool,
        tau_lowpass: float | None,
        pool: NDArray[np.uint32] | None = None,
        n_pools: int | None = None,
    ) -> NDArray[np.float32]: ...
    @property
    def counts(self) -> _Counts: ...
    def state(self) -> dict[str, Any]: ...

@final
class Follower:
    def __new__(
        cls,
        tracker: Tracker,
        times: NDArray[np.int64] | None = None,
        numbers: NDArray[np.float64] | None = None,
        alive: NDArray[np.int64] | None = None,
    ) -> Follower: ...
    def encode(
        self,
        t: NDArray[np.int64],
        x: NDArray[np.uint16],
        y: NDArray[np.uint16],
        p: NDArray[np.uint8],
        until: int,
    ) -> tuple[
        NDArray[np.int64],
        NDArray[np.uint32],
        tuple[int, int, int, int],
        tuple[float, float] | None,
    ]: ...
    def carried(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]: ...

@final
class Tracker:
    def __new__(
        cls,
        height: int,
        width: int,
        *,
        size: int,
        polarities: int,
        time_constant: float,
        spread_constant: float | None,
        smoothing: str,
        zoom: float | None,
        extent: float,
        dead_us: int,
        mirror: str,
        track_levels: int,
    ) -> Tracker: ...
    def encode(
        self,
        t: NDArray[np.int64],
        x: NDArray[np.uint16],
        y: NDArray[np.uint16],
        p: NDArray[np.uint8],
        duration: int,
    ) -> tuple[
        NDArray[np.int64],
        NDArray[np.uint32],
        tuple[int, int, int, int],
        tuple[float, float] | None,
    ]: ...
    def track(
        self,
        t: NDArray[np.int64],
        x: NDArray[np.uint16],
        y: NDArray[np.uint16],
        p: NDArray[np.uint8],
        duration: int,
        at: NDArray[np.int64],
    ) -> tuple[
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.bool_],
    ]: ...

def dead_time(
    t: NDArray[np.int64], channel: NDArray[np.uint32], n_channels: int, dead_us: int
) -> NDArray[np.bool_]: ...
def save_arrays(
    path: str | os.PathLike[str], arrays: dict[str, NDArray[Any]], metadata: dict[str, str]
) -> None: ...
def load_arrays(
    path: str | os.PathLike[str],
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]: ...
def sample(
    kind: str,
    parameters: list[float],
    low: float | None,
    high: float | None,
    offsets: NDArray[np.int64],
    seed: int,
    purpose: str,
) -> NDArray[np.float64]: ...
def give_back_memory() -> None: ...
def connect_random(
    n_pre: int, n_post: int, p: float, autapses: bool, seed: int, purpose: str
) -> _Graph: ...
def connect_fixed_in_degree(
    n_pre: int, n_post: int, k: int, autapses: bool, seed: int, purpose: str
) -> _Graph: ...
def connect_small_world(n: int, k: int, p_rewire: float, seed: int, purpose: str) -> _Graph: ...
def connect_distance(
    grid: tuple[int, int, int],
    lambda_: float,
    c: tuple[float, float, float, float],
    inhibitory: NDArray[np.bool_],
    seed: int,
    purpose: str,
) -> _Graph: ...
def connect_local_inputs(
    height: int,
    width: int,
    polarities: int,
    n_post: int,
    k: int,
    sigma: float,
    seed: int,
    purpose: str,
) -> _Graph: ...
def connect_local_recurrence(
    height: int, width: int, n: int, k: int, sigma: float, seed: int, purpose: str
) -> _Graph: ...
def sensor_positions(height: int, width: int, n: int, seed: int) -> NDArray[np.float64]: ...
