//! Everything that moves in a sample, in the order of the description, to read and to put back.
//!
//! Lives here: what is kept, what follows from it, and every check of it. Not here: the state of
//! neurons (`shard::Potentials`), the file (`snapshot`).
//!
//! **What follows and is not kept.** The spikes and the input events so far say what is on its way
//! (what arrives from now on), what the histories hold (spikes since they were last settled), and
//! when each synapse was last visited (the last arrival since then). So these cannot disagree.

use std::iter;

use super::simulation::{Sample, Simulation};
use super::windows::Moment;
use super::{Engine, Poll};
use crate::error::{Error, Result};
use crate::projection::{Source, Synapses};
use crate::real::Real;
use crate::record::SpikeList;
use crate::shard::{Counters, Potentials, Shard, Spike};
use crate::time::LONGEST_SPAN;

/// Largest trace: it grows by 1 with a spike.
const MOST_TRACE: f64 = 1e15;
/// Largest count.
const MOST_COUNT: u64 = 1 << 62;
const SOURCES: [Source; 2] = [Source::Input, Source::Recurrent];

/// Pre and post traces of the synapses of one source, each just before its last visit; 0 where
/// static, empty where no synapse of the source can learn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traces<T> {
    /// Pre.
    pub x: Vec<T>,
    /// Post.
    pub y: Vec<T>,
}

/// A sample on its way, but for its network and its events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State<T> {
    /// µs; what happens before it has happened, and nothing else has.
    pub t: i64,
    /// Whether the end of the sample has come.
    pub is_over: bool,
    /// Neurons.
    pub potentials: Potentials<T>,
    /// Synapses from inputs and from neurons.
    pub traces: [Traces<T>; 2],
    /// When the histories were last settled, µs; 0 if they were not.
    pub settled: i64,
    /// Spikes since they were settled because there were so many.
    pub unsettled: u64,
    /// Events of the drive so far: kept, for to draw them again takes time in proportion to the past.
    pub n_drawn: u64,
    /// Since the start of the sample.
    pub counters: Counters,
    /// Spikes so far, sorted by (t, neuron).
    pub spikes: SpikeList,
}

/// Times of the spikes of each row, in order.
struct ByRow {
    first: Vec<usize>,
    t: Vec<i64>,
}

impl ByRow {
    fn new(n_rows: usize, spikes: &[Spike]) -> Self {
        let mut first = vec![0; n_rows + 1];
        for &(_, row) in spikes {
            first[row as usize + 1] += 1;
        }
        for row in 0..n_rows {
            first[row + 1] += first[row];
        }
        let (mut next, mut t) = (first.clone(), vec![0; spikes.len()]);
        for &(at, row) in spikes {
            t[next[row as usize]] = at;
            next[row as usize] += 1;
        }
        Self { first, t }
    }

    /// The last arrival from `row` before `now`, and how many there were in that µs.
    fn last_arrival(&self, row: usize, delay: i64, now: i64) -> Option<(i64, u32)> {
        let times = &self.t[self.first[row]..self.first[row + 1]];
        let times = &times[..times.partition_point(|&t| t + delay < now)];
        let last = *times.last()?;
        let together = times.len() - times.partition_point(|&t| t < last);
        Some((last + delay, together as u32))
    }
}

impl<T: Real> Simulation<T> {
    /// All that moves.
    pub fn state(&self) -> State<T> {
        let mut potentials = Potentials::default();
        self.activities.iter().for_each(|activity| activity.copy_to(&mut potentials));
        let is_learning = self.learns && !self.is_over;
        let traces =
            |source| if is_learning { self.engine.traces(source) } else { Traces::default() };
        let learning = iter::zip(&self.engine.shards, &self.activities)
            .find(|(shard, _)| is_learning && shard.learns());
        State {
            t: self.moment.t,
            is_over: self.is_over,
            potentials,
            traces: SOURCES.map(traces),
            settled: learning.map_or(0, |(_, activity)| activity.history.full_at() - LONGEST_SPAN),
            unsettled: self.moment.unsettled,
            n_drawn: self.moment.n_drawn,
            counters: self.stats().counters,
            spikes: self.spikes.clone(),
        }
    }

