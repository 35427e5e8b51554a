//! Spike-timing-dependent plasticity whose four parameters belong to each synapse.
//!
//! Lives here: the rule, the synapses it changes, and the history of post spikes it reads.
//! Not here: when a row is visited (`shard`).
//!
//! **Row only, deferred.** Nothing happens to a weight when its post neuron spikes; the spike
//! goes into a history. When a presynaptic spike arrives, the row is visited once: each
//! synapse first takes the potentiations by the post spikes since the last visit, in their
//! order, then delivers its weight, then is depressed. A weight is only read on arrival, so
//! the result is that of doing each at once, provided that pending potentiations are settled
//! before weights are read in any other way ([`PlasticSynapses::settle`]).
//!
//! **What a visit leaves behind.** Per segment (synapses of one row with one delay, which see
//! the same arrivals) the time of the visit and the number of arrivals at that µs; per synapse
//! the traces *just before* that visit. So a post spike in the same µs as an arrival finds the
//! pre trace without it, and a coincidence changes nothing.

use crate::real::Real;

/// Which earlier spikes count in a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// All of them: a trace grows by 1 with each spike.
    AllToAll,
    /// The latest: a trace is set to 1 by each spike.
    Nearest,
}

/// What all plastic synapses of a projection share.
#[derive(Debug, Clone, Copy)]
pub struct Rule<T> {
    /// Lower bound, mV.
    pub w_min: T,
    /// Upper bound, mV.
    pub w_max: T,
    /// Exponent of the weight dependence of potentiation.
    pub mu_plus: T,
    /// Exponent of the weight dependence of depression.
    pub mu_minus: T,
    /// Which spikes pair.
    pub pairing: Pairing,
}

impl<T: Real> Rule<T> {
    #[inline]
    fn clip(&self, w: T) -> T {
        w.max(self.w_min).min(self.w_max)
    }

    #[inline]
    fn potentiated(&self, w: T, amount: T) -> T {
        self.clip(w + amount * (self.w_max - w).pow(self.mu_plus))
    }

    #[inline]
    fn depressed(&self, w: T, amount: T) -> T {
        self.clip(w - amount * (w - self.w_min).pow(self.mu_minus))
    }

    /// Trace just after `count` spikes at a µs before which it was `trace`.
    #[inline]
    fn raised(&self, trace: T, count: u32) -> T {
        match (count, self.pairing) {
            (0, _) => trace,
            (_, Pairing::Nearest) => T::ONE,
            (count, Pairing::AllToAll) => trace + T::from_us(i64::from(count)),
        }
    }
}

/// Post spikes of a range of neurons since the synapses onto them were last settled.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Latest spike of each neuron, `i64::MIN` before the first.
    latest: Vec<i64>,
    /// Index of each neuron's latest entry in `spikes`.
    head: Vec<u32>,
    /// Time, and the entry before it of the same neuron.
    spikes: Vec<(i64, u32)>,
}

const NONE: u32 = u32::MAX;

impl History {
    /// Forget everything; for `n` neurons.
    pub fn reset(&mut self, n: usize) {
        self.latest.clear();
        self.latest.resize(n, i64::MIN);
        self.forget(n);
    }

    /// Forget spikes that every synapse has taken in; `latest` stays, it is older than any visit.
    pub fn forget(&mut self, n: usize) {
        self.head.clear();
        self.head.resize(n, NONE);
        self.spikes.clear();
    }

    /// Neuron `i` spiked at `t`.
    pub fn push(&mut self, i: usize, t: i64) {
        let entry = self.spikes.len() as u32;
        self.spikes.push((t, self.head[i]));
        self.head[i] = entry;
        self.latest[i] = t;
    }

    /// Spikes of neuron `i` at or after `since`, oldest first, into `into`.
    fn pending(&self, i: usize, since: i64, into: &mut Vec<i64>) {
        into.clear();
        let mut entry = self.head[i];
        while entry != NONE {
            let (t, before) = self.spikes[entry as usize];
            if t < since {
                break;
            }
            into.push(t);
            entry = before;
        }
        into.reverse();
    }
}

/// The last visit of a segment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visit {
    /// When, µs.
    t: i64,
    /// Arrivals at that µs; 0 where the segment was only settled.
    arrivals: u32,
}

/// Synapses that learn, one array a field, in the order of their projection's rows.
#[derive(Debug, Clone)]
pub struct PlasticSynapses<T> {
    /// What they share.
    pub rule: Rule<T>,
    /// Post neuron, counted within the shard.
    pub target: Vec<u32>,
    /// Weight, mV.
    pub weight: Vec<T>,
    /// Pre trace just before the segment's last visit.
    trace_pre: Vec<T>,
    /// Post trace just before the segment's last visit.
    trace_post: Vec<T>,
    /// `a_plus`, mV.
    pub a_plus: Vec<T>,
    /// `a_minus`, mV.
    pub a_minus: Vec<T>,
    /// 1 / `tau_plus`, 1/µs.
    pub rate_plus: Vec<T>,
    /// 1 / `tau_minus`, 1/µs.
    pub rate_minus: Vec<T>,
    /// Last visit of each segment.
    visits: Vec<Visit>,
    /// Room for the pending spikes of one neuron.
    pending: Vec<i64>,
}

