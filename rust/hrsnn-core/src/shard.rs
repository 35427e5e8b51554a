//! A range of neurons, all synapses onto them, and one window of their life.
//!
//! Lives here: the order of things within a µs. Not here: other shards (`engine`). Invariants:
//! a shard reads and writes nothing outside itself, so it does not matter on which thread, or
//! beside how many others, it runs; every sum is taken in the order of its queue.
//!
//! Within one µs: (1) all arrivals are delivered, and what a neuron receives is summed in
//! `input`; (2) each neuron that received something is brought to the present, and it spikes if
//! it is over threshold; so does one whose constant drive brings it there; (3) the spikes enter
//! the histories, which arrivals of a later µs will read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::current::{Charges, Receptor, Receptors};
use crate::network::Description;
use crate::neuron::{Membranes, Neurons};
use crate::projection::{Projection, Source, Synapses};
use crate::queue::{Delivery, Queue};
use crate::real::Real;
use crate::stdp::History;
use crate::time::rate_from_ms;

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

/// The part of a network that one worker owns.
#[derive(Debug, Clone)]
pub struct Shard<T> {
    /// First neuron.
    pub first: u32,
    /// Parameters of the neurons.
    pub neurons: Neurons<T>,
    /// Their synaptic currents; `None` where all synapses are delta synapses.
    pub receptors: Option<Receptors<T>>,
    /// Synapses onto them.
    pub projections: Vec<Projection<T>>,
    /// Threshold step at a spike while learning, mV.
    pub theta_plus: T,
}

/// The part of a sample that moves.
#[derive(Debug, Clone)]
pub struct Activity<T> {
    membranes: Membranes<T>,
    /// Empty where all synapses are delta synapses.
    charges: Charges<T>,
    queue: Queue,
    /// Post spikes; empty where nothing learns.
    pub history: History,
    /// What arrives at each receptor of each neuron in the present µs, mV; 0 in between.
    /// Without currents all of it arrives at the first.
    input: [Vec<T>; 2],
    /// Next time at which each driven neuron crosses by itself, and the same in order.
    crossing: Vec<i64>,
    crossings: BinaryHeap<Reverse<Spike>>,
    deliveries: Vec<Delivery>,
    /// Spikes of the last window, not sorted within a µs.
    pub spikes: Vec<Spike>,
    /// Since the start of the sample.
    pub counters: Counters,
}

/// How a shard is visited: with its weights as they are, or changing them.
pub trait Pass<T> {
    /// The shard.
    fn shard(&self) -> &Shard<T>;
    /// Deliver at `t` to the synapses of a segment.
    fn deliver(&mut self, delivery: Delivery, history: &History, input: &mut [T]) -> u64;
    /// Neuron `i` of the shard spiked at `t`.
    fn spiked(&mut self, i: usize, t: i64, history: &mut History);
    /// Apply what is pending before time `t` and empty the histories.
    fn settle(&mut self, activity: &mut Activity<T>, t: i64);
}

/// A pass that changes nothing but the activity.
#[derive(Debug)]
pub struct Frozen<'a, T>(pub &'a Shard<T>);

/// A pass that learns.
#[derive(Debug)]
pub struct Learning<'a, T>(pub &'a mut Shard<T>);

fn add_weights<T: Real>(projection: &Projection<T>, range: Range<usize>, input: &mut [T]) {
    let target = &projection.synapses.target()[range.clone()];
    let weight = &projection.synapses.weight()[range];
    for (&post, &w) in target.iter().zip(weight) {
        input[post as usize] += w;
    }
}

impl<T: Real> Pass<T> for Frozen<'_, T> {
    fn shard(&self) -> &Shard<T> {
        self.0
    }

    fn deliver(&mut self, delivery: Delivery, _: &History, input: &mut [T]) -> u64 {
        let projection = &self.0.projections[delivery.projection as usize];
        add_weights(projection, projection.rows.synapses(delivery.segment), input);
        0
    }

    fn spiked(&mut self, _: usize, _: i64, _: &mut History) {}

    fn settle(&mut self, _: &mut Activity<T>, _: i64) {}
}

