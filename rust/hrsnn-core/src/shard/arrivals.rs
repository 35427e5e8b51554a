//! What happens in one µs: arrivals, the neurons that they reach, spikes.

use super::Activity;
use super::pass::{Pass, ask_beyond};
use crate::queue::{Due, n_together};
use crate::real::Real;
use crate::targets::with_targets;

impl<T: Real> Activity<T> {
    /// All arrivals of one µs: the first `together` of `rest`, which is all that comes in this window.
    pub(super) fn arrive<P: Pass<T>>(
        &mut self,
        pass: &mut P,
        rest: &[Due],
        together: usize,
        t: i64,
    ) {
        let deliveries = &rest[..together];
        let (n_neurons, crosses) = (self.crossing.len(), pass.shard().crosses);
        // Which neurons received something: look at all of them, or along the rows again.
        // Neurons do not meet within a µs, so this choice changes no result.
        let look_at_all = |n_synapses: usize| 2 * n_synapses >= n_neurons;
        // Where a neuron receives one weight there is nothing to sum.
        let alone = matches!(deliveries, &[delivery] if !crosses && !delivery.is_parcel()
            && !look_at_all(pass.shard().targets(delivery).len())
            && pass.weights(delivery).is_some());
        let mut n_synapses = 0;
        let mut rest = rest;
        let mut left = deliveries;
        while !left.is_empty() {
            let (of_projection, others) = left.split_at(n_together(left, Due::rank));
            left = others;
            let projection = &pass.shard().projections[of_projection[0].projection()];
            let (source, receptor) = (projection.source, projection.receptor as usize);
            for run in of_projection.chunk_by(|a, b| !a.is_parcel() && !b.is_parcel()) {
                let (n, updates) = if let Some(parcel) = run[0].parcel() {
                    (self.parcels.deliver(parcel, &mut self.input[receptor]), 0)
                } else if alone {
                    ask_beyond(pass.shard(), 1, rest, P::LEARNS);
                    (pass.shard().targets(run[0]).len(), 0)
                } else {
                    pass.deliver(run, rest, t, &self.history, &mut self.input[receptor])
                };
                self.counters.count(source, n);
                self.counters.weight_updates += updates;
                n_synapses += n;
                rest = &rest[run.len()..];
            }
        }
        let (neurons, input) = (&pass.shard().neurons, &mut self.input[0]);
        if crosses {
            self.collect(pass, deliveries, t, look_at_all(n_synapses));
        } else if look_at_all(n_synapses) {
            self.membranes.receive_all(neurons, t, input, &mut self.spiked);
        } else {
            for &delivery in deliveries {
                let (membranes, spiked) = (&mut self.membranes, &mut self.spiked);
                if let Some(parcel) = delivery.parcel() {
                    let rows = &pass.shard().projections[delivery.projection()].rows;
                    for some in self.parcels.segments(parcel, rows.start()) {
                        with_targets!(some, some => {
                            membranes.receive_some(neurons, some, t, input, spiked);
                        });
                    }
                    continue;
                }
                let some = pass.shard().targets(delivery);
                with_targets!(some, some => match alone.then(|| pass.weights(delivery)).flatten() {
                    Some(weights) => membranes.receive_row(neurons, some, t, weights, spiked),
                    None => membranes.receive_some(neurons, some, t, input, spiked),
                });
            }
        }
        for parcel in deliveries.iter().filter_map(|delivery| delivery.parcel()) {
            self.parcels.drop(parcel);
        }
    }

    /// All that arrives at time `t` has arrived: who has reached its threshold spikes, or, where
    /// neurons compete, who wins.
    #[inline]
    pub(super) fn end_us(&mut self, pass: &mut impl Pass<T>, t: i64) {
        if self.membranes.waits() {
            self.decide(pass, t);
            return;
        }
        for i in self.spiked.drain(..) {
            self.spikes.push((t, pass.shard().first + i));
            pass.spiked(i as usize, t, &mut self.history);
        }
    }

    /// The same where neurons compete.
    fn decide(&mut self, pass: &mut impl Pass<T>, t: i64) {
        let shard = pass.shard();
        let (false, Some(groups)) = (self.spiked.is_empty(), &shard.groups) else { return };
        let (mut spiked, mut lowered) =
            (std::mem::take(&mut self.spiked), std::mem::take(&mut self.lowered));
        let charges = shard.receptors.as_ref().map(|receptors| (receptors, &mut self.charges));
        let cells = (&shard.neurons, &mut self.membranes);
        groups.decide(cells, charges, t, &mut spiked, &mut lowered);
        let crosses = shard.crosses;
        for &i in &spiked {
            self.spikes.push((t, pass.shard().first + i));
            pass.spiked(i as usize, t, &mut self.history);
        }
        if crosses {
            for &i in spiked.iter().chain(&lowered) {
                self.predict(pass.shard(), i as usize, t);
            }
        }
        spiked.clear();
        lowered.clear();
        (self.spiked, self.lowered) = (spiked, lowered);
    }

    /// Hand out what has arrived one by one, where neurons may cross between arrivals.
    fn collect(&mut self, pass: &mut impl Pass<T>, deliveries: &[Due], t: i64, all: bool) {
        if all {
            for i in 0..self.crossing.len() {
                self.collect_one(pass, i, t);
            }
            return;
        }
        for delivery in deliveries {
            let p = delivery.projection();
            if let Some(parcel) = delivery.parcel() {
                for k in 0..self.parcels.targets(parcel).len() {
                    self.collect_one(pass, self.parcels.targets(parcel).get(k), t);
                }
                continue;
            }
            for s in pass.shard().projections[p].rows.synapses(delivery.segment()) {
                let i = pass.shard().projections[p].synapses.targets().get(s);
                self.collect_one(pass, i, t);
            }
        }
    }

    /// Hand neuron `i` what has been summed for it.
    #[inline]
    fn collect_one(&mut self, pass: &mut impl Pass<T>, i: usize, t: i64) {
        let mut arrived = [T::ZERO; 2];
        for (arrived, input) in arrived.iter_mut().zip(&mut self.input) {
            *arrived = std::mem::replace(&mut input[i], T::ZERO);
        }
        if arrived != [T::ZERO; 2] {
            self.receive(pass, i, t, arrived);
        }
    }

    /// Neuron `i` receives `input`, all that arrives at it at time `t`; when it will cross by itself
    /// is said anew, at once or after it has waited.
    #[inline]
    pub(super) fn receive(&mut self, pass: &mut impl Pass<T>, i: usize, t: i64, input: [T; 2]) {
        let (neurons, membranes) = (&pass.shard().neurons, &mut self.membranes);
        let spikes = match &pass.shard().receptors {
            None => membranes.receive(neurons, i, t, input[0]),
            Some(receptors) => self.charges.receive(membranes, neurons, receptors, i, t, input),
        };
        if spikes && self.membranes.waits() {
            self.spiked.push(i as u32);
            self.crossing[i] = i64::MAX;
            return;
        }
        if spikes {
            self.spikes.push((t, pass.shard().first + i as u32));
            pass.spiked(i, t, &mut self.history);
        }
        self.predict(pass.shard(), i, t);
    }
}
