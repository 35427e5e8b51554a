//! Neurons of a group compete: of those that reach their threshold in one µs only one spikes.
//!
//! Lives here: who competes with whom, who wins, and what that does to the others. Not here: how a
//! potential reaches its threshold (`neuron`, `current`), and when this is asked (`shard`).
//! Invariants: the neurons of a group lie side by side and are never divided, so that a contest is
//! decided by one shard; what is decided depends on potentials and thresholds at that µs alone.

use std::collections::HashSet;
use std::ops::Range;

use crate::current::{Charges, Receptors};
use crate::error::{Error, Result};
use crate::neuron::{Membranes, Neurons};
use crate::real::Real;
use crate::real::simd::TABLE;
use crate::time::LONGEST_US;

/// The number of the group of a neuron that competes with nobody.
pub const NO_GROUP: u32 = u32::MAX;
/// Largest inhibition, mV; see `network`.
const MOST_MV: f64 = 1e15;

/// Which neurons compete, and what it is to lose.
#[derive(Debug, Clone)]
pub struct Competition {
    /// Number of the group of each neuron, or [`NO_GROUP`]; those of one group lie side by side.
    pub group: Vec<u32>,
    /// By how much the others of a group are lowered when one of them spikes, mV, > 0.
    pub inhibition: f64,
    /// How long they are held there, µs, >= 0.
    pub hold_us: i64,
}

impl Competition {
    /// Refuse groups of `v_rest.len()` neurons that cannot be simulated.
    ///
    /// # Errors
    /// Names the argument, the index and the value.
    pub fn check(&self, v_rest: &[f64], v_threshold: &[f64]) -> Result<()> {
        let n = v_rest.len();
        if self.group.len() != n {
            return Err(Error::length("group", n, self.group.len()));
        }
        if !(self.inhibition > 0.0 && self.inhibition <= MOST_MV) {
            let expected = "greater than 0 and at most 1e15 mV";
            return Err(Error::parameter("inhibition", expected, self.inhibition));
        }
        if !(0..=i64::from(LONGEST_US)).contains(&self.hold_us) {
            let expected = format!("between 0 and {LONGEST_US} µs");
            return Err(Error::parameter("hold", expected, self.hold_us));
        }
        let mut seen = HashSet::new();
        for mut members in runs(&self.group) {
            let (first, group) = (members.start, self.group[members.start]);
            if group == NO_GROUP {
                continue;
            }
            if !seen.insert(group) {
                let expected = "the number of no group that has ended before: the neurons of a \
                                group lie side by side";
                return Err(Error::element("group", expected, group, "neuron", first));
            }
            if members.len() > TABLE {
                let expected = format!("the number of at most {TABLE} neurons");
                return Err(Error::element("group", expected, group, "neuron", first));
            }
            // In single precision too, where a contest may be held.
            let is_flat = |&i: &usize| v_rest[i] as f32 >= v_threshold[i] as f32;
            if let Some(i) = members.find(is_flat) {
                let expected = format!("below v_threshold ({} mV) in a group", v_threshold[i]);
                return Err(Error::element("v_rest", expected, v_rest[i], "neuron", i));
            }
        }
        Ok(())
    }
}

/// Neurons that belong together, in order: the groups, and each neuron without one by itself.
pub fn runs(group: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let mut first = 0;
    group.chunk_by(|a, b| a == b && *a != NO_GROUP).map(move |members| {
        first += members.len();
        first - members.len()..first
    })
}

/// The groups of a range of neurons.
#[derive(Debug, Clone)]
pub struct Groups<T> {
    /// Of each neuron: the neurons of its group, itself among them.
    members: Vec<Range<u32>>,
    /// mV.
    inhibition: T,
    /// µs.
    hold: i64,
}

impl<T: Real> Groups<T> {
    /// Those of the neurons `range`, which divides no group.
    pub fn new(competition: &Competition, range: Range<usize>) -> Self {
        let mut members = Vec::with_capacity(range.len());
        for run in runs(&competition.group[range]) {
            members.resize(run.end, run.start as u32..run.end as u32);
        }
        let inhibition = T::from_f64(competition.inhibition);
        Self { members, inhibition, hold: competition.hold_us }
    }

    /// How long neuron `i` may be held by a rival, µs.
    pub fn hold_of(&self, i: usize) -> i64 {
        if self.members[i].len() > 1 { self.hold } else { 0 }
    }

    /// The neurons `over` have reached their threshold at `t`, when all that arrives has arrived:
    /// leaves the winners, which have spiked, in `over`, and appends to `lowered` whom they inhibit.
    ///
    /// `charges` are those that flow into the membranes, if any do.
    pub fn decide(
        &self,
        (neurons, membranes): (&Neurons<T>, &mut Membranes<T>),
        mut charges: Option<(&Receptors<T>, &mut Charges<T>)>,
        t: i64,
        over: &mut Vec<u32>,
        lowered: &mut Vec<u32>,
    ) {
        over.sort_unstable();
        let mut n_winners = 0;
        let mut first = 0;
        while let Some(&one) = over.get(first) {
            let members = &self.members[one as usize];
            let rivals = over[first..].partition_point(|&i| i < members.end);
            let winner = best(neurons, membranes, &over[first..first + rivals]);
            first += rivals;
            over[n_winners] = winner;
            n_winners += 1;
            for i in members.clone().filter(|&i| i != winner) {
                if membranes.held.since(i as usize) <= t {
                    self.inhibit((neurons, membranes), &mut charges, t, i as usize);
                    lowered.push(i);
                }
            }
            membranes.spike(neurons, winner as usize, t);
        }
        over.truncate(n_winners);
    }

    /// Neuron `i`, which is not refractory, loses at `t`.
    fn inhibit(
        &self,
        (neurons, membranes): (&Neurons<T>, &mut Membranes<T>),
        charges: &mut Option<(&Receptors<T>, &mut Charges<T>)>,
        t: i64,
        i: usize,
    ) {
        // Who is at `t` already stays as it is.
        if membranes.held.since(i) < t {
            match charges {
                None => membranes.receive(neurons, i, t, T::ZERO),
                Some((receptors, charges)) => {
                    charges.receive(membranes, neurons, receptors, i, t, [T::ZERO; 2])
                }
            };
        }
        let v = membranes.held.v(i).min(neurons.threshold[i]) - self.inhibition;
        membranes.held.set(i, v, t + self.hold);
    }
}

/// Who of `rivals`, in the order of neurons, exceeds its threshold most; of equals the first.
///
/// The excess is relative to the distance of the threshold from rest, and in double precision, in
/// which two potentials that differ do not become equal by rounding.
fn best<T: Real>(neurons: &Neurons<T>, membranes: &Membranes<T>, rivals: &[u32]) -> u32 {
    let excess = |i: u32| {
        let i = i as usize;
        let [v, threshold, v_rest] =
            [membranes.held.v(i), neurons.threshold[i], neurons.v_rest[i]].map(T::to_f64);
        (v - threshold) / (threshold - v_rest)
    };
    let mut winner = rivals[0];
    for &i in &rivals[1..] {
        if excess(i) > excess(winner) {
            winner = i;
        }
    }
    winner
}

#[cfg(test)]
mod tests;
