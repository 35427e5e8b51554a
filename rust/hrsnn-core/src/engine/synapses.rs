//! The synapses of an engine in the order of its description, to read and to replace.

use super::Engine;
use crate::current::Receptor;
use crate::error::{Error, Result};
use crate::network::MOST_MV;
use crate::projection::{Projection, Source, Synapses};
use crate::real::Real;
use crate::shard::Shard;
use crate::time::ms_from_halvings;

/// One synapse, found by its place in the order of the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) target: u32,
    delay: u32,
    pub(super) shard: usize,
    pub(super) projection: usize,
    pub(super) segment: u32,
    /// Which one of the segment.
    pub(super) k: u32,
}

/// Synapses of one source in the order of (row, target).
#[derive(Debug, Clone, Default)]
pub struct Synaptic<T> {
    /// First synapse of each row, and the number of synapses.
    pub indptr: Vec<i64>,
    /// Post neuron.
    pub indices: Vec<u32>,
    /// µs.
    pub delay_us: Vec<u32>,
    /// mV.
    pub weight: Vec<T>,
    /// Whether it learns.
    pub plastic: Vec<bool>,
    /// `a_plus` and `a_minus`; 0 where static.
    pub a: [Vec<T>; 2],
    /// `tau_plus` and `tau_minus`, ms; 1 where static.
    pub tau: [Vec<f64>; 2],
}

impl<T: Real> Engine<T> {
    /// Synapses of one row, in the order of their targets.
    pub(super) fn places(&self, source: Source, row: usize, into: &mut Vec<Place>) {
        into.clear();
        for (shard, Shard { first, projections, .. }) in self.shards.iter().enumerate() {
            for (number, projection) in projections.iter().enumerate() {
                if projection.source == source {
                    into.extend(projection.row(row).map(|(segment, k, target, delay)| Place {
                        target: first + target,
                        delay,
                        shard,
                        projection: number,
                        segment,
                        k,
                    }));
                }
            }
        }
        into.sort_unstable();
    }

    /// All synapses of `source`, in the order of the description.
    pub(super) fn all_places(&self, source: Source) -> Vec<Place> {
        let (mut all, mut of_row) = (Vec::new(), Vec::new());
        for row in 0..self.n_rows(source) {
            self.places(source, row, &mut of_row);
            all.extend_from_slice(&of_row);
        }
        all
    }

    pub(super) fn n_rows(&self, source: Source) -> usize {
        match source {
            Source::Input => self.n_inputs,
            Source::Recurrent => self.n_neurons,
        }
    }

    /// All synapses of `source`, copied in the order of the description.
    ///
    /// # Panics
    /// If an earlier call that learned did.
    pub fn synapses(&self, source: Source) -> Synaptic<T> {
        assert!(!self.shards.is_empty(), "{}", Error::Broken);
        let mut all = Synaptic { indptr: vec![0], ..Synaptic::default() };
        let mut places = Vec::new();
        for row in 0..self.n_rows(source) {
            self.places(source, row, &mut places);
            for place in &places {
                let projection = &self.shards[place.shard].projections[place.projection];
                let (synapses, k) = (&projection.synapses, place.k as usize);
                let range = projection.rows.synapses(place.segment);
                all.indices.push(place.target);
                all.delay_us.push(place.delay);
                all.weight.push(synapses.weights(&range)[k]);
                let (a, tau) = match synapses {
                    Synapses::Static(_) => ([T::ZERO; 2], [1.0; 2]),
                    Synapses::Plastic(p) => {
                        let [a_plus, a_minus, plus, minus] = p.constants(&range, k);
                        ([a_plus, a_minus], [plus, minus].map(ms_from_halvings))
                    }
                };
                all.plastic.push(matches!(synapses, Synapses::Plastic(_)));
                for sign in 0..2 {
                    all.a[sign].push(a[sign]);
                    all.tau[sign].push(tau[sign]);
                }
            }
            all.indptr.push(all.indices.len() as i64);
        }
        all
    }

    /// Replace all weights of `source`, in the order of the description.
    ///
    /// # Errors
    /// A wrong length, or a weight beyond 1e15 mV or the bounds of a plastic synapse, or,
    /// with synaptic currents, one of another sign: its synapse feeds the other current; or
    /// [`Error::Broken`].
    pub fn set_weights(&mut self, source: Source, weight: &[f64]) -> Result<()> {
        self.check_whole()?;
        let all = self.all_places(source);
        if all.len() != weight.len() {
            return Err(Error::length("weight", all.len(), weight.len()));
        }
        for (index, (place, &w)) in all.iter().zip(weight).enumerate() {
            let shard = &self.shards[place.shard];
            let Projection { receptor, synapses, .. } = &shard.projections[place.projection];
            let has_sign = match receptor {
                Receptor::Excitatory => w >= 0.0,
                Receptor::Inhibitory => w <= 0.0,
            };
            if shard.receptors.is_some() && w.is_finite() && !has_sign {
                let expected = "of the sign it had, which says what current it feeds";
                return Err(Error::element("weight", expected, w, "synapse", index));
            }
            let allowed = match synapses {
                Synapses::Static(_) => w.abs() <= MOST_MV,
                Synapses::Plastic(p) => {
                    (p.rule.w_min..=p.rule.w_max).contains(&T::from_f64(w)) && w.is_finite()
                }
            };
            if !allowed {
                let expected = "between -1e15 and 1e15 mV and within the bounds of its synapse";
                return Err(Error::element("weight", expected, w, "synapse", index));
            }
        }
        for (place, &w) in all.iter().zip(weight) {
            let projection = &mut self.shards[place.shard].projections[place.projection];
            let range = projection.rows.synapses(place.segment);
            projection.synapses.weights_mut(&range).1[place.k as usize] = T::from_f64(w);
        }
        Ok(())
    }
}
