//! The leaky integrate-and-fire neuron between two arrivals, in closed form.
//!
//! Lives here: `tau_m dv/dt = -(v - v_rest) + bias`, the threshold rule, the reset and the
//! time at which a constant drive makes a neuron cross. Not here: who sends what to whom.
//! Invariant: `v` is stored with the time `since` when it held (`held`); while a neuron is refractory
//! `since` lies in the future and `v` is `v_reset`.

use crate::real::simd::{self, Index, Table};
use crate::real::{Real, ln};

mod held;
mod look;
mod receive;

pub use held::Held;
pub use look::Looks;
use receive::{ReceiveAll, ReceiveSome, Summed, Weights};

/// Parameters of a range of neurons, as the inner loop wants them.
#[derive(Debug, Clone)]
pub struct Neurons<T> {
    /// 1 / `tau_m`, 1/µs.
    pub rate: Vec<T>,
    /// How often what decays with `tau_m` is halved in a µs.
    pub halvings: Vec<T>,
    /// `v_rest`, mV.
    pub v_rest: Vec<T>,
    /// `v_rest + bias`: where `v` tends to, mV.
    pub v_end: Vec<T>,
    /// `v_reset`, mV.
    pub v_reset: Vec<T>,
    /// `v_threshold` without adaptation, mV.
    pub v_threshold: Vec<T>,
    /// Refractory period, µs.
    pub t_ref: Vec<u32>,
    /// Threshold adaptation, mV; stays between samples.
    pub theta: Vec<T>,
    /// `v_threshold + theta`, mV.
    pub threshold: Vec<T>,
    /// `v_end`, `halvings` and `threshold` side by side, for neurons far from one another.
    pub together: Vec<[T; 4]>,
}

/// What moves within a sample.
#[derive(Debug, Clone, Default)]
pub struct Membranes<T> {
    /// Potentials and when they held.
    pub held: Held<T>,
    /// Whether who reaches its threshold stays where it is until `competition` has decided.
    waits: bool,
    /// What [`Membranes::receive_all`] works with.
    over: Vec<(u32, u32)>,
}

impl<T: Real> Neurons<T> {
    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.v_rest.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.v_rest.is_empty()
    }

    /// Add `step` mV to the adaptation of neuron `i`.
    pub fn adapt(&mut self, i: usize, step: T) {
        self.set_theta(i, self.theta[i] + step);
    }

    /// Set the adaptation of neuron `i`.
    pub fn set_theta(&mut self, i: usize, theta: T) {
        self.theta[i] = theta;
        self.threshold[i] = self.v_threshold[i] + theta;
        self.together[i] = [self.v_end[i], self.halvings[i], self.threshold[i], T::ZERO];
    }

    /// Set where neuron `i` tends to, mV.
    pub fn set_end(&mut self, i: usize, end: T) {
        self.v_end[i] = end;
        self.together[i][0] = end;
    }

    /// Whether neuron `i` crosses its threshold without any arrival.
    #[inline]
    pub fn is_driven(&self, i: usize) -> bool {
        self.v_end[i] > self.threshold[i]
    }

    /// What `us` leave of the distance to `v_end`.
    #[inline]
    pub(crate) fn leak(&self, i: usize, us: i64) -> T {
        (T::ZERO - T::from_us(us) * self.halvings[i]).pow2()
    }

    /// Membrane potential `us` after a moment when it was `v`.
    #[inline]
    fn relaxed(&self, i: usize, v: T, us: i64) -> T {
        self.v_end[i] + (v - self.v_end[i]) * self.leak(i, us)
    }
}

impl<T: Real> Membranes<T> {
    /// Of no neurons; `waits`: whether who reaches its threshold is not reset at once, for somebody
    /// has to decide whether it spikes.
    pub fn waiting(waits: bool) -> Self {
        Self { waits, ..Self::default() }
    }

    /// See [`Membranes::waiting`].
    #[inline]
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// All neurons at rest at t = 0.
    pub fn reset(&mut self, neurons: &Neurons<T>) {
        self.held.reset(&neurons.v_rest);
    }

    /// Add `input` mV, all that arrives at neuron `i` at time `t`; true if it spikes.
    ///
    /// Before the end of the refractory period the input is lost; at its very end it counts.
    #[inline]
    pub fn receive(&mut self, neurons: &Neurons<T>, i: usize, t: i64, input: T) -> bool {
        let elapsed = t - self.held.since(i);
        if elapsed < 0 {
            return false;
        }
        self.test(neurons, i, t, neurons.relaxed(i, self.held.v(i), elapsed) + input)
    }

    /// Neuron `i` is at `v` at time `t`: reset it and return true if that is a spike. Where it
    /// [waits](Membranes::waiting) it is not reset.
    #[inline]
    pub(crate) fn test(&mut self, neurons: &Neurons<T>, i: usize, t: i64, v: T) -> bool {
        self.held.reach(t);
        let spikes = v >= neurons.threshold[i];
        if spikes && !self.waits {
            self.spike(neurons, i, t);
        } else {
            self.held.set(i, v, t);
        }
        spikes
    }

