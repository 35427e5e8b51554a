//! Synapses of one origin and kind onto one shard, laid out row by row.
//!
//! Lives here: rows cut into segments, static synapses, and the way back to the order of the
//! description. Not here: what a plastic synapse does (`stdp`). Invariant: within a row,
//! synapses stand in the order of (delay, target), and those that learn in that of (delay, class of
//! the target, target); a segment is a run of one delay, and segments are numbered in the order of
//! (row, delay).

use std::ops::Range;

use crate::current::Receptor;
use crate::excitability::CLASSES;
use crate::network::{Connections, Plasticity};
use crate::plastic::{PlasticSynapses, half_scale};
use crate::real::Real;
use crate::real::large::{self, Large};
use crate::real::simd::{LINE, Table, ask, at_once, prefetch, prefetch_lines};
use crate::stdp::Rule;
use crate::time::halvings_from_ms;

/// Where a projection's rows begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Input channels.
    Input,
    /// Neurons.
    Recurrent,
}

/// Synapses whose weights stay.
#[derive(Debug, Clone)]
pub struct StaticSynapses<T> {
    /// Post neuron, counted within the shard.
    pub target: Large<u16>,
    /// Weight, mV.
    pub weight: Large<T>,
}

/// Either kind of synapses.
#[derive(Debug, Clone)]
pub enum Synapses<T> {
    /// Weights stay.
    Static(StaticSynapses<T>),
    /// Weights may learn.
    Plastic(PlasticSynapses<T>),
}

impl<T: Real> Synapses<T> {
    /// Post neurons, counted within the shard.
    pub fn target(&self) -> &[u16] {
        match self {
            Self::Static(synapses) => &synapses.target,
            Self::Plastic(synapses) => synapses.target(),
        }
    }

    /// Weights of the synapses `range`, which is one segment, mV.
    pub fn weights(&self, range: &Range<usize>) -> &[T] {
        match self {
            Self::Static(synapses) => &synapses.weight[range.clone()],
            Self::Plastic(synapses) => synapses.weights(range),
        }
    }

    /// The same to change, with their post neurons.
    pub fn weights_mut(&mut self, range: &Range<usize>) -> (&[u16], &mut [T]) {
        match self {
            Self::Static(synapses) => {
                (&synapses.target[range.clone()], &mut synapses.weight[range.clone()])
            }
            Self::Plastic(synapses) => synapses.weights_mut(range),
        }
    }
}

/// Rows cut into segments of equal delay.
#[derive(Debug, Clone)]
pub struct Rows {
    delays: Delays,
    /// First synapse of each segment, and the number of synapses.
    start: Large<u32>,
}

/// Which segments a row has, and with which delays, µs.
#[derive(Debug, Clone)]
enum Delays {
    /// One for all: each row is one segment, which may be empty.
    One(u32),
    /// Of each segment; and the first segment of each row, and the number of segments.
    Each { delay: Large<u32>, first: Large<u32> },
}

impl Rows {
    /// Segments of `row` that are not empty.
    #[inline]
    pub fn segments(&self, row: usize) -> Range<u32> {
        match &self.delays {
            Delays::One(_) => {
                let segment = row as u32;
                segment..segment + u32::from(!self.is_empty(segment))
            }
            Delays::Each { first, .. } => first[row]..first[row + 1],
        }
    }

    /// Whether `segment` has no synapses.
    #[inline]
    pub fn is_empty(&self, segment: u32) -> bool {
        self.synapses(segment).is_empty()
    }

    /// The delay of all synapses, µs, if they share one: then a row is the segment of its number, which
    /// may be empty.
    #[inline]
    pub fn one_delay(&self) -> Option<u32> {
        match self.delays {
            Delays::One(delay) => Some(delay),
            Delays::Each { .. } => None,
        }
    }

    /// Whether there are too many to be at hand.
    pub fn are_many(&self) -> bool {
        self.start.len() >= SOON_AT_HAND
    }

    /// Whether there are no synapses.
    pub fn are_empty(&self) -> bool {
        self.start.last().is_none_or(|&n| n == 0)
    }

