"""The workload in hrsnn_rs."""

import time
from importlib.metadata import version

import hrsnn_rs  # noqa: F401  # so that neither time nor memory of building holds the import
import scipy.sparse  # noqa: F401
from outcome import parse, resident, say
from workload import events, network


def main() -> None:
    arguments = parse(__doc__)
    before, start = resident(), time.perf_counter()
    net, sample = network(arguments.work, arguments.dtype), events(arguments.work)
    build_wall = time.perf_counter() - start
    result = net.run(sample, learn=arguments.learn, n_threads=arguments.threads)
    network_memory = resident() - before
    say(
        arguments,
        "hrsnn_rs",
        result.spikes["t"].to_numpy() // 1000,
        result.spikes["neuron"].to_numpy(),
        n_synaptic_events=result.stats.n_synaptic_events,
        wall=result.stats.wall_time,
        build_wall=build_wall,
        network_memory=network_memory,
        versions={"hrsnn_rs": version("hrsnn_rs")},
    )


if __name__ == "__main__":
    main()
