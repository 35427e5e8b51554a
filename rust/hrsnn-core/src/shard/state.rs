//! What moves in a shard, to read, to check and to put back, whatever the shards were.
//!
//! Lives here: the state of neurons, and what is on its way to them. Not here: what a file makes of
//! it, and the traces of synapses (`engine`). Invariant: [`Potentials`] that passed
//! [`Potentials::check`] can be gone on with without any further error.

use std::cmp::Reverse;

use super::{Activity, Shard, Spike};
use crate::error::{Error, Result};
use crate::projection::Source;
use crate::queue::Delivery;
use crate::real::Real;

/// Largest magnitude of a potential or charge, mV: far beyond any use, and far enough from what
/// float32 holds for their sums.
const MOST_MV: f64 = 1e30;

/// State of all neurons, one element a neuron.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Potentials<T> {
    /// Membrane potential, mV.
    pub v: Vec<T>,
    /// When it held, µs; in the future while a neuron is refractory.
    pub since: Vec<i64>,
    /// Charges of excitatory and inhibitory currents, mV; empty without currents.
    pub charge: [Vec<T>; 2],
    /// When these held, µs.
    pub charge_since: Vec<i64>,
    /// When the neuron crosses its threshold by itself, µs; -1 if it does not.
    pub crossing: Vec<i64>,
}

impl<T: Real> Potentials<T> {
    /// Refuse what no neuron of `shards` can have come to at time `t`.
    ///
    /// # Errors
    /// Names the array, the neuron and the value.
    pub fn check(&self, shards: &[Shard<T>], t: i64) -> Result<()> {
        let n: usize = shards.iter().map(|shard| shard.neurons.len()).sum();
        let n_charged = if shards.iter().any(|shard| shard.receptors.is_some()) { n } else { 0 };
        let lengths = [
            ("v", self.v.len(), n),
            ("since", self.since.len(), n),
            ("charge_ex", self.charge[0].len(), n_charged),
            ("charge_in", self.charge[1].len(), n_charged),
            ("charge_since", self.charge_since.len(), n_charged),
            ("crossing", self.crossing.len(), n),
        ];
        for (name, found, expected) in lengths {
            if found != expected {
                return Err(Error::length(name, expected, found));
            }
        }
        for shard in shards {
            for local in 0..shard.neurons.len() {
                self.check_membrane(shard, local, t)?;
                self.check_charges(shard, local, t)?;
            }
        }
        Ok(())
    }

    fn check_membrane(&self, shard: &Shard<T>, local: usize, now: i64) -> Result<()> {
        let i = shard.first as usize + local;
        let (v, since, crossing) = (self.v[i].to_f64(), self.since[i], self.crossing[i]);
        if !(-MOST_MV..=MOST_MV).contains(&v) {
            return Err(Error::element("v", "between -1e30 and 1e30 mV", v, "neuron", i));
        }
        let hold = shard.groups.as_ref().map_or(0, |groups| groups.hold_of(local));
        let latest = now + hold.max(i64::from(shard.neurons.t_ref[local]));
        if !(0..=latest).contains(&since) {
            let expected = format!("between 0 and {latest} µs");
            return Err(Error::element("since", expected, since, "neuron", i));
        }
        let can_cross = shard.receptors.is_some()
            || shard.neurons.v_end[local] > shard.neurons.v_threshold[local];
        if crossing != -1 && !can_cross {
            let expected = "-1 for a neuron that does not cross by itself";
            return Err(Error::element("crossing", expected, crossing, "neuron", i));
        }
        if crossing != -1 && crossing < now {
            let expected = format!("-1 or at least {now} µs");
            return Err(Error::element("crossing", expected, crossing, "neuron", i));
        }
        Ok(())
    }

    fn check_charges(&self, shard: &Shard<T>, local: usize, now: i64) -> Result<()> {
        let Some(receptors) = &shard.receptors else { return Ok(()) };
        let i = shard.first as usize + local;
        for (kind, name) in ["charge_ex", "charge_in"].into_iter().enumerate() {
            let u = self.charge[kind][i].to_f64();
            let (expected, low, high) = match (receptors.has_current(kind, local), kind) {
                (false, _) => ("0 mV where there is no such current", 0.0, 0.0),
                (true, 0) => ("between 0 and 1e30 mV", 0.0, MOST_MV),
                (true, _) => ("between -1e30 and 0 mV", -MOST_MV, 0.0),
            };
            if !(low..=high).contains(&u) {
                return Err(Error::element(name, expected, u, "neuron", i));
            }
        }
        // The charges are known to be older than the potential.
        let (latest, since) = (self.since[i].min(now), self.charge_since[i]);
        if !(0..=latest).contains(&since) {
            let expected = format!("between 0 and {latest} µs");
            return Err(Error::element("charge_since", expected, since, "neuron", i));
        }
        Ok(())
    }
}

impl<T: Real> Activity<T> {
    /// Append the state of these neurons to that of those before.
    pub fn copy_to(&self, all: &mut Potentials<T>) {
        let (held, neurons) = (&self.membranes.held, 0..self.crossing.len());
        all.v.extend(neurons.clone().map(|i| held.v(i)));
        all.since.extend(neurons.map(|i| held.since(i)));
        for (kind, charge) in all.charge.iter_mut().enumerate() {
            charge.extend_from_slice(&self.charges.u[kind]);
        }
        all.charge_since.extend_from_slice(&self.charges.at);
        all.crossing.extend(self.crossing.iter().map(|&t| if t == i64::MAX { -1 } else { t }));
    }

    /// Put back the state of the neurons of `shard`.
    pub fn copy_from(&mut self, shard: &Shard<T>, all: &Potentials<T>) {
        let span = shard.first as usize..shard.first as usize + shard.neurons.len();
        for (i, k) in span.clone().enumerate() {
            self.membranes.held.set(i, all.v[k], all.since[k]);
        }
        if shard.receptors.is_some() {
            for (kind, charge) in all.charge.iter().enumerate() {
                self.charges.u[kind].copy_from_slice(&charge[span.clone()]);
            }
            self.charges.at.copy_from_slice(&all.charge_since[span.clone()]);
        }
        self.crossings.clear();
        for (i, &t) in all.crossing[span].iter().enumerate() {
            self.crossing[i] = if t == -1 { i64::MAX } else { t };
            if t != -1 {
                self.crossings.push(Reverse((t, i as u32)));
            }
        }
    }

    /// Send `spikes` of `source`, in the order of time, once more on their way to the neurons of
    /// `shard`; those that have arrived before `now` have done so.
    pub fn send_again(&mut self, shard: &Shard<T>, source: Source, spikes: &[Spike], now: i64) {
        for (number, projection) in shard.projections.iter().enumerate() {
            if projection.source != source {
                continue;
            }
            let rows = &projection.rows;
            let longest = rows.longest_delay();
            let first = spikes.partition_point(|(t, _)| t + i64::from(longest) < now);
            for &(t, row) in &spikes[first..] {
                for segment in rows.segments(row as usize) {
                    let arrival = t + i64::from(rows.delay(segment));
                    if arrival >= now {
                        self.queue.push(Delivery { arrival, projection: number as u32, segment });
                    }
                }
            }
        }
    }
}