    /// [`Membranes::receive`] for all neurons whose place in `input` is not 0, which is cleared.
    ///
    /// Those that spike, or that wait for whether they do, are appended to `spiked`, in order.
    pub fn receive_all(
        &mut self,
        neurons: &Neurons<T>,
        t: i64,
        input: &mut Table<T>,
        spiked: &mut Vec<u32>,
    ) {
        let now = self.held.since_base(neurons, t);
        self.receive_far(neurons, t, input, spiked);
        simd::run(ReceiveAll { membranes: self, neurons, t, now, input, spiked });
    }

    /// The same for those of the different neurons `some` whose place in `input` is not 0.
    pub fn receive_some<I: Index>(
        &mut self,
        neurons: &Neurons<T>,
        some: &[I],
        t: i64,
        input: &mut Table<T>,
        spiked: &mut Vec<u32>,
    ) {
        let now = self.held.since_base(neurons, t);
        self.receive_far(neurons, t, input, spiked);
        let arrivals = Summed(input);
        simd::run(ReceiveSome { membranes: self, neurons, some, t, now, arrivals, spiked });
    }

    /// The same for neuron `i`, at which this has `arrived`.
    #[inline]
    fn receive_one(
        &mut self,
        neurons: &Neurons<T>,
        i: usize,
        t: i64,
        arrived: T,
        spiked: &mut Vec<u32>,
    ) {
        if arrived != T::ZERO && self.receive(neurons, i, t, arrived) {
            spiked.push(i as u32);
        }
    }

    /// The same for those neurons that vectors pass by.
    fn receive_far(
        &mut self,
        neurons: &Neurons<T>,
        t: i64,
        input: &mut Table<T>,
        spiked: &mut Vec<u32>,
    ) {
        if self.held.has_far() {
            for i in self.held.far().collect::<Vec<_>>() {
                let arrived = std::mem::replace(&mut input[i], T::ZERO);
                self.receive_one(neurons, i, t, arrived, spiked);
            }
        }
    }

    /// The same for different neurons `some`, each of which receives its one of `weights`.
    pub fn receive_row<I: Index>(
        &mut self,
        neurons: &Neurons<T>,
        some: &[I],
        t: i64,
        weights: &[T],
        spiked: &mut Vec<u32>,
    ) {
        let now = self.held.since_base(neurons, t);
        if self.held.has_far() {
            for (&i, &arrived) in some.iter().zip(weights) {
                self.receive_one(neurons, i.place(), t, arrived, spiked);
            }
            return;
        }
        let arrivals = Weights(weights);
        simd::run(ReceiveSome { membranes: self, neurons, some, t, now, arrivals, spiked });
    }

    /// Potential of neuron `i` at `t`, if nothing has happened to it since it was last known.
    #[inline]
    pub fn potential(&self, neurons: &Neurons<T>, i: usize, t: i64) -> T {
        let (v, us) = (self.held.v(i), t - self.held.since(i));
        if us > 0 { neurons.relaxed(i, v, us) } else { v }
    }

    /// First µs after `now` at which neuron `i` crosses its threshold if nothing arrives.
    ///
    /// The logarithm gives the place, the potential itself decides: the result is the first
    /// lattice point at which [`Membranes::receive`] with no input would spike.
    pub fn crossing(&self, neurons: &Neurons<T>, i: usize, now: i64) -> Option<i64> {
        let (end, threshold) = (neurons.v_end[i].to_f64(), neurons.threshold[i].to_f64());
        if end <= threshold {
            return None;
        }
        let (since, v) = (self.held.since(i), self.held.v(i));
        let fraction = (end - threshold) / (end - v.to_f64());
        let guess = -ln(fraction.max(f64::MIN_POSITIVE)) / neurons.rate[i].to_f64();
        if guess > 9.0e15 {
            return None;
        }
        // A refractory neuron cannot cross before its hold ends; others not in the past.
        let first = if since > now { 0 } else { now + 1 - since };
        let over = |us: i64| neurons.relaxed(i, v, us) >= neurons.threshold[i];
        let mut high = (guess.ceil() as i64).max(first);
        let mut step = 1;
        while !over(high) {
            high += step;
            step *= 2;
        }
        let mut low = (high - step).max(first - 1);
        step = 1;
        while low >= first && over(low) {
            high = low;
            low = (low - step).max(first - 1);
            step *= 2;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if over(middle) { high = middle } else { low = middle }
        }
        Some(since + high)
    }

    /// Neuron `i` spikes at `t`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(crate) fn spike(&mut self, neurons: &Neurons<T>, i: usize, t: i64) {
        self.held.set(i, neurons.v_reset[i], t + i64::from(neurons.t_ref[i]));
    }
}

#[cfg(test)]
mod tests;
