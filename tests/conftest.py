"""`measure`: the figures that tests hold against a tolerance, shown at the end of `pytest -v`."""

import signal

import pytest

FIGURES = pytest.StashKey[dict[tuple[str, str], list[float]]]()


def pytest_configure(config) -> None:
    config.stash[FIGURES] = {}
    # A shell that runs tests in the background has them ignore Ctrl-C, which some of them send.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def measure(request):
    """Note a figure under a name; what is shown is the largest of all cases of the test."""

    def note(name: str, value: float) -> None:
        test = f"{request.path.name}::{request.function.__name__}"
        request.config.stash[FIGURES].setdefault((test, name), []).append(float(value))

    return note


def pytest_terminal_summary(terminalreporter, config) -> None:
    figures = config.stash[FIGURES]
    if figures and config.get_verbosity() > 0:
        terminalreporter.section("measured")
        for (test, name), values in figures.items():
            terminalreporter.line(
                f"{test}: {name}: {max(values):.4g}, the largest of {len(values)}"
            )
