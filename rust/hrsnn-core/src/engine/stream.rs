//! A network that sees a stream: input events piece by piece, features of the latest past.
//!
//! Lives here: what comes next, what is forgotten, and windows that end now. Not here: the loop
//! (`windows`), what moves (`simulation`, `state`), and how windows are counted (`record`).
//! Invariant: neither where pieces are cut nor what is forgotten shows in any spike or feature.

use super::simulation::{Sample, Simulation};
use super::{Engine, Poll, State};
use crate::error::{Error, Result};
use crate::real::Real;
use crate::record::{FeatureSpec, Features, Record, SpikeList};
use crate::sample::{Input, LONGEST_SAMPLE_US, Stats};
use crate::shard::Spike;

/// A network on its way through a stream; it learns nothing.
#[derive(Debug, Clone)]
pub struct Stream<T> {
    /// Of a sample that holds the events that are not forgotten.
    simulation: Simulation<T>,
    /// How far back the past is kept, µs.
    keep: i64,
    /// Events that came in so far.
    n_input_events: u64,
}

/// All that a [`Stream`] carries along, but for its network.
#[derive(Debug, Clone, Default)]
pub struct Flow<T> {
    /// What moves; its spikes are those that are not forgotten.
    pub state: State<T>,
    /// The events that are not forgotten; the duration has no meaning.
    pub recent: Sample,
    /// Events so far.
    pub n_input_events: u64,
    /// Spikes so far.
    pub n_spikes: u64,
}

impl<T: Real> Stream<T> {
    /// At rest at t = 0; windows may be as long as `keep`, µs.
    ///
    /// # Errors
    /// If `keep` is negative or longer than a sample may be.
    pub fn new(engine: Engine<T>, keep: i64) -> Result<Self> {
        let keep = checked_keep(&engine, keep)?;
        let sample = Sample { duration: LONGEST_SAMPLE_US, ..Sample::default() };
        Ok(Self { simulation: Simulation::new(engine, sample, false)?, keep, n_input_events: 0 })
    }

    /// The stream that carried `flow` along, with the same network.
    ///
    /// # Errors
    /// What no stream can have come to; names the array, the index and the value.
    pub fn resumed(engine: Engine<T>, keep: i64, flow: Flow<T>) -> Result<Self> {
        let keep = checked_keep(&engine, keep)?;
        let sample = Sample { duration: LONGEST_SAMPLE_US, ..flow.recent };
        let last = sample.t.last().copied();
        if let Some(t) = last.filter(|&t| t >= flow.state.t) {
            let expected = format!("below {} µs, where the stream stands", flow.state.t);
            return Err(Error::element("event_t", expected, t, "event", sample.t.len() - 1));
        }
        for (name, least, found) in [
            ("n_input_events", sample.t.len() as u64, flow.n_input_events),
            ("n_spikes", flow.state.spikes.t.len() as u64, flow.n_spikes),
        ] {
            if !(least..=1 << 62).contains(&found) {
                return Err(Error::parameter(name, format!("between {least} and 2^62"), found));
            }
        }
        let mut simulation =
            Simulation::resumed(engine, sample, false, flow.state, &mut || Ok(()))?;
        simulation.moment.n_spikes = flow.n_spikes;
        Ok(Self { simulation, keep, n_input_events: flow.n_input_events })
    }

    /// µs; what happens before it has happened, and nothing else has.
    pub fn t(&self) -> i64 {
        self.simulation.t()
    }