    /// Ask for the memory that says where `row` begins.
    #[inline]
    pub fn prefetch_place(&self, row: usize) {
        match &self.delays {
            Delays::One(_) => prefetch(&self.start, row),
            Delays::Each { first, .. } => prefetch(first, row),
        }
    }

    /// Ask for the memory of the delays of `row`.
    #[inline]
    pub fn prefetch(&self, row: usize) {
        if let Delays::Each { delay, first } = &self.delays {
            let (start, end) = (first[row] as usize, first[row + 1] as usize);
            prefetch_lines(delay, start, end - start);
        }
    }

    /// Number of segments, empty ones too.
    pub fn n_segments(&self) -> usize {
        self.start.len() - 1
    }

    /// Delay of `segment`, µs.
    #[inline]
    pub fn delay(&self, segment: u32) -> u32 {
        match &self.delays {
            Delays::One(delay) => *delay,
            Delays::Each { delay, .. } => delay[segment as usize],
        }
    }

    /// The longest delay, µs.
    pub fn longest_delay(&self) -> u32 {
        match &self.delays {
            Delays::One(delay) => *delay,
            Delays::Each { delay, .. } => delay.iter().copied().max().unwrap_or(0),
        }
    }

    /// Synapses of `segment`.
    #[inline]
    pub fn synapses(&self, segment: u32) -> Range<usize> {
        span(&self.start, segment)
    }
}

/// Synapses of `segment`, if each segment begins at its place of `start`.
#[inline]
fn span(start: &[u32], segment: u32) -> Range<usize> {
    let segment = segment as usize;
    // The end first: then the beginning is known to be there.
    let end = start[segment + 1] as usize;
    start[segment] as usize..end
}

/// As many elements as are soon in the nearest memory and need not be asked for.
const SOON_AT_HAND: usize = 1 << 14;

/// Synapses of a segment that are asked for before it is delivered, and while it is so many ahead.
const ASKED: usize = 128;
/// Synapses between two requests: a line of weights in single precision.
const BETWEEN: usize = LINE / size_of::<f32>();

/// Scales of `a_plus`, `a_minus` and both halvings in 16 bits.
fn half_scales<T: Real>(p: &Plasticity) -> [f32; 4] {
    let plastic = |values: &[f64], number: &dyn Fn(f64) -> T| {
        let all = values.iter().zip(&p.plastic).filter(|(_, plastic)| **plastic);
        half_scale(all.map(|(&value, _)| number(value).to_f64()))
    };
    [
        plastic(&p.a_plus, &T::from_f64),
        plastic(&p.a_minus, &T::from_f64),
        plastic(&p.tau_plus, &halvings_from_ms),
        plastic(&p.tau_minus, &halvings_from_ms),
    ]
}

/// Rows and what they hold.
#[derive(Debug, Clone)]
pub struct Projection<T> {
    /// What the rows are.
    pub source: Source,
    /// What the synapses feed.
    pub receptor: Receptor,
    /// Where each row's synapses are.
    pub rows: Rows,
    /// The synapses.
    pub synapses: Synapses<T>,
}

