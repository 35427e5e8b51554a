//! A range of neurons, all synapses onto them, and one window of their life.
//!
//! Lives here: the order of things within a µs. Not here: other shards (`engine`). Invariants:
//! a shard reads and writes nothing outside itself, so it does not matter on which thread, or
//! beside how many others, it runs; every sum is taken in the order of its queue.
//!
//! Within one µs: (1) all arrivals are delivered, and what a neuron receives is summed in
//! `input`; (2) each neuron that received something is brought to the present, and it spikes if
//! it is over threshold; so does one whose constant drive brings it there; where neurons compete
//! (`competition`), only the winner of each group does; (3) the spikes enter the histories, which
//! arrivals of a later µs will read.

use std::cell::LazyCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::competition::Groups;
use crate::current::{Charges, Receptor, Receptors};
use crate::excitability;
use crate::network::Description;
use crate::neuron::{Membranes, Neurons};
use crate::projection::{Projection, Source, Synapses};
use crate::queue::{Delivery, Due, Queue};
use crate::real::simd::{Table, table};
use crate::real::{Real, large};
use crate::stdp::History;
use crate::targets::{Onto, Targets, with_targets};
use crate::time::{halvings_from_ms, rate_from_ms};

mod arrivals;
mod injected;
mod monitor;
mod parcels;
mod pass;
mod state;

pub use monitor::{Lies, Monitor, Noted, Watched};
use parcels::{MOST_DELAYS, Parcels};
pub use pass::{Frozen, Learning, Pass};
pub use state::Potentials;

/// How many spikes before it is sent a row is asked for.
const ROWS_AHEAD: usize = 8;

/// Time in µs and neuron.
pub type Spike = (i64, u32);

/// What has been counted since the start of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Synapses that an input event arrived at.
    pub input_synaptic_events: u64,
    /// Recurrent synapses that a spike arrived at.
    pub synaptic_events: u64,
    /// Depressions and potentiations.
    pub weight_updates: u64,
}

impl Counters {
    /// Both added up.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_synaptic_events: self.input_synaptic_events + other.input_synaptic_events,
            synaptic_events: self.synaptic_events + other.synaptic_events,
            weight_updates: self.weight_updates + other.weight_updates,
        }
    }

    /// Count that an event or spike of `source` arrived at `n` synapses.
    #[inline]
    fn count(&mut self, source: Source, n: usize) {
        match source {
            Source::Input => self.input_synaptic_events += n as u64,
            Source::Recurrent => self.synaptic_events += n as u64,
        }
    }

    /// Arrivals at synapses of either source.
    pub fn arrivals(&self) -> u64 {
        self.input_synaptic_events + self.synaptic_events
    }
}

/// The part of a network that one worker owns.
#[derive(Debug, Clone)]
pub struct Shard<T> {
    /// First neuron.
    pub first: u32,
    /// Parameters of the neurons.
    pub neurons: Neurons<T>,
    /// Their synaptic currents; `None` where all synapses are delta synapses.
    pub receptors: Option<Receptors<T>>,
    /// Who competes with whom, where somebody does.
    pub groups: Option<Groups<T>>,
    /// Synapses onto them.
    pub projections: Vec<Projection<T>>,
    /// Threshold step at a spike while learning, mV.
    pub theta_plus: T,
    /// Whether a neuron can cross its threshold without an arrival.
    pub crosses: bool,
}

/// The part of a sample that moves.
#[derive(Debug, Clone)]
pub struct Activity<T> {
    membranes: Membranes<T>,
    /// Empty where all synapses are delta synapses.
    charges: Charges<T>,
    queue: Queue,
    parcels: Parcels<T>,
    /// Rows that spike in one µs, while they are sent.
    together: Vec<u32>,
    /// Post spikes; empty where nothing learns.
    pub history: History,
    /// What arrives at each receptor of each neuron in the present µs, mV; 0 in between.
    /// Without currents there is only one.
    input: Vec<Box<Table<T>>>,
    /// Next time at which each driven neuron crosses by itself, and the same in order.
    crossing: Vec<i64>,
    crossings: BinaryHeap<Reverse<Spike>>,
    deliveries: Vec<Due>,
    /// Who reached its threshold in the present µs.
    spiked: Vec<u32>,
    /// Who was inhibited by a winner in the present µs.
    lowered: Vec<u32>,
    /// Spikes of the last window, not sorted within a µs.
    pub spikes: Vec<Spike>,
    /// Since the start of the sample.
    pub counters: Counters,
    /// What is noted beside the spikes, if anything is.
    pub monitor: Option<Box<Monitor<T>>>,
}

