//! A neuron whose bias changes: it is brought to the present, and goes on from there.

use std::cmp::Reverse;
use std::iter;

use super::{Activity, Shard};
use crate::real::Real;

impl<T: Real> Shard<T> {
    /// Those of the network's `neurons` that are here, each with its one of `values`.
    fn own<'a>(
        &self,
        neurons: &'a [u32],
        values: &'a [f64],
    ) -> impl Iterator<Item = (usize, f64)> + use<'a, T> {
        let (first, n) = (self.first, self.neurons.len() as u32);
        iter::zip(neurons, values)
            .filter(move |(i, _)| (first..first + n).contains(i))
            .map(move |(i, &value)| ((i - first) as usize, value))
    }

    /// Let `neurons` tend to `values` mV above `base`, which is what those of the shard tend to.
    pub fn set_ends(&mut self, base: &[T], neurons: &[u32], values: &[f64]) {
        for (i, value) in self.own(neurons, values) {
            self.neurons.set_end(i, above(base[i], value));
        }
    }
}

/// What is `value` mV above `base`.
fn above<T: Real>(base: T, value: f64) -> T {
    T::from_f64(base.to_f64() + value)
}

impl<T: Real> Activity<T> {
    /// From `t` on, before which all has happened, what the `neurons` of the network tend to is `values`
    /// mV above `base`, which is what those of the shard tend to by themselves.
    pub fn inject(
        &mut self,
        shard: &mut Shard<T>,
        base: &[T],
        neurons: &[u32],
        values: &[f64],
        t: i64,
    ) {
        for (i, value) in shard.own(neurons, values) {
            self.membranes.held.reach(t);
            if let Some(receptors) = &shard.receptors {
                self.charges.bring(&mut self.membranes, &shard.neurons, receptors, i, t);
            } else if self.membranes.held.since(i) <= t {
                let v = self.membranes.potential(&shard.neurons, i, t);
                self.membranes.held.set(i, v, t);
            }
            shard.neurons.set_end(i, above(base[i], value));
            let held = &self.membranes.held;
            if held.since(i) == t && held.v(i) >= shard.neurons.threshold[i] {
                // It has got there by itself: in this µs it is tested, with all that arrives.
                self.crossing[i] = t;
                self.crossings.push(Reverse((t, i as u32)));
            } else {
                self.predict(shard, i, t - 1);
            }
        }
    }
}
