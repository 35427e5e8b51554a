//! What is noted of a shard on a grid of times, beside its spikes.
//!
//! Lives here: reading the state variables of some neurons and synapses between two events. Not here:
//! who is asked for, in the order of the description (`engine::monitors`). Invariants: noting changes
//! nothing that moves; what is noted of a µs is what all that happens in it has left.

use super::{Activity, Shard};
use crate::neuron::Looks;
use crate::projection::Synapses;
use crate::real::{Real, large};
use crate::time::Grid;

/// Values that are noted without asking whether to go on.
const BETWEEN_POLLS: usize = 1 << 18;

/// One synapse of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lies {
    /// Which projection.
    pub projection: usize,
    /// Which of its segments.
    pub segment: u32,
    /// Which synapse of the segment.
    pub k: u32,
}

/// A state variable of some neurons, counted within the shard, or of some synapses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// Membrane potentials, mV.
    V(Vec<u32>),
    /// Charges of one receptor, 0 excitatory and 1 inhibitory, mV.
    Charge(usize, Vec<u32>),
    /// Adaptations of thresholds, mV.
    Theta(Vec<u32>),
    /// Weights, mV.
    Weight(Vec<Lies>),
}

impl Watched {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::V(some) | Self::Charge(_, some) | Self::Theta(some) => some.len(),
            Self::Weight(some) => some.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What was noted of something that is watched.
#[derive(Debug, Clone)]
pub enum Noted<T> {
    /// What tells potentials later, for that takes less time while the sample runs.
    Looks(Looks<T>),
    /// Values: for each time one row.
    Values(Vec<T>),
}

impl<T: Real> Noted<T> {
    /// For each time one row.
    pub fn values(&self) -> Vec<T> {
        match self {
            Self::Looks(looks) => looks.values(),
            Self::Values(values) => values.clone(),
        }
    }
}

#[derive(Debug, Clone)]
struct Course<T> {
    watched: Watched,
    noted: Noted<T>,
}

/// What is noted of one shard in one run.
#[derive(Debug, Clone)]
pub struct Monitor<T> {
    /// Times to come.
    grid: Grid,
    /// Whether weights and thresholds change.
    learns: bool,
    courses: Vec<Course<T>>,
}

impl<T: Real> Monitor<T> {
    /// To note all of `watched`, which is of `shard`, at the times of `grid`; `changes`: whether what
    /// neurons tend to does.
    pub fn new(
        shard: &Shard<T>,
        grid: Grid,
        learns: bool,
        changes: bool,
        watched: Vec<Watched>,
    ) -> Self {
        let course = |watched: Watched| {
            let noted = match (&watched, &shard.receptors) {
                (Watched::V(some), None) if !changes => {
                    Noted::Looks(Looks::new(&shard.neurons, some.clone(), grid.n))
                }
                _ => Noted::Values(large::room(grid.n * watched.len())),
            };
            Course { watched, noted }
        };
        Self { grid, learns, courses: watched.into_iter().map(course).collect() }
    }

    /// What was noted of each.
    pub fn into_noted(self) -> impl Iterator<Item = Noted<T>> {
        self.courses.into_iter().map(|course| course.noted)
    }

    /// Values of one time.
    fn width(&self) -> usize {
        self.courses.iter().map(|course| course.watched.len()).sum()
    }

    /// The times to come that lie before `t`, at most `most` of them, which are then over.
    fn take(&mut self, t: i64, most: usize) -> Grid {
        let Grid { first, every, n } = self.grid;
        let n_before = if first < t { ((t - 1 - first) / every + 1) as usize } else { 0 };
        let n_taken = n_before.min(n).min(most);
        let rest = first.saturating_add(every.saturating_mul(n_taken as i64));
        self.grid = Grid { first: rest, every, n: n - n_taken };
        Grid { first, every, n: n_taken }
    }

    fn note(&mut self, shard: &Shard<T>, activity: &Activity<T>, grid: Grid) {
        let Self { learns, courses, .. } = self;
        let (neurons, membranes) = (&shard.neurons, &activity.membranes);
        for Course { watched, noted } in courses {
            let values = match noted {
                Noted::Looks(looks) => {
                    looks.note(membranes, neurons, grid);
                    continue;
                }
                Noted::Values(values) => values,
            };
            let (before, width) = (values.len(), watched.len());
            values.resize(before + grid.n * width, T::ZERO);
            let out = &mut values[before..];
            let mut each = |value: &dyn Fn(usize, i64) -> T| {
                for (t, row) in grid.times().zip(out.chunks_exact_mut(width.max(1))) {
                    row.iter_mut().enumerate().for_each(|(k, out)| *out = value(k, t));
                }
            };
            match (&*watched, &shard.receptors) {
                (Watched::V(some), None) => {
                    each(&|k, t| membranes.potential(neurons, some[k] as usize, t));
                }
                (Watched::V(some), Some(receptors)) => each(&|k, t| {
                    let i = some[k] as usize;
                    activity.charges.potential(membranes, neurons, receptors, i, t)
                }),
                (Watched::Charge(kind, some), Some(receptors)) => {
                    each(&|k, t| activity.charges.left(receptors, some[k] as usize, t)[*kind]);
                }
                (Watched::Charge(..), None) => {}
                (Watched::Theta(some), _) => each(&|k, _| neurons.theta[some[k] as usize]),
                (Watched::Weight(some), _) => {
                    each(&|k, _| weight(shard, activity, some[k], *learns));
                }
            }
        }
    }
}

/// The weight of one synapse, with all that is pending where something learns.
fn weight<T: Real>(shard: &Shard<T>, activity: &Activity<T>, lies: Lies, learns: bool) -> T {
    let projection = &shard.projections[lies.projection];
    let (range, k) = (projection.rows.synapses(lies.segment), lies.k as usize);
    match &projection.synapses {
        Synapses::Plastic(synapses) if learns => {
            synapses.settled_weight(lies.segment as usize, &range, k, &activity.history)
        }
        synapses => synapses.weights(&range)[k],
    }
}

impl<T: Real> Activity<T> {
    /// How far a window that ends at `end` may go before something is to be noted.
    #[cold]
    pub(super) fn next_stop(&self, end: i64) -> i64 {
        let next = self.monitor.as_ref().filter(|monitor| monitor.grid.n > 0);
        next.map_or(end, |monitor| end.min(monitor.grid.first + 1))
    }

    /// Note what is to be noted of the times before `t`; all that happens before `t` has happened. Says
    /// what [`Activity::next_stop`] does of the window after that.
    #[cold]
    pub(super) fn note(&mut self, shard: &Shard<T>, t: i64, end: i64) -> i64 {
        self.note_some(shard, t, usize::MAX);
        self.next_stop(end)
    }

    /// The same, but for not too many times at once; says whether it is done.
    pub fn note_quietly(&mut self, shard: &Shard<T>, t: i64) -> bool {
        let width = self.monitor.as_ref().map_or(0, |monitor| monitor.width());
        self.note_some(shard, t, 1 + BETWEEN_POLLS / (1 + width))
    }

    /// At most `most` times; says whether there are no more before `t`.
    fn note_some(&mut self, shard: &Shard<T>, t: i64, most: usize) -> bool {
        let Some(mut monitor) = self.monitor.take() else { return true };
        let grid = monitor.take(t, most);
        if grid.n > 0 {
            monitor.note(shard, self, grid);
        }
        let is_done = grid.n < most;
        self.monitor = Some(monitor);
        is_done
    }
}