impl<T: Real> Shard<T> {
    /// The neurons `range` of a checked description and all synapses onto them, whose targets take
    /// 32 bits if there are many or if they are to be `far`; `delays` are those of inputs and of
    /// neurons, µs, where they are few.
    pub fn new(
        description: &Description,
        delays: &[Option<Vec<u32>>; 2],
        range: Range<u32>,
        far: bool,
    ) -> Self {
        let p = &description.neurons;
        let span = range.start as usize..range.end as usize;
        let real = |f: &dyn Fn(usize) -> f64| span.clone().map(|i| T::from_f64(f(i))).collect();
        let mut neurons = Neurons {
            rate: span.clone().map(|i| rate_from_ms(p.tau_m[i])).collect(),
            halvings: span.clone().map(|i| halvings_from_ms(p.tau_m[i])).collect(),
            v_rest: real(&|i| p.v_rest[i]),
            v_end: real(&|i| p.v_rest[i] + p.bias[i]),
            v_reset: real(&|i| p.v_reset[i]),
            v_threshold: real(&|i| p.v_threshold[i]),
            t_ref: span.clone().map(|i| (p.t_ref[i] * 1000.0).round_ties_even() as u32).collect(),
            theta: real(&|i| p.theta[i]),
            threshold: real(&|i| p.v_threshold[i]),
            together: large::room(span.len()),
        };
        neurons.together.resize(span.len(), [T::ZERO; 4]);
        for i in 0..neurons.len() {
            neurons.set_theta(i, neurons.theta[i]);
        }
        let receptors = description.has_currents().then(|| {
            let tau_syn = [&p.tau_syn_ex[span.clone()], &p.tau_syn_in[span.clone()]];
            Receptors::new(tau_syn, &p.tau_m[span.clone()])
        });
        let kinds: &[_] = match receptors {
            None => &[None],
            Some(_) => &[Some(Receptor::Excitatory), Some(Receptor::Inhibitory)],
        };
        let groups =
            description.competition.as_ref().map(|competition| Groups::new(competition, span));
        // Only where something learns.
        let class = LazyCell::new(|| excitability::classes(description, range.clone()));
        let far = far || Targets::are_far(range.len());
        let mut projections = Vec::new();
        let sources = [
            (Source::Input, &description.inputs, delays[0].as_deref()),
            (Source::Recurrent, &description.recurrent, delays[1].as_deref()),
        ];
        for from in sources {
            for &kind in kinds {
                projections.push(Projection::new(from, range.clone(), far, None, kind));
                if let Some(plasticity) = &from.1.plasticity {
                    let plastic = Some((plasticity, class.as_slice()));
                    projections.push(Projection::new(from, range.clone(), far, plastic, kind));
                }
            }
        }
        let theta_plus = description.adaptation.map_or(0.0, |adaptation| adaptation.theta_plus);
        let theta_plus = T::from_f64(theta_plus);
        // An adapted threshold is never below the one that a neuron was made with.
        let is_driven = |i: usize| neurons.v_end[i] > neurons.v_threshold[i];
        let crosses = receptors.is_some() || (0..neurons.len()).any(is_driven);
        Self { first: range.start, neurons, receptors, groups, projections, theta_plus, crosses }
    }