/// Synapses whose decays are computed together.
const BLOCK: usize = 16;

impl<T: Real> PlasticSynapses<T> {
    /// Synapses with amplitudes `[a_plus, a_minus]` and rates `[1 / tau_plus, 1 / tau_minus]`.
    pub fn new(
        rule: Rule<T>,
        target: Vec<u32>,
        weight: Vec<T>,
        [a_plus, a_minus]: [Vec<T>; 2],
        [rate_plus, rate_minus]: [Vec<T>; 2],
    ) -> Self {
        Self {
            rule,
            target,
            weight,
            trace_pre: Vec::new(),
            trace_post: Vec::new(),
            a_plus,
            a_minus,
            rate_plus,
            rate_minus,
            visits: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// Clear traces and visits: the state at t = 0 of a sample.
    pub fn reset(&mut self, n_segments: usize) {
        for trace in [&mut self.trace_pre, &mut self.trace_post] {
            trace.clear();
            trace.resize(self.weight.len(), T::ZERO);
        }
        self.visits.clear();
        self.visits.resize(n_segments, Visit::default());
    }

    /// One arrival at time `t` at the synapses `range` of `segment`: settle, deliver, depress.
    ///
    /// Adds what is delivered to `input` and returns the number of weight updates.
    pub fn arrive(
        &mut self,
        segment: usize,
        range: std::ops::Range<usize>,
        t: i64,
        history: &History,
        input: &mut [T],
    ) -> u64 {
        let visit = self.visits[segment];
        let mut updates = range.len() as u64;
        if visit.arrivals > 0 && visit.t == t {
            // A further arrival in the same µs: the traces before it are those already kept.
            self.visits[segment].arrivals += 1;
            for s in range {
                let w = self.weight[s];
                input[self.target[s] as usize] += w;
                self.weight[s] = self.rule.depressed(w, self.a_minus[s] * self.trace_post[s]);
            }
            return updates;
        }
        updates += self.advance::<true>(visit, range, t, history, input);
        self.visits[segment] = Visit { t, arrivals: 1 };
        updates
    }

    /// Apply what is pending at time `t`, a moment before which all has been delivered.
    ///
    /// Returns the number of weight updates.
    pub fn settle(
        &mut self,
        segment: usize,
        range: std::ops::Range<usize>,
        t: i64,
        history: &History,
    ) -> u64 {
        let visit = self.visits[segment];
        self.visits[segment] = Visit { t, arrivals: 0 };
        self.advance::<false>(visit, range, t, history, &mut [])
    }

    /// Bring `range` from the last visit to time `t`; with `ARRIVAL` deliver and depress too.
    #[inline]
    fn advance<const ARRIVAL: bool>(
        &mut self,
        visit: Visit,
        range: std::ops::Range<usize>,
        t: i64,
        history: &History,
        input: &mut [T],
    ) -> u64 {
        let rule = self.rule;
        let elapsed = T::ZERO - T::from_us(t - visit.t);
        let (mut decay_plus, mut decay_minus) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
        let mut pending = std::mem::take(&mut self.pending);
        let mut potentiations = 0;
        let mut start = range.start;
        while start < range.end {
            let block = start..range.end.min(start + BLOCK);
            let n = block.len();
            // Slices of one known length, so that the arithmetic becomes vector code.
            for (decay, rate) in decay_plus[..n].iter_mut().zip(&self.rate_plus[block.clone()]) {
                *decay = (elapsed * *rate).exp();
            }
            for (decay, rate) in decay_minus[..n].iter_mut().zip(&self.rate_minus[block.clone()]) {
                *decay = (elapsed * *rate).exp();
            }
            let target = &self.target[block.clone()];
            let weight = &mut self.weight[block.clone()];
            let trace_pre = &mut self.trace_pre[block.clone()];
            let trace_post = &mut self.trace_post[block.clone()];
            let a_minus = &self.a_minus[block.clone()];
            for k in 0..n {
                let post = target[k] as usize;
                let mut w = weight[k];
                let before = trace_pre[k];
                let after = rule.raised(before, visit.arrivals);
                let mut y = trace_post[k] * decay_minus[k];
                if history.latest[post] >= visit.t {
                    let s = start + k;
                    history.pending(post, visit.t, &mut pending);
                    potentiations += pending.len() as u64;
                    for &p in &pending {
                        let x = if p == visit.t {
                            before
                        } else {
                            after * (T::from_us(visit.t - p) * self.rate_plus[s]).exp()
                        };
                        w = rule.potentiated(w, self.a_plus[s] * x);
                        let pair = (T::from_us(p - t) * self.rate_minus[s]).exp();
                        y = match rule.pairing {
                            Pairing::AllToAll => y + pair,
                            Pairing::Nearest => pair,
                        };
                    }
                }
                if ARRIVAL {
                    input[post] += w;
                    w = rule.depressed(w, a_minus[k] * y);
                }
                weight[k] = w;
                trace_pre[k] = after * decay_plus[k];
                trace_post[k] = y;
            }
            start += n;
        }
        self.pending = pending;
        potentiations
    }
}

#[cfg(test)]
mod tests;