    /// The simulation whose [`Simulation::unsettled_network`] and [`Simulation::state`] these are,
    /// on its way through the same sample.
    ///
    /// # Errors
    /// Whatever no simulation can have come to (names the array, the index and the value), or what
    /// `poll`, which is asked while a drive is drawn, returned.
    pub fn resumed(
        engine: Engine<T>,
        sample: Sample,
        learns: bool,
        state: State<T>,
        poll: &mut Poll<'_>,
    ) -> Result<Self> {
        let mut simulation = Self::new(engine, sample, learns)?;
        let Self { engine, sample, bases, .. } = &mut simulation;
        if let (Some(injection), Some(bases)) = (&sample.injection, bases) {
            bases.go_to(injection, &mut engine.shards, state.t);
        }
        simulation.check(&state)?;
        let State { t: now, is_over, settled, unsettled, n_drawn, ref potentials, .. } = state;
        let recurrent: Vec<Spike> =
            iter::zip(&state.spikes.t, &state.spikes.neuron).map(|(&t, &i)| (t, i)).collect();
        let input = simulation.sample.input();
        let n_before = input.n_before(now);
        let mut events: Vec<Spike> =
            iter::zip(input.t, input.channel).map(|(&t, &c)| (t, c)).take(n_before).collect();
        if let Some(drive) = input.drive {
            let longest = simulation.engine.longest_delay();
            // What arrived before the histories were settled has no say, and nothing that has arrived
            // where no input learns.
            let remembers = learns && !is_over && simulation.engine.learns(Source::Input);
            let since = if remembers { settled } else { now } - longest;
            let on_its_way = (now - longest).max(0)..now;
            drive.draw_latest(since.max(0), on_its_way, &mut events, poll)?;
            events.sort_by_key(|event| event.0);
        }
        let spikes = [&events[..], &recurrent[..]];
        let Engine { shards, .. } = &mut simulation.engine;
        for (shard, activity) in iter::zip(&*shards, &mut simulation.activities) {
            activity.copy_from(shard, potentials);
            for (source, spikes) in iter::zip(SOURCES, spikes) {
                activity.send_again(shard, source, spikes, now);
            }
        }
        if learns && !is_over {
            for (shard, activity) in iter::zip(shards, &mut simulation.activities) {
                if shard.learns() {
                    activity.history.rebase(settled);
                    let span = shard.first..shard.first + shard.neurons.len() as u32;
                    let first = recurrent.partition_point(|&(t, _)| t < settled);
                    for &(t, neuron) in recurrent[first..].iter().filter(|s| span.contains(&s.1)) {
                        activity.history.push((neuron - shard.first) as usize, t);
                    }
                }
            }
            for (source, (spikes, traces)) in iter::zip(SOURCES, iter::zip(spikes, &state.traces)) {
                simulation.engine.revisit(source, spikes, now, settled)?;
                simulation.engine.set_traces(source, traces);
            }
        }
        simulation.activities[0].counters = state.counters;
        let n_spikes = recurrent.len() as u64;
        simulation.moment = Moment { t: now, n_spikes, unsettled, n_drawn, ..Moment::default() };
        simulation.is_over = is_over;
        simulation.spikes = state.spikes;
        Ok(simulation)
    }

    /// Refuse what could not be gone on with; but for the traces, which meet the synapses.
    fn check(&self, state: &State<T>) -> Result<()> {
        let (now, duration) = (state.t, self.sample.duration);
        if !(0..=duration).contains(&now) {
            let expected = format!("between 0 and the duration ({duration} µs)");
            return Err(Error::parameter("t", expected, now));
        }
        if state.is_over && now != duration {
            let expected = format!("the duration ({duration} µs) where the sample is over");
            return Err(Error::parameter("t", expected, now));
        }
        self.check_spikes(&state.spikes, now)?;
        let is_learning = self.learns && !state.is_over;
        let latest = if is_learning { now } else { 0 };
        let last = state.spikes.t.last().copied();
        let longest = LONGEST_SPAN + i64::from(self.engine.width);
        let is_near = |t: i64| !is_learning || t - state.settled < longest;
        if !(0..=latest).contains(&state.settled) || !last.is_none_or(is_near) {
            let expected = format!("between 0 and {latest} µs, and no more than {longest} µs old");
            return Err(Error::parameter("settled", expected, state.settled));
        }
        // So many are left only within the window in which they have become so many.
        let window = |t: i64| t / i64::from(self.engine.width);
        let just_now = last.is_some_and(|last| window(last) == window(now - 1));
        let n_spikes = state.spikes.t.len() as u64;
        let most = if just_now { n_spikes } else { n_spikes.min(self.engine.settle_after - 1) };
        if state.unsettled > most {
            return Err(Error::parameter("unsettled", format!("at most {most}"), state.unsettled));
        }
        if self.sample.drive.is_none() && state.n_drawn > 0 {
            return Err(Error::parameter("n_drawn", "0 where there is no drive", state.n_drawn));
        }
        let Counters { input_synaptic_events, synaptic_events, weight_updates } = state.counters;
        for (name, count) in [
            ("n_input_synaptic_events", input_synaptic_events),
            ("n_synaptic_events", synaptic_events),
            ("n_weight_updates", weight_updates),
            ("n_drawn", state.n_drawn),
        ] {
            if count > MOST_COUNT {
                return Err(Error::parameter(name, format!("at most {MOST_COUNT}"), count));
            }
        }
        for (source, traces) in iter::zip(SOURCES, &state.traces) {
            self.engine.check_traces(source, traces, is_learning)?;
        }
        state.potentials.check(&self.engine.shards, now)
    }