    /// Post neurons of the synapses that receive `delivery`, counted within the shard; all different.
    #[inline]
    fn targets(&self, delivery: Due) -> Onto<'_> {
        self.projections[delivery.projection()].targets(delivery.segment())
    }

    /// Whether some of its synapses are plastic.
    pub fn learns(&self) -> bool {
        self.projections.iter().any(|p| matches!(p.synapses, Synapses::Plastic(_)))
    }

    /// Projections whose weights can learn, with their place in `projections`.
    pub fn plastic(&mut self) -> impl Iterator<Item = &mut Projection<T>> {
        self.projections.iter_mut().filter(|p| matches!(p.synapses, Synapses::Plastic(_)))
    }

    /// Clear what learning left of the sample before; in the next one the amplitudes of STDP are
    /// `scale` times as large.
    pub fn reset_traces(&mut self, scale: T) {
        for projection in self.plastic() {
            if let Synapses::Plastic(synapses) = &mut projection.synapses {
                synapses.reset(scale);
            }
        }
    }

    /// Apply all potentiations pending before time `t`, and count times from there.
    pub fn settle(&mut self, activity: &mut Activity<T>, t: i64) {
        if !self.learns() {
            return;
        }
        let Activity { history, input, counters, .. } = activity;
        for projection in self.plastic() {
            let Synapses::Plastic(synapses) = &mut projection.synapses else { continue };
            for segment in 0..projection.rows.n_segments() {
                let range = projection.rows.synapses(segment as u32);
                counters.weight_updates +=
                    synapses.settle(segment, range, t, history, &mut input[0]);
            }
            synapses.rebase();
        }
        history.forget();
        history.rebase(t);
    }

    /// Apply all pending potentiations at the end of a sample.
    pub fn end(&mut self, activity: &mut Activity<T>) {
        let Activity { history, input, counters, .. } = activity;
        for projection in self.plastic() {
            let Synapses::Plastic(synapses) = &mut projection.synapses else { continue };
            for segment in 0..projection.rows.n_segments() {
                let range = projection.rows.synapses(segment as u32);
                counters.weight_updates += synapses.end(segment, range, history, &mut input[0]);
            }
        }
    }
}

impl<T: Real> Activity<T> {
    /// Room for a sample in `shard`, whose windows last `width` µs; `learns`: with its history.
    pub fn new(shard: &Shard<T>, width: u32, learns: bool) -> Self {
        let mut activity = Self {
            membranes: Membranes::waiting(shard.groups.is_some()),
            charges: Charges::default(),
            queue: Queue::new(width),
            parcels: Parcels::default(),
            together: Vec::new(),
            history: History::default(),
            input: vec![
                table(T::ZERO, shard.neurons.len());
                if shard.receptors.is_some() { 2 } else { 1 }
            ],
            crossing: Vec::new(),
            crossings: BinaryHeap::new(),
            deliveries: Vec::new(),
            spiked: Vec::new(),
            lowered: Vec::new(),
            spikes: Vec::new(),
            counters: Counters::default(),
            monitor: None,
        };
        activity.reset(shard, learns);
        activity
    }

    /// Back to rest at t = 0.
    pub fn reset(&mut self, shard: &Shard<T>, learns: bool) {
        let n = shard.neurons.len();
        self.membranes.reset(&shard.neurons);
        if shard.receptors.is_some() {
            self.charges.reset(n);
        }
        self.queue.reset();
        self.parcels.clear();
        if learns && shard.learns() {
            self.history.reset(n);
        }
        for input in &mut self.input {
            input[..n].fill(T::ZERO);
        }
        self.crossing.clear();
        self.crossing.resize(n, i64::MAX);
        self.crossings.clear();
        self.spikes.clear();
        self.counters = Counters::default();
        self.monitor = None;
        if shard.crosses {
            for i in 0..n {
                self.predict(shard, i, -1);
            }
        }
    }

    /// Note when neuron `i` crosses by itself, after `now`.
    #[inline]
    fn predict(&mut self, shard: &Shard<T>, i: usize, now: i64) {
        let (membranes, neurons) = (&self.membranes, &shard.neurons);
        let t = match &shard.receptors {
            None if neurons.is_driven(i) => membranes.crossing(neurons, i, now),
            // An adapted threshold may have risen above the drive.
            None => None,
            Some(receptors) => self.charges.crossing(membranes, neurons, receptors, i, now),
        };
        let t = t.unwrap_or(i64::MAX);
        if t != self.crossing[i] {
            self.crossing[i] = t;
            if t != i64::MAX {
                self.crossings.push(Reverse((t, i as u32)));
            }
        }
    }