impl<T: Real> Pass<T> for Learning<'_, T> {
    fn shard(&self) -> &Shard<T> {
        self.0
    }

    fn deliver(&mut self, delivery: Delivery, history: &History, input: &mut [T]) -> u64 {
        let projection = &mut self.0.projections[delivery.projection as usize];
        let range = projection.rows.synapses(delivery.segment);
        if let Synapses::Plastic(synapses) = &mut projection.synapses {
            let segment = delivery.segment as usize;
            return synapses.arrive(segment, range, delivery.arrival, history, input);
        }
        add_weights(projection, range, input);
        0
    }

    fn spiked(&mut self, i: usize, t: i64, history: &mut History) {
        history.push(i, t);
        self.0.neurons.adapt(i, self.0.theta_plus);
    }

    fn settle(&mut self, activity: &mut Activity<T>, t: i64) {
        self.0.settle(activity, t);
    }
}

impl<T: Real> Shard<T> {
    /// The neurons `range` of a checked description and all synapses onto them.
    pub fn new(description: &Description, range: Range<u32>) -> Self {
        let p = &description.neurons;
        let span = range.start as usize..range.end as usize;
        let real = |f: &dyn Fn(usize) -> f64| span.clone().map(|i| T::from_f64(f(i))).collect();
        let mut neurons = Neurons {
            rate: span.clone().map(|i| rate_from_ms(p.tau_m[i])).collect(),
            v_rest: real(&|i| p.v_rest[i]),
            v_end: real(&|i| p.v_rest[i] + p.bias[i]),
            v_reset: real(&|i| p.v_reset[i]),
            v_threshold: real(&|i| p.v_threshold[i]),
            t_ref: span.clone().map(|i| (p.t_ref[i] * 1000.0).round_ties_even() as u32).collect(),
            theta: real(&|i| p.theta[i]),
            threshold: real(&|i| p.v_threshold[i]),
        };
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
        let mut projections = Vec::new();
        for from in
            [(Source::Input, &description.inputs), (Source::Recurrent, &description.recurrent)]
        {
            for &kind in kinds {
                projections.push(Projection::new(from, range.clone(), None, kind));
                if let Some(plasticity) = &from.1.plasticity {
                    let plastic = Some(plasticity);
                    projections.push(Projection::new(from, range.clone(), plastic, kind));
                }
            }
        }
        let theta_plus = description.adaptation.map_or(0.0, |adaptation| adaptation.theta_plus);
        let theta_plus = T::from_f64(theta_plus);
        Self { first: range.start, neurons, receptors, projections, theta_plus }
    }

    /// Projections whose weights can learn, with their place in `projections`.
    pub fn plastic(&mut self) -> impl Iterator<Item = &mut Projection<T>> {
        self.projections.iter_mut().filter(|p| matches!(p.synapses, Synapses::Plastic(_)))
    }

    /// Clear what learning left of the sample before.
    pub fn reset_traces(&mut self) {
        for projection in self.plastic() {
            if let Synapses::Plastic(synapses) = &mut projection.synapses {
                synapses.reset(projection.rows.n_segments());
            }
        }
    }

    /// Apply all potentiations pending before time `t` and empty the histories.
    pub fn settle(&mut self, activity: &mut Activity<T>, t: i64) {
        for projection in self.plastic() {
            if let Synapses::Plastic(synapses) = &mut projection.synapses {
                for segment in 0..projection.rows.n_segments() {
                    let range = projection.rows.synapses(segment as u32);
                    activity.counters.weight_updates +=
                        synapses.settle(segment, range, t, &activity.history);
                }
            }
        }
        activity.history.forget(self.neurons.len());
    }
}

impl<T: Real> Activity<T> {
    /// Room for a sample in `shard`, whose windows last `width` µs.
    pub fn new(shard: &Shard<T>, width: u32) -> Self {
        let mut activity = Self {
            membranes: Membranes::default(),
            charges: Charges::default(),
            queue: Queue::new(width),
            history: History::default(),
            input: [Vec::new(), Vec::new()],
            crossing: Vec::new(),
            crossings: BinaryHeap::new(),
            deliveries: Vec::new(),
            spikes: Vec::new(),
            counters: Counters::default(),
        };
        activity.reset(shard);
        activity
    }