    /// The next events, and on until the time `until`, before which there are no others.
    ///
    /// # Errors
    /// Events that are out of order, before where it stands, not before `until` or out of range,
    /// and then nothing has changed; what `poll` returned, and then it can only be given up.
    pub fn feed(
        &mut self,
        t: &[i64],
        channel: &[u32],
        until: i64,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<()> {
        let now = self.t();
        Input { t, channel, duration: until, drive: None, injection: None }
            .check(self.simulation.engine.n_inputs)?;
        let expected = || format!("at least {now} µs, where the stream stands");
        if until < now {
            return Err(Error::parameter("until", expected(), until));
        }
        if let Some(&t) = t.first().filter(|&&t| t < now) {
            return Err(Error::element("t", expected(), t, "event", 0));
        }
        // Not at the end: what this piece has brought can be asked for, however long it was.
        self.forget();
        let sample = &mut self.simulation.sample;
        sample.t.extend_from_slice(t);
        sample.channel.extend_from_slice(channel);
        self.n_input_events += t.len() as u64;
        self.simulation.run_until(until, n_threads, poll)
    }

    /// Let go of the past. In large pieces, so that moving the rest costs little for each event.
    fn forget(&mut self) {
        let Simulation { sample, spikes, moment, .. } = &mut self.simulation;
        let since = moment.t - self.keep;
        let old = sample.t.partition_point(|&t| t < since);
        if 2 * old > sample.t.len() {
            sample.t.drain(..old);
            sample.channel.drain(..old);
        }
        let old = spikes.t.partition_point(|&t| t < since);
        if 2 * old > spikes.t.len() {
            spikes.t.drain(..old);
            spikes.neuron.drain(..old);
        }
    }

    /// Spikes from `since` on, µs, as far as they are not forgotten.
    pub fn spikes_since(&self, since: i64) -> SpikeList {
        let SpikeList { t, neuron } = self.simulation.spikes();
        let first = t.partition_point(|&t| t < since);
        SpikeList { t: t[first..].to_vec(), neuron: neuron[first..].to_vec() }
    }

    /// Features of the last `span` µs, or of all since the start if that is less: those of a sample
    /// that lasted so long, with the events and spikes that there were.
    ///
    /// # Errors
    /// What [`FeatureSpec::check`] refuses, a span beyond what is kept, or what `poll` returned.
    pub fn features(
        &self,
        span: i64,
        spec: FeatureSpec<'_>,
        poll: &mut Poll<'_>,
    ) -> Result<Vec<f32>> {
        let n_neurons = self.simulation.engine.n_neurons;
        spec.check(n_neurons)?;
        if !(0..=self.keep).contains(&span) {
            let expected = format!("between 0 and {} µs, what is kept", self.keep);
            return Err(Error::parameter("span", expected, span));
        }
        let now = self.t();
        let since = (now - span).max(0);
        let events = &self.simulation.sample.t;
        let first = events.partition_point(|&t| t < since);
        let t: Vec<i64> = events[first..].iter().map(|t| t - since).collect();
        let mut features = vec![0.0; spec.n_windows * spec.width(n_neurons)];
        let mut record = Features::new(spec, n_neurons, &t, now - since, &mut features);
        let spikes = self.spikes_since(since);
        let moved: Vec<Spike> =
            spikes.t.iter().zip(spikes.neuron).map(|(&t, neuron)| (t - since, neuron)).collect();
        record.record(&moved);
        record.finish(poll)?;
        Ok(features)
    }

    /// What it has taken so far.
    pub fn stats(&self) -> Stats {
        Stats { n_input_events: self.n_input_events, ..self.simulation.stats() }
    }

    /// All that it carries along.
    pub fn flow(&self) -> Flow<T> {
        Flow {
            // Nothing is learned, so nothing will ever have to be settled.
            state: State { unsettled: 0, ..self.simulation.state() },
            recent: self.simulation.sample.clone(),
            n_input_events: self.n_input_events,
            n_spikes: self.simulation.moment.n_spikes,
        }
    }
}

/// How far back the past is needed: for windows of `keep`, and for what is on its way.
fn checked_keep<T: Real>(engine: &Engine<T>, keep: i64) -> Result<i64> {
    if !(0..=LONGEST_SAMPLE_US).contains(&keep) {
        let expected = format!("between 0 and {LONGEST_SAMPLE_US} µs");
        return Err(Error::parameter("keep", expected, keep));
    }
    // A window further: its spikes may wait to be sent.
    let needed = engine.longest_delay() + i64::from(engine.width) + 1;
    Ok(keep.max(needed))
}

#[cfg(test)]
mod tests;