    /// First window, of `width` µs, in which something happens here without any new spike.
    pub fn first_window(&mut self, width: i64) -> Option<i64> {
        let crossing = Some(self.next_crossing()).filter(|&t| t < i64::MAX).map(|t| t / width);
        match (self.queue.first(), crossing) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Send `spikes` of `source`, in the order of time, on their way to the neurons of `shard`, which
    /// `learns` or does not.
    pub fn send(
        &mut self,
        shard: &Shard<T>,
        source: Source,
        learns: bool,
        spikes: &(impl Iterator<Item = Spike> + Clone),
    ) {
        for (number, projection) in (0..).zip(&shard.projections) {
            let rows = &projection.rows;
            if projection.source != source || rows.are_empty() {
                continue;
            }
            let mut near = spikes.clone().skip(ROWS_AHEAD);
            let mut far = spikes.clone().skip(2 * ROWS_AHEAD);
            let are_many = rows.are_many();
            if let Some(delays) = rows.same_delays() {
                let can_be_parcels = (2..=MOST_DELAYS).contains(&delays.len());
                let changes = learns && matches!(projection.synapses, Synapses::Plastic(_));
                let mut all = spikes.clone().peekable();
                while let Some(&(t, _)) = all.peek() {
                    self.together.clear();
                    while let Some((_, row)) = all.next_if(|spike| spike.0 == t) {
                        self.together.push(row);
                    }
                    let (queue, rows) = (&mut self.queue, &self.together);
                    if rows.len() == 1 || changes || !can_be_parcels {
                        queue.push_together(t, number, delays, rows);
                    } else {
                        with_targets!(projection.synapses.targets(), targets => {
                            let reading = (number, projection.reading(targets));
                            self.parcels.send(queue, reading, delays, t, rows);
                        });
                    }
                }
                continue;
            }
            for (t, row) in spikes.clone() {
                if are_many {
                    // First ask where a row begins, then for what is there.
                    far.next().inspect(|&(_, row)| rows.prefetch_place(row as usize));
                    near.next().inspect(|&(_, row)| rows.prefetch(row as usize));
                }
                for segment in rows.segments(row as usize) {
                    let arrival = t + i64::from(rows.delay(segment));
                    self.queue.push(Delivery { arrival, projection: number, segment });
                }
            }
        }
    }

    /// Simulate `window`, up to but without time `end`; leaves its spikes in `spikes`.
    ///
    /// A window that ends early can be gone on with.
    pub fn advance(&mut self, pass: &mut impl Pass<T>, window: i64, end: i64) {
        self.spikes.clear();
        let mut deliveries = std::mem::take(&mut self.deliveries);
        let start = self.queue.take(window, &mut deliveries);
        let mut rest = deliveries.as_slice();
        let mut stop = if self.monitor.is_none() { end } else { self.next_stop(end) };
        loop {
            let arrival = rest.first().map_or(i64::MAX, |delivery| start + delivery.us());
            let crossing = self.next_crossing();
            let t = arrival.min(crossing);
            if t >= stop {
                if self.monitor.is_none() {
                    break;
                }
                // All that happens before has happened.
                stop = self.note(pass.shard(), t.min(end), end);
                if t >= end {
                    break;
                }
            }
            let together = rest.partition_point(|delivery| start + delivery.us() == t);
            self.arrive(pass, rest, together, t);
            rest = &rest[together..];
            while self.next_crossing() == t {
                let i = self.crossings.pop().map_or(0, |Reverse((_, i))| i as usize);
                self.receive(pass, i, t, [T::ZERO; 2]);
            }
            self.end_us(pass, t);
        }
        self.queue.leave(window, end, rest);
        self.deliveries = deliveries;
    }

    /// Time of the next crossing that still holds; drops those that were overtaken.
    fn next_crossing(&mut self) -> i64 {
        while let Some(&Reverse((t, i))) = self.crossings.peek() {
            if self.crossing[i as usize] == t {
                return t;
            }
            self.crossings.pop();
        }
        i64::MAX
    }
}
