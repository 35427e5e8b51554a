//! Exponential synaptic currents, in closed form.
//!
//! Lives here: the charges that arrivals leave at a neuron and that flow into its membrane, and
//! the time at which the membrane crosses its threshold while they do. Not here: the membrane by
//! itself (`neuron`). Invariants: the charge of kind `s` obeys `du/dt = -u / tau_syn`, and what
//! leaves it enters the membrane, so that a weight in mV is what `v` would move by without a leak,
//! and `tau_syn -> 0` is the delta synapse; excitatory charges are >= 0, inhibitory ones <= 0.
//!
//! **Why the first crossing cannot be missed.** With `I` the sum of both currents, the slope of `v`
//! times `exp(t / tau_m)` has the derivative `exp(t / tau_m) dI/dt / tau_m`. `I` is the difference
//! of two exponentials, so `dI/dt` changes its sign at most once, at a time known in closed form;
//! on either side of it the slope changes its sign at most once. So `v` has at most three monotone
//! stretches, found by bisection, and on a rising one the lattice is bisected.

use crate::neuron::{Membranes, Neurons};
use crate::real::{Real, ln};
use crate::time::rate_from_ms;

/// Which of a neuron's two currents a synapse feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receptor {
    /// Positive weights.
    Excitatory,
    /// Negative weights.
    Inhibitory,
}

/// Synaptic time constants of a range of neurons; excitatory, inhibitory.
#[derive(Debug, Clone)]
pub struct Receptors<T> {
    /// 1 / `tau_syn`, 1/µs; 0 where the synapses are delta synapses.
    rate: [Vec<T>; 2],
    /// Largest rise of `v` by a unit of excitatory charge.
    peak: Vec<T>,
}

/// What moves within a sample.
#[derive(Debug, Clone, Default)]
pub struct Charges<T> {
    /// mV.
    pub(crate) u: [Vec<T>; 2],
    /// When `u` held, µs.
    pub(crate) at: Vec<i64>,
}

/// Terms of the series of (1 - exp(-y)) / y: 1 / n!, from n = 1.
const SERIES: [f64; 16] = {
    let mut terms = [1.0; 16];
    let mut n = 1;
    while n < 16 {
        terms[n] = terms[n - 1] / (n + 1) as f64;
        n += 1;
    }
    terms
};
/// Below it the difference of two exponentials cancels, and the series is used.
const CLOSE: f64 = 0.5;
/// Time constants after which nothing moves any more: exp(-60) is below any rounding.
const SETTLED: f64 = 60.0;
/// What comes later than this many µs does not come.
const LONGEST: f64 = 9.0e15;

/// What a unit of charge has added to `v` after `us`, given `exp(-us * rate)` for both rates.
#[inline]
fn flown<T: Real>(us: T, [rate, membrane]: [T; 2], [decay, leak]: [T; 2]) -> T {
    let gap = rate - membrane;
    let y = us * gap.max(T::ZERO - gap);
    if y >= T::from_f64(CLOSE) {
        return rate * ((leak - decay) / gap);
    }
    let mut sum = T::ZERO;
    for &term in SERIES.iter().rev() {
        sum = T::from_f64(term) - y * sum;
    }
    us * rate * leak.max(decay) * sum
}

/// Largest value of [`flown`], or a little more, for the ratio `tau_syn / tau_m`.
fn peak(ratio: f64) -> f64 {
    // ratio^(ratio / (1 - ratio)), which tends to 1/e at 1.
    let near = (ratio - 1.0).abs() < 1e-4;
    let exponent = ln(ratio.max(f64::MIN_POSITIVE)) / (1.0 / ratio - 1.0);
    Real::exp(if near { -1.0 + 1e-4 } else { exponent })
}

impl<T: Real> Receptors<T> {
    /// Of neurons with the time constants `tau_syn` (excitatory, inhibitory) and `tau_m`, ms.
    pub fn new(tau_syn: [&[f64]; 2], tau_m: &[f64]) -> Self {
        let rate = |&tau: &f64| if tau == 0.0 { T::ZERO } else { rate_from_ms(tau) };
        let peaks = tau_syn[0].iter().zip(tau_m).map(|(s, m)| T::from_f64(peak(s / m)));
        Self { rate: tau_syn.map(|tau| tau.iter().map(rate).collect()), peak: peaks.collect() }
    }

    /// Whether neuron `i` has a current of this kind, 0 excitatory and 1 inhibitory.
    pub(crate) fn has_current(&self, kind: usize, i: usize) -> bool {
        self.rate[kind][i] > T::ZERO
    }
}

