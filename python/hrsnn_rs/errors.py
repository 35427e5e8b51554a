"""The exceptions of this package: one tree, each also the built-in its meaning suggests."""


class HRSNNError(Exception):
    """Base of every exception that this package raises by itself."""


class ParameterError(HRSNNError, ValueError):
    """An argument has a value that its meaning does not allow."""


class ShapeError(HRSNNError, ValueError):
    """An array has the wrong length, shape or number of dimensions."""


class FormatError(HRSNNError, ValueError):
    """A file or folder is not what it should be."""


class CalibrationError(HRSNNError, RuntimeError):
    """The target rate cannot be reached."""


class MissingDependencyError(HRSNNError, ImportError):
    """An optional library is needed and not installed."""


class OutOfMemoryError(HRSNNError, MemoryError):
    """What was asked for does not fit into the memory; found out before it was used."""


class InternalError(HRSNNError, RuntimeError):
    """A bug in this package: please report it."""


class CheckpointWarning(UserWarning):
    """A checkpoint is damaged; training goes on from the one before."""


class CalibrationWarning(UserWarning):
    """Single input synapses drive a neuron over its threshold."""


class DataWarning(UserWarning):
    """Recorded data are not quite what they should be, and are used all the same."""


class FigureWarning(UserWarning):
    """A figure could not be drawn; the page is written without it."""
