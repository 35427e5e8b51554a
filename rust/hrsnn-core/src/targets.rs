//! Post neurons of synapses, counted within their shard.
//!
//! Lives here: that they have 16 bits where these suffice and 32 elsewhere. Not here: what a synapse
//! does. Invariant: which of the two it is changes no result.

use std::ops::Range;

use crate::real::large::{self, Large};
use crate::real::simd::{Index, TABLE, prefetch_lines};

/// Of many synapses.
#[derive(Debug, Clone)]
pub enum Targets {
    /// In a shard of at most [`TABLE`] neurons.
    Near(Large<u16>),
    /// In a larger one.
    Far(Large<u32>),
}

/// Of some of them.
#[derive(Debug, Clone, Copy)]
pub enum Onto<'a> {
    /// In a shard of at most [`TABLE`] neurons.
    Near(&'a [u16]),
    /// In a larger one.
    Far(&'a [u32]),
}

/// `$result` with `$targets`, which are a slice of either kind.
macro_rules! with_targets {
    ($onto:expr, $targets:ident => $result:expr) => {
        match $onto {
            $crate::targets::Onto::Near($targets) => $result,
            $crate::targets::Onto::Far($targets) => $result,
        }
    };
}
pub(crate) use with_targets;

impl Targets {
    /// Room for those of `n` synapses, 16 bits each unless they are `far`.
    pub fn room(n: usize, far: bool) -> Self {
        if far { Self::Far(large::room(n).into()) } else { Self::Near(large::room(n).into()) }
    }

    /// Whether a shard of so many neurons needs more than 16 bits.
    pub fn are_far(n_neurons: usize) -> bool {
        n_neurons > TABLE
    }

    /// One more, of number `target`.
    #[inline]
    pub fn push(&mut self, target: u32) {
        match self {
            Self::Near(all) => all.push(Index::new(target)),
            Self::Far(all) => all.push(target),
        }
    }

    /// More of numbers `targets`.
    pub fn extend(&mut self, targets: impl Iterator<Item = u32>) {
        match self {
            Self::Near(all) => all.extend(targets.map(Index::new)),
            Self::Far(all) => all.extend(targets),
        }
    }

    /// How many.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Near(all) => all.len(),
            Self::Far(all) => all.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them.
    #[inline]
    pub fn all(&self) -> Onto<'_> {
        match self {
            Self::Near(all) => Onto::Near(all),
            Self::Far(all) => Onto::Far(all),
        }
    }

    /// Those of the synapses `range`.
    #[inline]
    pub fn of(&self, range: Range<usize>) -> Onto<'_> {
        self.all().of(range)
    }
}

impl<'a> Onto<'a> {
    /// How many.
    #[inline]
    pub fn len(self) -> usize {
        with_targets!(self, all => all.len())
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Those of the synapses `range` of these.
    #[inline]
    #[must_use]
    pub fn of(self, range: Range<usize>) -> Self {
        match self {
            Self::Near(all) => Self::Near(&all[range]),
            Self::Far(all) => Self::Far(&all[range]),
        }
    }

    /// That of the synapse `k` of these.
    #[inline]
    pub fn get(self, k: usize) -> usize {
        with_targets!(self, all => all[k].place())
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = usize> + 'a {
        (0..self.len()).map(move |k| self.get(k))
    }

    /// Ask for the memory of `n` of them from the `first` on.
    #[inline]
    pub fn prefetch(self, first: usize, n: usize) {
        with_targets!(self, all => prefetch_lines(all, first, n));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_kind_tells_the_same() {
        let numbers = [4, 7, 65_535];
        let all = [false, true].map(|far| {
            let mut targets = Targets::room(3, far);
            for target in numbers {
                targets.push(target);
            }
            assert_eq!((targets.len(), targets.is_empty()), (3, false));
            targets
        });
        assert!(matches!(all, [Targets::Near(_), Targets::Far(_)]));
        for targets in all {
            assert_eq!(targets.all().iter().collect::<Vec<_>>(), [4, 7, 65_535]);
            assert_eq!(targets.of(1..3).get(1), 65_535);
            assert!(targets.of(1..1).is_empty());
        }
        assert!(!Targets::are_far(TABLE) && Targets::are_far(TABLE + 1));
    }
}