    /// Back to rest at t = 0.
    pub fn reset(&mut self, shard: &Shard<T>) {
        let n = shard.neurons.len();
        self.membranes.reset(&shard.neurons);
        if shard.receptors.is_some() {
            self.charges.reset(n);
        }
        self.queue.reset();
        self.history.reset(n);
        for input in &mut self.input {
            input.clear();
            input.resize(n, T::ZERO);
        }
        self.crossing.clear();
        self.crossing.resize(n, i64::MAX);
        self.crossings.clear();
        self.spikes.clear();
        self.counters = Counters::default();
        for i in 0..n {
            self.predict(shard, i, -1);
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
    pub fn first_window(&self, width: i64) -> Option<i64> {
        let crossing = self.crossings.peek().map(|Reverse((t, _))| t / width);
        match (self.queue.first(), crossing) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Send `spikes` of `source` on their way to the neurons of `shard`.
    pub fn send(&mut self, shard: &Shard<T>, source: Source, spikes: impl Iterator<Item = Spike>) {
        for (t, row) in spikes {
            for (number, projection) in shard.projections.iter().enumerate() {
                if projection.source != source {
                    continue;
                }
                for segment in projection.rows.segments(row as usize) {
                    let arrival = t + i64::from(projection.rows.delay(segment));
                    self.queue.push(Delivery { arrival, projection: number as u32, segment });
                }
            }
        }
    }

    /// Simulate `window`, up to but without time `end`; leaves its spikes in `spikes`.
    pub fn advance(&mut self, pass: &mut impl Pass<T>, window: i64, end: i64) {
        self.spikes.clear();
        let mut deliveries = std::mem::take(&mut self.deliveries);
        self.queue.take(window, &mut deliveries);
        let mut rest = deliveries.as_slice();
        loop {
            let arrival = rest.first().map_or(i64::MAX, |delivery| delivery.arrival);
            let crossing = self.next_crossing();
            let t = arrival.min(crossing);
            if t >= end {
                break;
            }
            let together = rest.partition_point(|delivery| delivery.arrival == t);
            let (now, later) = rest.split_at(together);
            rest = later;
            self.arrive(pass, now, t);
            while self.next_crossing() == t {
                let i = self.crossings.pop().map_or(0, |Reverse((_, i))| i as usize);
                self.receive(pass, i, t, [T::ZERO; 2]);
            }
        }
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

    /// All arrivals of one µs.
    fn arrive(&mut self, pass: &mut impl Pass<T>, deliveries: &[Delivery], t: i64) {
        let mut n_synapses = 0;
        for &delivery in deliveries {
            let receptor = pass.shard().projections[delivery.projection as usize].receptor;
            let input = &mut self.input[receptor as usize];
            self.counters.weight_updates += pass.deliver(delivery, &self.history, input);
            let projection = &pass.shard().projections[delivery.projection as usize];
            let n = projection.rows.synapses(delivery.segment).len();
            n_synapses += n;
            match projection.source {
                Source::Input => self.counters.input_synaptic_events += n as u64,
                Source::Recurrent => self.counters.synaptic_events += n as u64,
            }
        }
        // Which neurons received something: look at all of them, or along the rows again.
        // Neurons do not meet within a µs, so this choice changes no result.
        if 2 * n_synapses >= self.crossing.len() {
            for i in 0..self.crossing.len() {
                self.collect(pass, i, t);
            }
            return;
        }
        for delivery in deliveries {
            let p = delivery.projection as usize;
            for s in pass.shard().projections[p].rows.synapses(delivery.segment) {
                let i = pass.shard().projections[p].synapses.target()[s];
                self.collect(pass, i as usize, t);
            }
        }
    }

    /// Hand neuron `i` what has been summed for it.
    #[inline]
    fn collect(&mut self, pass: &mut impl Pass<T>, i: usize, t: i64) {
        let input = [self.input[0][i], self.input[1][i]];
        if input != [T::ZERO; 2] {
            self.input[0][i] = T::ZERO;
            self.input[1][i] = T::ZERO;
            self.receive(pass, i, t, input);
        }
    }

    #[inline]
    fn receive(&mut self, pass: &mut impl Pass<T>, i: usize, t: i64, input: [T; 2]) {
        let (neurons, membranes) = (&pass.shard().neurons, &mut self.membranes);
        let spikes = match &pass.shard().receptors {
            None => membranes.receive(neurons, i, t, input[0]),
            Some(receptors) => self.charges.receive(membranes, neurons, receptors, i, t, input),
        };
        if spikes {
            self.spikes.push((t, pass.shard().first + i as u32));
            pass.spiked(i, t, &mut self.history);
        }
        self.predict(pass.shard(), i, t);
    }
}