impl<T: Real> Projection<T> {
    /// The synapses of `connections` onto the neurons `onto`: those that learn if `plastic`, in
    /// the order of the classes of their targets, the others if not; those that feed `receptor`,
    /// or all of them without currents.
    pub fn new(
        (source, connections): (Source, &Connections),
        onto: Range<u32>,
        plastic: Option<(&Plasticity, &[u8])>,
        receptor: Option<Receptor>,
    ) -> Self {
        let learns = |s: usize| connections.plasticity.as_ref().is_some_and(|p| p.plastic[s]);
        let feeds = |s: usize| receptor.is_none_or(|kind| connections.receptor(s) == kind);
        let wanted = |s: usize| learns(s) == plastic.is_some() && feeds(s);
        let graph = &connections.graph;
        let n_rows = graph.n_rows();
        let target = |s: usize| (graph.indices()[s] - onto.start) as u16;
        let class = |s| plastic.map_or(0, |(_, class)| class[target(s) as usize] as usize);
        let onto_these = |row: usize| {
            let span = graph.span(row);
            let targets = &graph.indices()[span.clone()];
            let from = span.start + targets.partition_point(|&target| target < onto.start);
            let to = span.start + targets.partition_point(|&target| target < onto.end);
            (from..to).filter(|&s| wanted(s))
        };
        // Counted first, so that nothing has to grow while it is filled.
        let n: usize = (0..n_rows).map(|row| onto_these(row).count()).sum();
        let one_delay = connections.one_delay_us();
        let (mut start, mut first, mut delays) = (large::room(n_rows + 1), vec![0], Vec::new());
        let mut targets = large::room(n);
        let mut picked: Vec<usize> = Vec::with_capacity(n);
        let mut by_class: [Vec<usize>; CLASSES] = Default::default();
        let mut row_order: Vec<(u32, usize)> = Vec::new();
        for row in 0..n_rows {
            if one_delay.is_some() {
                start.push(targets.len() as u32);
            }
            onto_these(row).for_each(|s| by_class[class(s)].push(s));
            if one_delay.is_some() {
                for s in by_class.iter_mut().flat_map(|all| all.drain(..)) {
                    targets.push(target(s));
                    picked.push(s);
                }
                continue;
            }
            row_order.clear();
            for s in by_class.iter_mut().flat_map(|all| all.drain(..)) {
                row_order.push((connections.delay_us(s), s));
            }
            // Those of one delay stay as they are.
            row_order.sort_by_key(|&(delay, _)| delay);
            let mut delay_before = None;
            for &(delay, s) in &row_order {
                if delay_before != Some(delay) {
                    delays.push(delay);
                    start.push(targets.len() as u32);
                    delay_before = Some(delay);
                }
                targets.push(target(s));
                picked.push(s);
            }
            first.push(delays.len() as u32);
        }
        start.push(targets.len() as u32);
        let delays = match one_delay {
            Some(delay) => Delays::One(delay),
            None => Delays::Each { delay: delays.into(), first: first.into() },
        };
        let rows = Rows { delays, start: start.into() };
        let synapses = match plastic {
            None => {
                let weight = picked.iter().map(|&s| T::from_f64(connections.weight[s]));
                Synapses::Static(StaticSynapses {
                    target: targets.into(),
                    weight: Large::collect(picked.len(), weight),
                })
            }
            Some((p, _)) => {
                let real = |values: &[f64]| {
                    picked.iter().map(|&s| T::from_f64(values[s])).collect::<Vec<T>>()
                };
                let rule = Rule {
                    w_min: T::from_f64(p.w_min),
                    w_max: T::from_f64(p.w_max),
                    mu_plus: T::from_f64(p.mu_plus),
                    mu_minus: T::from_f64(p.mu_minus),
                    pairing: p.pairing,
                    scale: T::ONE,
                };
                let halvings =
                    |tau: &[f64]| picked.iter().map(|&s| halvings_from_ms(tau[s])).collect();
                let constants = [
                    real(&p.a_plus),
                    real(&p.a_minus),
                    halvings(&p.tau_plus),
                    halvings(&p.tau_minus),
                ];
                let half = p.half_precision.then(|| half_scales::<T>(p));
                Synapses::Plastic(PlasticSynapses::new(
                    rule,
                    &rows.start,
                    &targets,
                    &real(&connections.weight),
                    &constants,
                    half,
                ))
            }
        };
        Self { source, receptor: receptor.unwrap_or(Receptor::Excitatory), rows, synapses }
    }

