//! A drive beside the events of a sample: what it adds is drawn block by block, and forgotten.
//!
//! Invariant: spikes, weights and counts are those of the sample whose events were all stored, for a
//! sample may be left and taken up again at any µs (`simulation`). A block is drawn once, however often
//! the sample is left within it: its moment carries the block along.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use super::windows::{Moment, Round};
use crate::drive::{BLOCK_US, Drive};
use crate::error::Result;
use crate::sample::{Input, next_before};

/// Events of a block, or of what was left of one: those of the sample and those of its drive.
#[derive(Debug)]
pub(super) struct Drawn {
    /// µs; from where they were drawn, and how far there are no others.
    span: Range<i64>,
    pub(super) t: Vec<i64>,
    pub(super) channel: Vec<u32>,
}

impl Drawn {
    /// From `from` on, µs.
    fn new(input: &Input<'_>, drive: &Drive, from: i64) -> Self {
        let first = input.n_before(from);
        let number = from / BLOCK_US;
        // As long as nothing comes, neither given nor drawn, all of it is one block.
        let next_given = input.t.get(first).copied().unwrap_or(i64::MAX);
        let quiet = drive.silent_until(from).min(next_given);
        let span = from..((number + 1) * BLOCK_US).max(quiet);
        let mut drawn = Vec::new();
        drive.draw(number, span.end.min(input.duration), &mut drawn);
        let given = next_before(input.t, first, span.end);
        let mut events: Vec<_> =
            given.map(|event| (input.t[event], input.channel[event])).collect();
        events.extend_from_slice(&drawn[drawn.partition_point(|event| event.0 < from)..]);
        // Stable, so that what has the same time keeps its order: first what was given.
        events.sort_by_key(|event| event.0);
        let (t, channel) = events.into_iter().unzip();
        Self { span, t, channel }
    }

    /// Number of events before `t`.
    fn n_before(&self, t: i64) -> usize {
        self.t.partition_point(|&event| event < t)
    }
}

/// Brings a sample from its moment to a time, with input events at some times.
type Lead<'a> = dyn FnMut(&[i64], &mut Moment, i64) -> Result<()> + 'a;

/// Bring a sample from its `moment` to the time `until`: `lead` is told when the events of each block
/// come, which all shards find in `round`, and how far it may go.
pub(super) fn block_by_block(
    input: &Input<'_>,
    drive: &Drive,
    round: &RwLock<Round>,
    moment: &mut Moment,
    until: i64,
    lead: &mut Lead<'_>,
) -> Result<()> {
    loop {
        let from = moment.t;
        let kept = moment.block.take().filter(|block| block.span.contains(&from));
        let block = kept.unwrap_or_else(|| Arc::new(Drawn::new(input, drive, from)));
        moment.block = Some(Arc::clone(&block));
        round.write().unwrap_or_else(PoisonError::into_inner).drawn = Some(Arc::clone(&block));
        let result = lead(&block.t, moment, until.min(block.span.end));
        let n_all = block.n_before(moment.t) - block.n_before(from);
        let n_given = input.n_before(moment.t) - input.n_before(from);
        moment.n_drawn += (n_all - n_given) as u64;
        result?;
        if moment.t >= until {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
