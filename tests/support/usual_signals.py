"""Signals as a process usually has them, whatever began the tests: nohup ignores SIGHUP."""

import contextlib
import signal

import pytest


@contextlib.contextmanager
def usual(name):
    """Give the number of a signal that ends the process, or Ctrl-C's, for the length of a block."""
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip("the system has no such signal")
    own = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(number, own)
    try:
        yield number
        assert signal.getsignal(number) is own
    finally:
        signal.signal(number, before)
