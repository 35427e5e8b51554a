//! Synapses of one origin and kind onto one shard, laid out row by row.
//!
//! Lives here: rows cut into segments, static synapses, and the way back to the order of the
//! description. Not here: what a plastic synapse does (`stdp`). Invariant: within a row,
//! synapses stand in the order of (delay, target), and those that learn in that of (delay, class of
//! the target, target); a segment is a run of one delay, and segments are numbered in the order of
//! (row, delay).

use std::ops::Range;

use crate::csr::Csr;
use crate::current::Receptor;
use crate::excitability::CLASSES;
use crate::network::{Connections, Plasticity};
use crate::plastic::{PlasticSynapses, half_scale};
use crate::queue::SOON_AT_HAND;
use crate::real::Real;
use crate::real::large::{self, Large};
use crate::real::simd::{Index, MOST_LANES, prefetch, prefetch_lines};
use crate::stdp::Rule;
use crate::targets::{Onto, Targets, with_targets};
use crate::time::halvings_from_ms;
pub use reading::{Reading, add};

mod reading;

/// Where a projection's rows begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Input channels.
    Input,
    /// Neurons.
    Recurrent,
}

/// Synapses whose weights stay, and as many more places as a vector may reach beyond.
#[derive(Debug, Clone)]
pub struct StaticSynapses<T> {
    /// Post neuron, counted within the shard.
    pub targets: Targets,
    /// Weight, mV.
    pub weight: Large<T>,
    /// Whether most targets of a segment follow one another.
    pub are_in_runs: bool,
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
    /// Post neurons, counted within the shard; more than there are synapses.
    #[inline]
    pub fn targets(&self) -> Onto<'_> {
        match self {
            Self::Static(synapses) => synapses.targets.all(),
            Self::Plastic(synapses) => synapses.targets(),
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
    pub fn weights_mut(&mut self, range: &Range<usize>) -> (Onto<'_>, &mut [T]) {
        match self {
            Self::Static(synapses) => {
                (synapses.targets.of(range.clone()), &mut synapses.weight[range.clone()])
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
    /// Each row has one segment for each of a few delays, which may be empty.
    Same(Vec<u32>),
    /// Of each segment; and the first segment of each row, and the number of segments.
    Each { delay: Large<u32>, first: Large<u32> },
}

impl Rows {
    /// Segments of `row`, of which some may be empty.
    #[inline]
    pub fn segments(&self, row: usize) -> Range<u32> {
        match &self.delays {
            Delays::Same(delays) => {
                let n = delays.len() as u32;
                row as u32 * n..(row as u32 + 1) * n
            }
            Delays::Each { first, .. } => first[row]..first[row + 1],
        }
    }

    /// The delays that all rows share, µs, in whose order the segments of each stand.
    #[inline]
    pub fn same_delays(&self) -> Option<&[u32]> {
        match &self.delays {
            Delays::Same(delays) => Some(delays),
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
            Delays::Same(delays) => prefetch(&self.start, row * delays.len()),
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
            Delays::Same(delays) => delays[segment as usize % delays.len()],
            Delays::Each { delay, .. } => delay[segment as usize],
        }
    }

    /// The longest delay, µs.
    pub fn longest_delay(&self) -> u32 {
        match &self.delays {
            Delays::Same(delays) => delays.iter().copied().max().unwrap_or(0),
            Delays::Each { delay, .. } => delay.iter().copied().max().unwrap_or(0),
        }
    }

    /// First synapse of each segment, and the number of synapses.
    #[inline]
    pub fn start(&self) -> &[u32] {
        &self.start
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

/// The synapses `picked` of those that `p` and `weight` (mV) are of, in the segments that begin at `start`.
fn learning<T: Real>(
    p: &Plasticity,
    weight: &[f64],
    picked: &[usize],
    start: &[u32],
    targets: Targets,
) -> PlasticSynapses<T> {
    let real = |values: &[f64]| picked.iter().map(|&s| T::from_f64(values[s])).collect::<Vec<T>>();
    let rule = Rule {
        w_min: T::from_f64(p.w_min),
        w_max: T::from_f64(p.w_max),
        mu_plus: T::from_f64(p.mu_plus),
        mu_minus: T::from_f64(p.mu_minus),
        pairing: p.pairing,
        scale: T::ONE,
    };
    let halvings = |tau: &[f64]| picked.iter().map(|&s| halvings_from_ms(tau[s])).collect();
    let constants =
        [real(&p.a_plus), real(&p.a_minus), halvings(&p.tau_plus), halvings(&p.tau_minus)];
    let half = p.half_precision.then(|| half_scales::<T>(p));
    PlasticSynapses::new(rule, start, targets, &real(weight), &constants, half)
}

/// The synapses of `row` onto the neurons `onto`.
fn span_onto(graph: &Csr, onto: &Range<u32>, row: usize) -> Range<usize> {
    let span = graph.span(row);
    let targets = &graph.indices()[span.clone()];
    let from = span.start + targets.partition_point(|&target| target < onto.start);
    let to = span.start + targets.partition_point(|&target| target < onto.end);
    from..to
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
    /// or all of them without currents; `same_delays` are those of all, where they are few. Their
    /// targets take 32 bits if they are `far`.
    pub fn new(
        (source, connections, same_delays): (Source, &Connections, Option<&[u32]>),
        onto: Range<u32>,
        far: bool,
        plastic: Option<(&Plasticity, &[u8])>,
        receptor: Option<Receptor>,
    ) -> Self {
        let learns = |s: usize| connections.plasticity.as_ref().is_some_and(|p| p.plastic[s]);
        let feeds = |s: usize| receptor.is_none_or(|kind| connections.receptor(s) == kind);
        let wanted = |s: usize| learns(s) == plastic.is_some() && feeds(s);
        let graph = &connections.graph;
        let n_rows = graph.n_rows();
        let target = |s: usize| graph.indices()[s] - onto.start;
        let class = |s| plastic.map_or(0, |(_, class)| class[target(s) as usize] as usize);
        let span = |row| span_onto(graph, &onto, row);
        let onto_these = |row: usize| span(row).filter(|&s| wanted(s));
        let are_all = connections.plasticity.is_none() && receptor.is_none();
        // Counted first, so that nothing has to grow while it is filled.
        let count = |row| if are_all { span(row).len() } else { onto_these(row).count() };
        let n: usize = (0..n_rows).map(count).sum();
        // Where each delay has its place in each row, there are no more places than synapses.
        let same_delays =
            same_delays.filter(|delays| delays.len() == 1 || delays.len() * n_rows <= n);
        let n_segments = same_delays.map_or(0, |delays| delays.len() * n_rows);
        let mut start = large::room(n_segments + 1);
        let (mut first, mut delays) = (vec![0], Vec::new());
        let mut targets = Targets::room(n + MOST_LANES, far);
        // Of those that learn, where their parameters are; of the others, what there is to know.
        let n_static = if plastic.is_some() { 0 } else { n + MOST_LANES };
        let (mut picked, mut weight) =
            (Vec::with_capacity(if plastic.is_some() { n } else { 0 }), large::room(n_static));
        macro_rules! take {
            ($s:expr) => {{
                targets.push(target($s));
                match plastic {
                    Some(_) => picked.push($s),
                    None => weight.push(T::from_f64(connections.weight[$s])),
                }
            }};
        }
        let mut n_taken = 0;
        let mut by_class: [Vec<usize>; CLASSES] = Default::default();
        let mut row_order: Vec<(u32, usize)> = Vec::new();
        for row in 0..n_rows {
            if let Some([_]) = same_delays
                && plastic.is_none()
            {
                start.push(n_taken);
                if are_all {
                    // The whole row as it is.
                    let these = span(row);
                    n_taken += these.len() as u32;
                    targets.extend(graph.indices()[these.clone()].iter().map(|i| i - onto.start));
                    weight.extend(connections.weight[these].iter().map(|&w| T::from_f64(w)));
                    continue;
                }
                for s in onto_these(row) {
                    take!(s);
                    n_taken += 1;
                }
                continue;
            }
            onto_these(row).for_each(|s| by_class[class(s)].push(s));
            row_order.clear();
            for s in by_class.iter_mut().flat_map(|all| all.drain(..)) {
                row_order.push((connections.delay_us(s), s));
            }
            // Those of one delay stay as they are.
            row_order.sort_by_key(|&(delay, _)| delay);
            let mut rest = row_order.as_slice();
            let mut segment = |delay: u32| {
                start.push(n_taken);
                let n = rest.iter().take_while(|synapse| synapse.0 == delay).count();
                let (these, others) = rest.split_at(n);
                rest = others;
                for &(_, s) in these {
                    take!(s);
                }
                n_taken += n as u32;
                rest.first().map(|synapse| synapse.0)
            };
            if let Some(delays) = same_delays {
                for &delay in delays {
                    segment(delay);
                }
            } else {
                let mut next = row_order.first().map(|synapse| synapse.0);
                while let Some(delay) = next {
                    delays.push(delay);
                    next = segment(delay);
                }
                first.push(delays.len() as u32);
            }
        }
        start.push(n_taken);
        let delays = match same_delays {
            Some(same) => Delays::Same(same.to_vec()),
            None => Delays::Each { delay: delays.into(), first: first.into() },
        };
        let rows = Rows { delays, start: start.into() };
        let synapses = match plastic {
            None => {
                weight.resize(weight.len() + MOST_LANES, T::ZERO);
                (0..MOST_LANES).for_each(|_| targets.push(0));
                let are_in_runs = reading::are_in_runs(targets.all(), &rows.start);
                Synapses::Static(StaticSynapses { targets, weight: weight.into(), are_in_runs })
            }
            Some((p, _)) => {
                Synapses::Plastic(learning(p, &connections.weight, &picked, &rows.start, targets))
            }
        };
        Self { source, receptor: receptor.unwrap_or(Receptor::Excitatory), rows, synapses }
    }

    /// Of each synapse of `row`: its segment, its place in it, its target (counted within the
    /// shard) and its delay in µs.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, u32, u32, u32)> {
        self.rows.segments(row).flat_map(move |segment| {
            let delay = self.rows.delay(segment);
            let targets = self.targets(segment).iter();
            (0..).zip(targets).map(move |(k, target)| (segment, k, target as u32, delay))
        })
    }

    /// Post neurons of `segment`, counted within the shard.
    #[inline]
    pub fn targets(&self, segment: u32) -> Onto<'_> {
        self.synapses.targets().of(self.rows.synapses(segment))
    }

    /// To be read only; `target` are all of [`Synapses::targets`].
    #[inline]
    pub fn reading<'a, I: Index>(&'a self, target: &'a [I]) -> Reading<'a, T, I> {
        let ((cells, n_fields), are_in_runs) = match &self.synapses {
            Synapses::Static(synapses) => ((&*synapses.weight, 1), synapses.are_in_runs),
            Synapses::Plastic(synapses) => (synapses.cells(), false),
        };
        Reading { start: &self.rows.start, target, cells, n_fields, are_in_runs }
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
        let targets = self.synapses.targets();
        if targets.len() < SOON_AT_HAND {
            return;
        }
        let range = self.rows.synapses(segment);
        match &self.synapses {
            Synapses::Plastic(synapses) if learns => synapses.prefetch(&range),
            _ => with_targets!(targets, targets => self.reading(targets).prefetch(segment)),
        }
    }
}
