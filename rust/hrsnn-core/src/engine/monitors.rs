//! What is recorded of a sample beside its spikes: state variables on a grid of times.
//!
//! Lives here: who is asked for, in the order of the description, and what becomes of it for each
//! shard and back. Not here: how a value is read (`shard::monitor`). Invariant: what comes out
//! depends on the network and its sample alone, not on shards, threads or where a run began.

use std::ops::Range;

use super::Engine;
use crate::current::Receptor;
use crate::error::{Error, Result};
use crate::projection::Source;
use crate::real::{Real, large};
use crate::shard::{Activity, Lies, Monitor, Noted, Shard, Watched};
use crate::time::Grid;

/// A state variable of some neurons or synapses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Membrane potentials, mV.
    V(Vec<u32>),
    /// Charges, mV.
    Charge(Receptor, Vec<u32>),
    /// Adaptations of thresholds, mV.
    Theta(Vec<u32>),
    /// Weights, mV, of synapses from a row to a neuron.
    Weight(Source, Vec<[u32; 2]>),
}

/// State variables, and the grid of times at which they are wanted: the multiples of `every`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Monitors {
    /// µs, > 0 where something is wanted.
    pub every: i64,
    /// What is wanted.
    pub wanted: Vec<Wanted>,
}

impl Wanted {
    fn name(&self) -> &'static str {
        match self {
            Self::V(_) => "record['v']",
            Self::Charge(Receptor::Excitatory, _) => "record['u_ex']",
            Self::Charge(Receptor::Inhibitory, _) => "record['u_in']",
            Self::Theta(_) => "record['theta']",
            Self::Weight(Source::Recurrent, _) => "record['weight']",
            Self::Weight(Source::Input, _) => "record['input_weight']",
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::V(some) | Self::Charge(_, some) | Self::Theta(some) => some.len(),
            Self::Weight(_, some) => some.len(),
        }
    }
}

/// What one shard has of one that is wanted, and in which columns of it.
struct Part {
    watched: Watched,
    columns: Vec<u32>,
}

/// Where everything that is wanted is found: for each shard, and in it for each of `widths`.
pub(super) struct Places {
    every: i64,
    widths: Vec<usize>,
    parts: Vec<Vec<Part>>,
}

/// What was recorded of one that was wanted.
#[derive(Debug, Clone)]
pub struct Course<T> {
    width: usize,
    /// Of each shard, and in which columns.
    parts: Vec<(Vec<u32>, Noted<T>)>,
}

impl<T: Real> Course<T> {
    /// For each time one row, in the order in which it was wanted.
    ///
    /// Potentials are evaluated only here.
    pub fn values(&self) -> Vec<T> {
        if let [(columns, noted)] = &self.parts[..]
            && columns.len() == self.width
        {
            // All are of one shard, and so in order.
            return noted.values();
        }
        let mut all = Vec::new();
        for (columns, noted) in &self.parts {
            let values = noted.values();
            if all.is_empty() {
                let n = values.len() / columns.len() * self.width;
                all = large::room(n);
                all.resize(n, T::ZERO);
            }
            let rows = all.chunks_exact_mut(self.width);
            for (row, values) in rows.zip(values.chunks_exact(columns.len())) {
                for (&column, &value) in columns.iter().zip(values) {
                    row[column as usize] = value;
                }
            }
        }
        all
    }
}

impl Places {
    /// Let `activities` of `shards` note what is wanted of the times in `span`; whether the sample
    /// `learns`, and whether what neurons tend to `changes`.
    pub(super) fn hand_out<T: Real>(
        &self,
        shards: &[Shard<T>],
        activities: &mut [Activity<T>],
        span: Range<i64>,
        [learns, changes]: [bool; 2],
    ) {
        if self.widths.is_empty() {
            return;
        }
        let grid = Grid::within(self.every, span.start, span.end);
        for ((shard, activity), parts) in shards.iter().zip(activities).zip(&self.parts) {
            let watched = parts.iter().map(|part| part.watched.clone()).collect();
            activity.monitor = Some(Box::new(Monitor::new(shard, grid, learns, changes, watched)));
        }
    }

    /// What they have noted; they note nothing any more.
    pub(super) fn collect<T: Real>(self, activities: &mut [Activity<T>]) -> Vec<Course<T>> {
        let mut courses = self.nothing();
        for (activity, parts) in activities.iter_mut().zip(self.parts) {
            let Some(monitor) = activity.monitor.take() else { continue };
            for ((part, noted), course) in
                parts.into_iter().zip(monitor.into_noted()).zip(&mut courses)
            {
                if !part.columns.is_empty() {
                    course.parts.push((part.columns, noted));
                }
            }
        }
        courses
    }