/// A neuron from the moment at which `v` and both charges held; times in µs from there.
#[derive(Debug, Clone, Copy)]
struct Course<T> {
    /// `v_rest + bias`, mV.
    end: T,
    /// 1 / `tau_m`.
    leak: T,
    /// The same in halvings, for what the membrane does by itself.
    halvings: T,
    /// 1 / `tau_syn`.
    rate: [T; 2],
    v: T,
    u: [T; 2],
}

impl<T: Real> Course<T> {
    /// `v` and both charges after `us`.
    #[inline]
    fn after(&self, us: T) -> (T, [T; 2]) {
        let leak = (T::ZERO - us * self.halvings).pow2();
        let mut v = self.end + (self.v - self.end) * leak;
        let mut u = self.u;
        for (u, rate) in u.iter_mut().zip(self.rate) {
            if *u != T::ZERO {
                let decay = (T::ZERO - us * rate).exp();
                v += *u * flown(us, [rate, self.leak], [decay, leak]);
                *u = *u * decay;
            }
        }
        (v, u)
    }

    fn to_f64(self) -> Course<f64> {
        Course {
            end: self.end.to_f64(),
            leak: self.leak.to_f64(),
            halvings: self.halvings.to_f64(),
            rate: self.rate.map(T::to_f64),
            v: self.v.to_f64(),
            u: self.u.map(T::to_f64),
        }
    }
}

impl Course<f64> {
    /// Whether `v` rises after `us`.
    fn rises(&self, us: f64) -> bool {
        // From a course that tends to 0, so that what is left of `v` does not cancel.
        let (v, u) = Self { end: 0.0, v: self.v - self.end, ..*self }.after(us);
        self.rate[0] * u[0] + self.rate[1] * u[1] > self.leak * v
    }

    /// When the sum of both currents turns, if it does.
    fn turn(&self) -> Option<f64> {
        let [ex, inh] = [0, 1].map(|kind| self.rate[kind] * self.rate[kind] * self.u[kind].abs());
        let gap = self.rate[0] - self.rate[1];
        let turns = ex > f64::MIN_POSITIVE && inh > f64::MIN_POSITIVE && gap != 0.0;
        turns.then(|| (ln(ex) - ln(inh)) / gap)
    }

    /// When everything has come to rest.
    fn settled(&self) -> f64 {
        let flowing = [0, 1].into_iter().filter(|&kind| self.u[kind] != 0.0);
        SETTLED / flowing.fold(self.leak, |slowest, kind| slowest.min(self.rate[kind]))
    }

    /// Stretches on which `v` rises, in order; each ends at most 0.5 µs after its highest point.
    ///
    /// Without those on which it only tends to `end`, if that is not above `threshold`.
    fn rising(&self, threshold: f64) -> [Option<(f64, f64)>; 2] {
        let end = self.settled();
        let turn = self.turn().filter(|&us| 0.0 < us && us < end);
        let pieces = [Some((0.0, turn.unwrap_or(end))), turn.map(|us| (us, end))];
        pieces.map(|piece| {
            let (from, to) = piece?;
            let (up, still_up) = (self.rises(from), self.rises(to));
            if still_up && to >= end && self.end <= threshold {
                return None;
            }
            let bisect = |up: bool| {
                let (mut low, mut high) = (from, to);
                while high - low > 0.5 {
                    let middle = 0.5 * (low + high);
                    if middle <= low || middle >= high {
                        // Beyond 2^53 µs there is nothing between two numbers.
                        break;
                    }
                    if self.rises(middle) == up { low = middle } else { high = middle }
                }
                (low, high)
            };
            match (up, still_up) {
                (true, true) => Some((from, to)),
                (true, false) => Some((from, bisect(true).1)),
                (false, true) => Some((bisect(false).0, to)),
                (false, false) => None,
            }
        })
    }
}

impl<T: Real> Charges<T> {
    /// No charges at t = 0, for `n` neurons.
    pub fn reset(&mut self, n: usize) {
        for u in &mut self.u {
            u.clear();
            u.resize(n, T::ZERO);
        }
        self.at.clear();
        self.at.resize(n, 0);
    }

    /// Charges of neuron `i` at `t`, which is not before they held.
    pub fn left(&self, receptors: &Receptors<T>, i: usize, t: i64) -> [T; 2] {
        let us = T::ZERO - T::from_us(t - self.at[i]);
        [0, 1].map(|kind| self.u[kind][i] * (us * receptors.rate[kind][i]).exp())
    }

