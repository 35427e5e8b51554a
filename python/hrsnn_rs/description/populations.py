"""Populations of neurons, and projections between them.

Lives here: what a user says of them. Not here: their drawing, and what all of them are together
(`network`). Invariant: nothing here knows a seed, so that the words can be used again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hrsnn_rs.arguments import check_integer, check_truth
from hrsnn_rs.description.connectivity import Connectivity
from hrsnn_rs.description.parameters import LIF, STDP
from hrsnn_rs.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Population", "Projection", "check_name"]


def check_name(argument: str, name: object) -> str:
    """Return `name` if it can name a population: text that is not empty.

    Raises
    ------
    ParameterError
        If it is anything else.

    Examples
    --------
    >>> check_name("name", "E")
    'E'
    """
    if not isinstance(name, str) or not name:
        raise ParameterError(f"{argument} must be text that is not empty; got {name!r}.")
    return name


@dataclass(frozen=True)
class Population:
    """Neurons of one kind, under a name.

    Parameters
    ----------
    name : str
        By which projections and results speak of it; part of the key of what is drawn for it.
    n_neurons : int
        How many.
    neuron : LIF, default=LIF()
        Their parameters; each a number, an array of shape (n_neurons,) or a law.
    inhibitory : bool, default=False
        Whether their synapses are negative.

    Raises
    ------
    ParameterError
        If an argument is of the wrong kind, or there is no neuron.

    See Also
    --------
    Network.from_populations : a network of them.

    Examples
    --------
    >>> Population("I", 200, LIF(tau_m=10.0), inhibitory=True).n_neurons
    200
    """

    name: str
    n_neurons: int
    neuron: LIF = field(default_factory=LIF)
    inhibitory: bool = False

    def __post_init__(self) -> None:
        check_name("name", self.name)
        n_neurons = check_integer("n_neurons", self.n_neurons, 1, 2**32 - 2)
        object.__setattr__(self, "n_neurons", n_neurons)
        if not isinstance(self.neuron, LIF):
            raise ParameterError(f"neuron must be a LIF; got {self.neuron!r}.")
        object.__setattr__(self, "inhibitory", check_truth("inhibitory", self.inhibitory))


@dataclass(frozen=True)
class Projection:
    """Synapses from one population, or from input channels, to another population.

    Parameters
    ----------
    source, target : str or sequence of str
        Names; a source may be the name of input channels. Several names stand for a projection
        for each pair, each drawn by itself.
    rule : Connectivity
        Who reaches whom, how strongly and how late. Magnitudes of an inhibitory source are
        multiplied by minus the rule's `inhibitory_gain`.
    plasticity : STDP, default=None
        How these synapses learn; `None`: they do not. All learn whose weight has the sign that
        the bounds allow. Its `inputs` stays False: the source says it here.

    Raises
    ------
    ParameterError
        If an argument is of the wrong kind.

    See Also
    --------
    Network.from_populations : a network of them.

    Examples
    --------
    >>> from hrsnn_rs import FixedInDegreeConnectivity
    >>> rule = FixedInDegreeConnectivity(k=100, weight=0.1, delay=1.5)
    >>> Projection("E", ["E", "I"], rule).targets
    ('E', 'I')
    """

    source: str | Sequence[str]
    target: str | Sequence[str]
    rule: Connectivity
    plasticity: STDP | None = None

    def __post_init__(self) -> None:
        for end in ("source", "target"):
            names = _names(end, getattr(self, end))
            if not isinstance(getattr(self, end), str):
                # A list of the caller's may change.
                object.__setattr__(self, end, names)
        if not isinstance(self.rule, Connectivity):
            raise ParameterError(f"rule must be a Connectivity; got {self.rule!r}.")
        if self.plasticity is None:
            return
        if not isinstance(self.plasticity, STDP):
            raise ParameterError(f"plasticity must be a STDP or None; got {self.plasticity!r}.")
        if self.plasticity.inputs:
            raise ParameterError(
                "plasticity must have inputs=False in a projection, whose source says whether"
                " inputs learn; got inputs=True."
            )

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources."""
        return _names("source", self.source)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets."""
        return _names("target", self.target)


def _names(argument: str, names: object) -> tuple[str, ...]:
    if isinstance(names, str):
        return (check_name(argument, names),)
    if not isinstance(names, list | tuple) or not names:
        raise ParameterError(f"{argument} must be a name or a list of names; got {names!r}.")
    found = tuple(check_name(f"{argument}[{n}]", name) for n, name in enumerate(names))
    for n, name in enumerate(found):
        if name in found[:n]:
            raise ParameterError(f"{argument} must hold each name once; got {name!r} twice.")
    return found