    fn check_spikes(&self, spikes: &SpikeList, now: i64) -> Result<()> {
        let SpikeList { t, neuron } = spikes;
        if t.len() != neuron.len() {
            return Err(Error::length("spike_neuron", t.len(), neuron.len()));
        }
        for (index, (&t, &neuron)) in iter::zip(t, neuron).enumerate() {
            if !(0..now).contains(&t) {
                let expected = format!("at least 0 and below {now} µs");
                return Err(Error::element("spike_t", expected, t, "spike", index));
            }
            let n = self.engine.n_neurons;
            if neuron as usize >= n {
                let expected = format!("below n_neurons ({n})");
                return Err(Error::element("spike_neuron", expected, neuron, "spike", index));
            }
        }
        let disorder = |pair: &[(&i64, &u32)]| pair[0] >= pair[1];
        let pairs: Vec<_> = iter::zip(t, neuron).collect();
        match pairs.windows(2).position(disorder) {
            Some(before) => {
                let expected = "above the one before, by time and then neuron";
                Err(Error::element("spike_t", expected, t[before + 1], "spike", before + 1))
            }
            None => Ok(()),
        }
    }
}

impl<T: Real> Engine<T> {
    /// Whether synapses of `source` may learn.
    fn learns(&self, source: Source) -> bool {
        let mut projections = self.shards.iter().flat_map(|shard| &shard.projections);
        projections.any(|p| p.source == source && matches!(p.synapses, Synapses::Plastic(_)))
    }

    fn traces(&self, source: Source) -> Traces<T> {
        let mut all = Traces::default();
        if !self.learns(source) {
            return all;
        }
        for place in self.all_places(source) {
            let projection = &self.shards[place.shard].projections[place.projection];
            let [x, y] = match &projection.synapses {
                Synapses::Static(_) => [T::ZERO; 2],
                Synapses::Plastic(synapses) => {
                    let range = projection.rows.synapses(place.segment);
                    synapses.traces(place.segment as usize, &range, place.k as usize)
                }
            };
            all.x.push(x);
            all.y.push(y);
        }
        all
    }

    fn check_traces(&self, source: Source, traces: &Traces<T>, is_learning: bool) -> Result<()> {
        let has_some = is_learning && self.learns(source);
        let places = if has_some { self.all_places(source) } else { Vec::new() };
        let (name_x, name_y) = match source {
            Source::Input => ("inputs/x", "inputs/y"),
            Source::Recurrent => ("recurrent/x", "recurrent/y"),
        };
        for (name, values) in [(name_x, &traces.x), (name_y, &traces.y)] {
            if values.len() != places.len() {
                return Err(Error::length(name, places.len(), values.len()));
            }
            for (index, (place, value)) in iter::zip(&places, values).enumerate() {
                let projection = &self.shards[place.shard].projections[place.projection];
                let (expected, most) = match projection.synapses {
                    Synapses::Static(_) => ("0 where static", 0.0),
                    Synapses::Plastic(_) => ("between 0 and 1e15", MOST_TRACE),
                };
                if !(0.0..=most).contains(&value.to_f64()) {
                    return Err(Error::element(name, expected, value.to_f64(), "synapse", index));
                }
            }
        }
        Ok(())
    }

    /// Put back traces that were checked.
    fn set_traces(&mut self, source: Source, traces: &Traces<T>) {
        if traces.x.is_empty() {
            return;
        }
        let values = iter::zip(&traces.x, &traces.y);
        for (place, (&x, &y)) in iter::zip(self.all_places(source), values) {
            let projection = &mut self.shards[place.shard].projections[place.projection];
            let range = projection.rows.synapses(place.segment);
            if let Synapses::Plastic(synapses) = &mut projection.synapses {
                synapses.set_traces(&range, place.k as usize, [x, y]);
            }
        }
    }

    /// Note when each segment was last visited, given all `spikes` of its source before `now`.
    fn revisit(&mut self, source: Source, spikes: &[Spike], now: i64, settled: i64) -> Result<()> {
        let n_rows = self.n_rows(source);
        let by_row = ByRow::new(n_rows, spikes);
        let longest = LONGEST_SPAN + i64::from(self.width);
        for projection in self.shards.iter_mut().flat_map(Shard::plastic) {
            if projection.source != source {
                continue;
            }
            let Synapses::Plastic(synapses) = &mut projection.synapses else { continue };
            let rows = &projection.rows;
            for (row, segment) in
                (0..n_rows).flat_map(|row| rows.segments(row).map(move |segment| (row, segment)))
            {
                let last = by_row.last_arrival(row, i64::from(rows.delay(segment)), now);
                let segment = segment as usize;
                match last.map(|(t, n)| (t - settled, n)).filter(|&(t, _)| t >= 0) {
                    Some((t, _)) if t >= longest => {
                        let expected = format!("within {longest} µs before the last arrivals");
                        return Err(Error::parameter("settled", expected, settled));
                    }
                    Some((t, n)) => synapses.set_visit(segment, t as i32, n),
                    None if settled > 0 => synapses.set_visit(segment, 0, 0),
                    None => {}
                }
            }
        }
        Ok(())
    }
}