    /// Neuron `i` from the moment at which its potential is known.
    fn course(
        &self,
        membranes: &Membranes<T>,
        neurons: &Neurons<T>,
        receptors: &Receptors<T>,
        i: usize,
    ) -> Course<T> {
        Course {
            end: neurons.v_end[i],
            leak: neurons.rate[i],
            halvings: neurons.halvings[i],
            rate: [0, 1].map(|kind| receptors.rate[kind][i]),
            v: membranes.held.v(i),
            u: self.left(receptors, i, membranes.held.since(i)),
        }
    }

    /// Potential of neuron `i` at `t`, if nothing has happened to it since it was last known.
    pub fn potential(
        &self,
        membranes: &Membranes<T>,
        neurons: &Neurons<T>,
        receptors: &Receptors<T>,
        i: usize,
        t: i64,
    ) -> T {
        let us = t - membranes.held.since(i);
        if us <= 0 {
            return membranes.held.v(i);
        }
        self.course(membranes, neurons, receptors, i).after(T::from_us(us)).0
    }

    /// Neuron `i` is at `t` what it has become by itself; a refractory one has only its charges there.
    pub fn bring(
        &mut self,
        membranes: &mut Membranes<T>,
        neurons: &Neurons<T>,
        receptors: &Receptors<T>,
        i: usize,
        t: i64,
    ) {
        let us = t - membranes.held.since(i);
        let mut u = self.left(receptors, i, t);
        if us >= 0 {
            let course = self.course(membranes, neurons, receptors, i);
            let (v, left) = course.after(T::from_us(us));
            membranes.held.set(i, v, t);
            u = left;
        }
        for (charges, left) in self.u.iter_mut().zip(u) {
            charges[i] = left;
        }
        self.at[i] = t;
    }

    /// Add `input` mV, `[excitatory, inhibitory]`, all that arrives at neuron `i` at time `t`;
    /// true if it spikes.
    ///
    /// Before the end of the refractory period only the charges take it in.
    pub fn receive(
        &mut self,
        membranes: &mut Membranes<T>,
        neurons: &Neurons<T>,
        receptors: &Receptors<T>,
        i: usize,
        t: i64,
        input: [T; 2],
    ) -> bool {
        let is_refractory = t < membranes.held.since(i);
        let mut v = membranes.held.v(i);
        let mut u = if is_refractory {
            self.left(receptors, i, t)
        } else {
            let course = self.course(membranes, neurons, receptors, i);
            let (now, left) = course.after(T::from_us(t - membranes.held.since(i)));
            v = now;
            left
        };
        for kind in 0..2 {
            if receptors.rate[kind][i] > T::ZERO {
                u[kind] += input[kind];
            } else {
                v += input[kind];
            }
            self.u[kind][i] = u[kind];
        }
        self.at[i] = t;
        !is_refractory && membranes.test(neurons, i, t, v)
    }

    /// First µs after `now`, the time of the last [`Charges::receive`], at which neuron `i` crosses
    /// its threshold if nothing arrives.
    pub fn crossing(
        &self,
        membranes: &Membranes<T>,
        neurons: &Neurons<T>,
        receptors: &Receptors<T>,
        i: usize,
        now: i64,
    ) -> Option<i64> {
        if self.u.iter().all(|u| u[i] == T::ZERO) {
            return membranes.crossing(neurons, i, now);
        }
        let (v, end, threshold) = (membranes.held.v(i), neurons.v_end[i], neurons.threshold[i]);
        // Inhibition only lowers `v`, and charges only decay; the margin covers rounding.
        let rise = self.u[0][i] * receptors.peak[i];
        let size = [v, end, threshold].into_iter().fold(rise, |sum, x| sum + x.max(T::ZERO - x));
        if v.max(end) + rise + size * T::from_f64(1e-4) < threshold {
            return None;
        }
        let since = membranes.held.since(i);
        // A refractory neuron may cross from the end of its hold on, any other from the next µs.
        let first = i64::from(since <= now);
        let course = self.course(membranes, neurons, receptors, i);
        let over = |us: i64| course.after(T::from_us(us)).0 >= threshold;
        for (from, to) in course.to_f64().rising(threshold.to_f64()).into_iter().flatten() {
            if from > LONGEST {
                return None;
            }
            let to = to.min(LONGEST);
            // The highest lattice point lies on either side of the highest point.
            let (from, to) = ((from.floor() as i64).max(first), to.ceil() as i64);
            let Some(mut high) = ((to - 2).max(from)..=to).find(|&us| over(us)) else { continue };
            let mut low = from - 1;
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if over(middle) { high = middle } else { low = middle }
            }
            return Some(since + high);
        }
        None
    }
}

#[cfg(test)]
mod tests;