    /// Of each synapse of `row`: its segment, its place in it, its target (counted within the
    /// shard) and its delay in µs.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, u32, u32, u32)> {
        self.rows.segments(row).flat_map(move |segment| {
            let delay = self.rows.delay(segment);
            let targets = &self.synapses.target()[self.rows.synapses(segment)];
            (0..).zip(targets).map(move |(k, &target)| (segment, k, u32::from(target), delay))
        })
    }

    /// Post neurons of `segment`, counted within the shard.
    #[inline]
    pub fn targets(&self, segment: u32) -> &[u16] {
        &self.synapses.target()[self.rows.synapses(segment)]
    }

    /// To be read only.
    #[inline]
    pub fn reading(&self) -> Reading<'_, T> {
        let (cells, n_fields) = match &self.synapses {
            Synapses::Static(synapses) => (&*synapses.weight, 1),
            Synapses::Plastic(synapses) => synapses.cells(),
        };
        Reading { start: &self.rows.start, target: self.synapses.target(), cells, n_fields }
    }

    /// Ask for the memory that says where a segment is.
    #[inline(never)]
    pub fn prefetch_place(&self, segment: u32) {
        if self.rows.start.len() < SOON_AT_HAND {
            return;
        }
        prefetch(&self.rows.start, segment as usize);
        if let Synapses::Plastic(synapses) = &self.synapses {
            synapses.prefetch_visit(segment as usize);
        }
    }

    /// Ask for the memory of a segment that will be delivered soon; also to be changed if `learns`.
    #[inline]
    pub fn prefetch(&self, segment: u32, learns: bool) {
        if self.synapses.target().len() < SOON_AT_HAND {
            return;
        }
        let range = self.rows.synapses(segment);
        match &self.synapses {
            Synapses::Plastic(synapses) if learns => synapses.prefetch(&range),
            _ => self.reading().prefetch(segment),
        }
    }
}

/// Add `weights` to what `targets` receive.
#[inline]
fn add<T: Real>(targets: &[u16], weights: &[T], input: &mut Table<T>) {
    let (blocks, rest) = targets.as_chunks::<8>();
    let (block_weights, rest_weights) = weights.as_chunks::<8>();
    for (targets, weights) in blocks.iter().zip(block_weights) {
        for (two, weights) in targets.as_chunks().0.iter().zip(weights.chunks_exact(2)) {
            for (target, &w) in at_once(two).into_iter().zip(weights) {
                input[target as usize] += w;
            }
        }
    }
    for (&target, &w) in rest.iter().zip(rest_weights) {
        input[target as usize] += w;
    }
}

/// The same, where they are more than [`ASKED`]: each line is asked for so many before it is reached.
fn add_asking<T: Real>(targets: &[u16], weights: &[T], input: &mut Table<T>) {
    let n_asking = (targets.len() - ASKED) / BETWEEN * BETWEEN;
    let (asking, asked) = targets.split_at(n_asking);
    let (asking_weights, asked_weights) = weights.split_at(n_asking);
    let lines = asking.as_chunks::<BETWEEN>().0.iter();
    for (targets, weights) in lines.zip(asking_weights.as_chunks::<BETWEEN>().0) {
        ask(targets.as_ptr().wrapping_add(ASKED));
        ask(weights.as_ptr().wrapping_add(ASKED));
        add(targets, weights, input);
    }
    add(asked, asked_weights, input);
}

/// A projection whose weights are only read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a, T> {
    start: &'a [u32],
    target: &'a [u16],
    /// So many numbers for each synapse; those of a segment begin with its weights.
    cells: &'a [T],
    n_fields: usize,
}

impl<T: Real> Reading<'_, T> {
    /// Whether `start` is so large that it must be asked for, and whether the synapses are so many.
    #[inline]
    pub fn is_far(&self) -> [bool; 2] {
        [self.start.len() >= SOON_AT_HAND, self.target.len() >= SOON_AT_HAND]
    }

    /// Add the weights of `segment` to what its targets receive; returns how many there are.
    #[inline]
    pub fn deliver(&self, segment: u32, input: &mut Table<T>) -> usize {
        let Range { start, end } = span(self.start, segment);
        let n = end - start;
        let (weights, targets) =
            (&self.cells[self.n_fields * start..][..n], &self.target[start..][..n]);
        if n <= ASKED {
            add(targets, weights, input);
        } else {
            add_asking(targets, weights, input);
        }
        n
    }

    /// Ask for the memory that says where `segment` is.
    #[inline]
    pub fn prefetch_place(&self, segment: u32) {
        prefetch(self.start, segment as usize);
    }

    /// Ask for the memory of `segment`.
    #[inline]
    pub fn prefetch(&self, segment: u32) {
        let Range { start, end } = span(self.start, segment);
        let n = (end - start).min(ASKED);
        prefetch_lines(self.cells, self.n_fields * start, n);
        prefetch_lines(self.target, start, n);
    }
}
