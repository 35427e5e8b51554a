"""A neuron of the reference: its closed form, its two synaptic charges, its next crossing.

Between arrivals, with u the charges in mV and time constants in µs,

    du_s/dt = -u_s / tau_s                                        s = ex, in
    dv/dt   = (v_rest + bias - v) / tau_m + u_ex / tau_ex + u_in / tau_in

so that v is a sum of exponentials. Times are whole µs.
"""

import math
from dataclasses import dataclass, field


def psp(s: float, tau_syn: float, tau_m: float) -> float:
    """Potential `s` after an arrival of 1 mV at a neuron at rest.

    This is (exp(-s/tau_m) - exp(-s/tau_syn)) / (1 - tau_syn/tau_m). With the slower exponential
    taken out, what is left of the difference is expm1 of a negative number: nothing cancels where
    the time constants are close, and nothing overflows.
    """
    gap = abs(tau_m - tau_syn) / (tau_m * tau_syn)  # between the two rates
    rise = s if gap == 0.0 else -math.expm1(-s * gap) / gap
    return math.exp(-s / max(tau_m, tau_syn)) * rise / tau_syn


@dataclass
class Charge:
    """What is still to flow into v, `value` at `t`; a delta synapse (tau_us = 0) holds none."""

    tau_us: float
    value: float = 0.0
    t: int = 0

    def at(self, t: int) -> float:
        return self.value * math.exp(-(t - self.t) / self.tau_us) if self.value else 0.0

    def current(self, t: int) -> float:
        """Charge that leaves per µs, and raises v by as much."""
        return self.at(t) / self.tau_us if self.value else 0.0

    def add(self, t: int, weight: float) -> None:
        self.value, self.t = self.at(t) + weight, t


@dataclass
class Neuron:
    """`v` is the potential at `t`, from where it follows the closed form.

    While the neuron is refractory, `t` is the end of that and lies ahead.
    """

    tau_us: float
    v_rest: float
    v_reset: float
    v_threshold: float
    t_ref: int
    bias: float
    ex: Charge
    in_: Charge
    theta: float = 0.0
    t: int = 0
    v: float = 0.0
    version: int = 0  # of the predicted crossing: older ones in the heap are void
    doubtful_from: float = math.inf  # v comes close to the threshold, if nothing arrives before
    incoming: list = field(default_factory=list)  # plastic synapses only

    @property
    def threshold(self) -> float:
        return self.v_threshold + self.theta

    @property
    def v_infinity(self) -> float:
        return self.v_rest + self.bias

    def transient(self, t: int) -> float:
        """v - v_infinity at `t`, from the state at `self.t`; it tends to 0."""
        s = t - self.t
        total = (self.v - self.v_infinity) * math.exp(-s / self.tau_us)
        for charge in (self.ex, self.in_):
            if charge.value:
                total += charge.at(self.t) * psp(s, charge.tau_us, self.tau_us)
        return total

    def v_at(self, t: int) -> float:
        return self.v if t == self.t else self.v_infinity + self.transient(t)

    def receive(self, t: int, weights: list[float]) -> None:
        """Take all arrivals of one µs; while refractory only the charges do."""
        if t >= self.t:
            self.v, self.t = self.v_at(t), t  # up to here with the charges of before
        to_v = 0.0
        for weight in weights:
            charge = self.ex if weight > 0.0 else self.in_
            if charge.tau_us > 0.0:
                charge.add(t, weight)
            else:
                to_v += weight
        if t >= self.t:
            self.v += to_v

    def spike(self, t: int) -> None:
        """Hold v at v_reset for the refractory period; the charges take no notice."""
        self.v, self.t = self.v_reset, t + self.t_ref

    def lower(self, t: int, inhibition: float, hold: int) -> None:
        """Lose to another neuron of the group, unless refractory or held already."""
        if t >= self.t:
            self.v, self.t = min(self.v_at(t), self.threshold) - inhibition, t + hold

    def first_reaching(self, level: float, start: int, end: int) -> int | None:
        """First whole µs from `start` and before `end` at which v >= level, if nothing arrives.

        A march that looks at one µs after another and leaves out only those at which v is below
        the level for certain. At `t` let v < level, and let c be the first real time after t at
        which v = level. There is a last moment before c at which v is what it is at t, since v is
        continuous; from there to c it is no lower. u_ex only shrinks and u_in <= 0, so on that way

            dv/dt <= slope = (v_infinity - v(t)) / tau_m + u_ex(t) / tau_ex

        and c >= t + (level - v(t)) / slope; if slope <= 0 there is no c. No whole µs before c
        reaches the level, and rounding down leaves nearly 1 µs for the errors of floats.

        Inhibition makes that bound a weak one and the march a long one. For a quarter of tau_in at
        least exp(-1/4) of the inhibition remains, so for that time its share counts too.
        """
        t, v_infinity = start, self.v_infinity
        while t < end:
            transient = self.transient(t)
            v = self.v if t == self.t else v_infinity + transient
            # What only tends to the level does not reach it, whatever rounding says.
            if v >= level and (v_infinity != level or transient > 0.0):
                return t
            gap = (level - v_infinity) - transient
            slope = self.ex.current(t) - transient / self.tau_us
            if slope <= 0.0:
                return None
            safe = gap / slope
            if self.in_.value:
                slope += self.in_.current(t) * math.exp(-0.25)
                stretch = self.in_.tau_us / 4.0
                safe = max(safe, min(stretch, gap / slope) if slope > 0.0 else stretch)
            t += max(1, math.floor(min(safe, end)))
        return None

    def predict(self, end: int, doubt: float, *, overdue: bool = False) -> int | None:
        """Return the first whole µs before `end` at or over threshold, if nothing arrives.

        The first with |v - threshold| < doubt is noted: it is the first over threshold - doubt,
        unless v is over threshold + doubt there, and then that is a spike beyond doubt. `overdue`
        asks for the first whole µs over threshold + doubt instead.
        """
        self.doubtful_from = math.inf
        t = self.first_reaching(self.threshold - doubt, self.t, end)
        if t is None or doubt == 0.0:
            return t
        if abs(self.v_at(t) - self.threshold) < doubt:
            self.doubtful_from = t
        return self.first_reaching(self.threshold + (doubt if overdue else 0.0), t, end)