    /// Of each that is wanted no row.
    pub(super) fn nothing<T>(&self) -> Vec<Course<T>> {
        self.widths.iter().map(|&width| Course { width, parts: Vec::new() }).collect()
    }
}

impl<T: Real> Engine<T> {
    /// Find what is wanted.
    ///
    /// # Errors
    /// A grid that stands still, a neuron that there is not, or has no such charge, a pair of neurons
    /// that is not joined by one synapse.
    pub(super) fn watched(&self, monitors: &Monitors) -> Result<Places> {
        let Monitors { every, wanted } = monitors;
        if !wanted.is_empty() && *every < 1 {
            return Err(Error::parameter("every", "at least 1 µs", every));
        }
        let parts = self.shards.iter().map(|_| Vec::new()).collect();
        let widths = wanted.iter().map(Wanted::len).collect();
        let mut places = Places { every: *every, widths, parts };
        for one in wanted {
            let parts = match one {
                Wanted::V(some) => self.of_neurons(one, some, Watched::V)?,
                Wanted::Theta(some) => self.of_neurons(one, some, Watched::Theta)?,
                Wanted::Charge(receptor, some) => {
                    let kind = *receptor as usize;
                    self.check_charges(one, kind, some)?;
                    self.of_neurons(one, some, |some| Watched::Charge(kind, some))?
                }
                Wanted::Weight(source, pairs) => self.of_synapses(one, *source, pairs)?,
            };
            places.parts.iter_mut().zip(parts).for_each(|(all, part)| all.push(part));
        }
        Ok(places)
    }

    /// The neurons `some` in their shards.
    fn of_neurons(
        &self,
        wanted: &Wanted,
        some: &[u32],
        watched: impl Fn(Vec<u32>) -> Watched,
    ) -> Result<Vec<Part>> {
        let n = self.n_neurons;
        if let Some(at) = some.iter().position(|&i| i as usize >= n) {
            let expected = format!("below n_neurons ({n})");
            return Err(Error::element(wanted.name(), expected, some[at], "index", at));
        }
        let part = |shard: &Shard<T>| {
            let span = shard.first..shard.first + shard.neurons.len() as u32;
            let mine = (0..).zip(some).filter(|(_, i)| span.contains(i));
            let (columns, local) = mine.map(|(at, &i)| (at, i - shard.first)).unzip();
            Part { watched: watched(local), columns }
        };
        Ok(self.shards.iter().map(part).collect())
    }

    /// Refuse neurons that have no such charge.
    fn check_charges(&self, wanted: &Wanted, kind: usize, some: &[u32]) -> Result<()> {
        let has_charge = |i: u32| {
            let after = self.shards.partition_point(|shard| shard.first <= i);
            let shard = &self.shards[after - 1];
            let local = (i - shard.first) as usize;
            // Whoever is not there is refused with all others.
            local >= shard.neurons.len()
                || shard.receptors.as_ref().is_some_and(|r| r.has_current(kind, local))
        };
        match some.iter().position(|&i| !has_charge(i)) {
            Some(at) => {
                let tau = ["tau_syn_ex", "tau_syn_in"][kind];
                let expected = format!("neurons with {tau} > 0");
                Err(Error::element(wanted.name(), expected, some[at], "index", at))
            }
            None => Ok(()),
        }
    }

    /// The synapses of `pairs`, each from a row to a neuron, in their shards.
    fn of_synapses(
        &self,
        wanted: &Wanted,
        source: Source,
        pairs: &[[u32; 2]],
    ) -> Result<Vec<Part>> {
        let empty = || Part { watched: Watched::Weight(Vec::new()), columns: Vec::new() };
        let mut parts: Vec<_> = self.shards.iter().map(|_| empty()).collect();
        let (mut of_row, mut row_before) = (Vec::new(), None);
        for (at, &[row, post]) in pairs.iter().enumerate() {
            let refuse = |expected: &str| {
                let pair = format!("({row}, {post})");
                Error::element(wanted.name(), expected, pair, "index", at)
            };
            if row_before != Some(row) {
                of_row.clear();
                if (row as usize) < self.n_rows(source) {
                    self.places(source, row as usize, &mut of_row);
                }
                row_before = Some(row);
            }
            let first = of_row.partition_point(|place| place.target < post);
            let last = of_row.partition_point(|place| place.target <= post);
            let [place] = &of_row[first..last] else {
                return Err(refuse(if first == last {
                    "pairs (pre, post) with a synapse"
                } else {
                    "pairs (pre, post) with one synapse, not several"
                }));
            };
            let Part { watched, columns } = &mut parts[place.shard];
            if let Watched::Weight(some) = watched {
                let (projection, segment, k) = (place.projection, place.segment, place.k);
                some.push(Lies { projection, segment, k });
            }
            columns.push(at as u32);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests;
