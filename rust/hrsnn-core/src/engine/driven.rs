//! A drive beside the events of a sample: what it adds is drawn block by block, and forgotten.
//!
//! Invariant: spikes, weights and counts are those of the sample whose events were all stored, for a
//! sample may be left and taken up again at any µs (`simulation`).

use std::sync::{Arc, PoisonError, RwLock};

use super::windows::{Moment, Round};
use crate::drive::{BLOCK_US, Drive};
use crate::error::Result;
use crate::sample::{Input, next_before};

/// Events of a block, or of what is left of one: those of the sample and those of its drive.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) t: Vec<i64>,
    pub(super) channel: Vec<u32>,
}

/// Brings a sample from its moment to a time, with input events at some times.
type Lead<'a> = dyn FnMut(&[i64], &mut Moment, i64) -> Result<()> + 'a;

/// Bring a sample from its `moment` to the time `until`: `lead` is told when the events of each block
/// come, which all shards find in `round`, and how far they go.
pub(super) fn block_by_block(
    input: &Input<'_>,
    drive: &Drive,
    round: &RwLock<Round>,
    moment: &mut Moment,
    until: i64,
    lead: &mut Lead<'_>,
) -> Result<()> {
    let (mut sent, mut events) = (input.n_before(moment.t), Vec::new());
    let mut drawn = Vec::new();
    loop {
        let from = moment.t;
        let number = from / BLOCK_US;
        // As long as nothing comes, neither given nor drawn, all of it is one block.
        let next_given = input.t.get(sent).copied().unwrap_or(i64::MAX);
        let quiet = drive.silent_until(from).min(next_given);
        let to = ((number + 1) * BLOCK_US).max(quiet).min(until);
        drawn.clear();
        drive.draw(number, to, &mut drawn);
        drawn.drain(..drawn.partition_point(|event| event.0 < from));
        let given = next_before(input.t, sent, to);
        sent = given.end;
        events.clear();
        events.extend(given.map(|event| (input.t[event], input.channel[event])));
        events.extend_from_slice(&drawn);
        // Stable, so that what has the same time keeps its order: first what was given.
        events.sort_by_key(|event| event.0);
        let (t, channel) = events.iter().copied().unzip();
        let block = Arc::new(Drawn { t, channel });
        round.write().unwrap_or_else(PoisonError::into_inner).drawn = Some(Arc::clone(&block));
        let result = lead(&block.t, moment, to);
        moment.n_drawn += drawn.partition_point(|event| event.0 < moment.t) as u64;
        result?;
        if moment.t >= until {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
