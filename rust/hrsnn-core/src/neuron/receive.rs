//! Many neurons receive what arrives at them in one µs, vector by vector.
//!
//! Lives here: [`Membranes::receive`] as kernels, for all neurons of a range and for some of them.
//! Not here: what is computed (`neuron`), which these must do bit for bit.

use super::{Membranes, Neurons};
use crate::real::Real;
use crate::real::simd::{Index, Kernel, MOST_LANES, Pair, Places, Table, Vector, prefetch};

pub(super) struct ReceiveAll<'a, T> {
    pub(super) membranes: &'a mut Membranes<T>,
    pub(super) neurons: &'a Neurons<T>,
    pub(super) t: i64,
    /// The same from the base.
    pub(super) now: i32,
    pub(super) input: &'a mut Table<T>,
    pub(super) spiked: &'a mut Vec<u32>,
}

/// Vectors of neurons that [`ReceiveAll`] and [`ReceiveSome`] work at side by side.
const ABREAST: usize = 2;

impl<T: Real> Kernel<T> for ReceiveAll<'_, T> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(self) {
        let Self { membranes, neurons, t, now, input, spiked } = self;
        let (n, before) = (neurons.len(), spiked.len());
        // Where a neuron spikes, and which lanes: few, but nobody can foresee them.
        membranes.over.resize(n / V::LANES + 1, (0, 0));
        let (over, mut n_over) = (membranes.over.as_mut_slice(), 0);
        let mut first = 0;
        macro_rules! receive {
            ($abreast:expr) => {{
                let lanes = $abreast * V::LANES;
                let end = n - (n - first) % lanes;
                // All arrays side by side, so that no place has to be checked.
                let arrived = input[first..end].chunks_exact_mut(lanes);
                let v_end = neurons.v_end[first..end].chunks_exact(lanes);
                let halvings = neurons.halvings[first..end].chunks_exact(lanes);
                let threshold = neurons.threshold[first..end].chunks_exact(lanes);
                let constants = v_end.zip(halvings).zip(threshold);
                let held = membranes.held.pairs[first..end].chunks_exact_mut(lanes);
                for ((input, ((v_end, halvings), threshold)), held) in
                    arrived.zip(constants).zip(held)
                {
                    let constants = [v_end, halvings, threshold];
                    let bits = receive::<V, { $abreast }>(input, constants, held, now);
                    over[n_over] = (first as u32, bits);
                    n_over += usize::from(bits != 0);
                    first += lanes;
                }
            }};
        }
        receive!(ABREAST);
        receive!(1);
        for &(first_of_bits, bits) in &over[..n_over] {
            let mut bits = bits;
            while bits != 0 {
                spiked.push(first_of_bits + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
        if !membranes.waits {
            for &i in &spiked[before..] {
                membranes.spike(neurons, i as usize, t);
            }
        }
        for (i, input) in input.iter_mut().enumerate().take(n).skip(first) {
            let arrived = std::mem::replace(input, T::ZERO);
            membranes.receive_one(neurons, i, t, arrived, spiked);
        }
    }
}

/// `N` vectors of neurons receive what is not 0 in `input`, which is cleared; says which are over
/// their threshold, one bit for each.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn receive<V: Vector, const N: usize>(
    input: &mut [V::Scalar],
    constants: [&[V::Scalar]; 3],
    held: &mut [Pair<V::Scalar>],
    now: i32,
) -> u32 {
    let zero = V::splat(V::Scalar::ZERO);
    let mut arrived = [zero; N];
    let mut touched = 0;
    for k in 0..N {
        arrived[k] = V::load(&input[k * V::LANES..]);
        touched |= V::bits(arrived[k].differs(zero));
    }
    if touched == 0 {
        return 0;
    }
    for k in 0..N {
        zero.store(&mut input[k * V::LANES..]);
    }
    take_in::<V, N>(arrived, constants, held, now)
}

/// `N` vectors of neurons receive what has `arrived`, if it is not 0; says which are over their
/// threshold, one bit for each.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn take_in<V: Vector, const N: usize>(
    arrived: [V; N],
    [v_end, halvings, threshold]: [&[V::Scalar]; 3],
    held: &mut [Pair<V::Scalar>],
    now: i32,
) -> u32 {
    let (zero, now) = (V::splat(V::Scalar::ZERO), V::int(now));
    let mut active = [zero.differs(zero); N];
    let [mut kept, mut decay] = [[zero; N]; 2];
    let mut since = [now; N];
    for k in 0..N {
        let at = k * V::LANES;
        (kept[k], since[k]) = V::pairs(&held[at..]);
        let until = V::from_int(V::int_minus(since[k], now));
        active[k] = V::both(arrived[k].differs(zero), zero.reaches(until));
        decay[k] = until.times(V::load(&halvings[at..]));
    }
    let decay = V::pow2_each(decay);
    let mut over = 0;
    for k in 0..N {
        let at = k * V::LANES;
        let (kept, v_end) = (kept[k], V::load(&v_end[at..]));
        let v = v_end.plus(kept.minus(v_end).times(decay[k])).plus(arrived[k]);
        let since = V::int_or_else(active[k], now, since[k]);
        v.or_else(active[k], kept).store_pairs(since, &mut held[at..]);
        let spike = V::both(active[k], v.reaches(V::load(&threshold[at..])));
        over |= V::bits(spike) << at;
    }
    over
}

/// Whether the neurons `some` follow one another, as those of one place of a plane do.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn follow_one_another<I: Index>(some: &[I]) -> bool {
    let (Some(first), Some(last)) = (some.first(), some.last()) else { return true };
    if last.place().wrapping_sub(first.place()) != some.len() - 1 {
        return false;
    }
    // No way out before the end: so it is done in vectors.
    let mut differing = 0;
    for (place, i) in (first.place()..).zip(some) {
        differing |= place ^ i.place();
    }
    differing == 0
}

/// What arrives at some neurons, in their order.
pub(super) trait Arrivals<T: Real, I: Index> {
    /// At the neurons `some`, which fill a vector, the first of which is of number `first`; 0 at
    /// the first `n_done` of them, which have received it.
    fn vector<V: Vector<Scalar = T>>(&mut self, first: usize, n_done: usize, some: &[I]) -> V;
    /// At neuron `i`, which is of number `k`.
    fn one(&mut self, k: usize, i: I) -> T;
}

/// Summed for each neuron, which is cleared.
pub(super) struct Summed<'a, T>(pub(super) &'a mut Table<T>);

impl<T: Real, I: Index> Arrivals<T, I> for Summed<'_, T> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn vector<V: Vector<Scalar = T>>(&mut self, _: usize, _: usize, some: &[I]) -> V {
        let arrived = V::gather(self.0, Places::of_table(some, self.0));
        for &i in some {
            *self.0.at_mut(i) = T::ZERO;
        }
        arrived
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn one(&mut self, _: usize, i: I) -> T {
        std::mem::replace(self.0.at_mut(i), T::ZERO)
    }
}

/// One weight for each neuron.
pub(super) struct Weights<'a, T>(pub(super) &'a [T]);

impl<T: Real, I: Index> Arrivals<T, I> for Weights<'_, T> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn vector<V: Vector<Scalar = T>>(&mut self, first: usize, n_done: usize, _: &[I]) -> V {
        V::load(&self.0[first..]).only(V::lanes(u32::MAX << n_done))
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn one(&mut self, k: usize, _: I) -> T {
        self.0[k]
    }
}

pub(super) struct ReceiveSome<'a, T, I, A> {
    pub(super) membranes: &'a mut Membranes<T>,
    pub(super) neurons: &'a Neurons<T>,
    pub(super) some: &'a [I],
    pub(super) t: i64,
    /// The same from the base.
    pub(super) now: i32,
    pub(super) arrivals: A,
    pub(super) spiked: &'a mut Vec<u32>,
}

impl<T: Real, I: Index, A: Arrivals<T, I>> Kernel<T> for ReceiveSome<'_, T, I, A> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(mut self) {
        let (mut first, n) = (0, self.some.len());
        if n < V::LANES {
            self.few::<V>();
            return;
        }
        let lanes = ABREAST * V::LANES;
        for some in self.some.chunks_exact(lanes) {
            self.ask_ahead(first + lanes, lanes);
            let mut arrived = [V::splat(T::ZERO); ABREAST];
            for (k, some) in some.chunks_exact(V::LANES).enumerate() {
                arrived[k] = self.arrivals.vector(first + k * V::LANES, 0, some);
            }
            if follow_one_another(some) {
                self.receive_run(some[0].place(), arrived);
            } else {
                self.receive(some, arrived);
            }
            first += lanes;
        }
        while first < n {
            // Those that do not fill a vector come with some that are done.
            let at = first.min(n - V::LANES);
            let some = &self.some[at..at + V::LANES];
            let arrived = self.arrivals.vector::<V>(at, first - at, some);
            self.receive(some, [arrived]);
            first = at + V::LANES;
        }
    }
}

impl<T: Real, I: Index, A: Arrivals<T, I>> ReceiveSome<'_, T, I, A> {
    /// Ask for what `n` neurons from the `first` on are, where there are so many that they are not at hand.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn ask_ahead(&self, first: usize, n: usize) {
        if I::IS_IN_EVERY_TABLE {
            return;
        }
        let some = &self.some[first.min(self.some.len())..];
        for &i in &some[..n.min(some.len())] {
            prefetch(&self.membranes.held.pairs, i.place());
            prefetch(&self.neurons.together, i.place());
        }
    }

    /// All of them, which do not fill a vector.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn few<V: Vector<Scalar = T>>(&mut self) {
        let Some(&last) = self.some.last() else { return };
        // Where nothing arrives, no neuron is touched: the last stands for none.
        let (mut some, mut arrived) = ([last; MOST_LANES], [T::ZERO; MOST_LANES]);
        for (k, &i) in self.some.iter().enumerate() {
            (some[k], arrived[k]) = (i, self.arrivals.one(k, i));
        }
        self.receive(&some[..V::LANES], [V::load(&arrived)]);
    }

    /// Neurons from the `first` on, as many as there are lanes in `N` vectors, receive what has `arrived`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn receive_run<V: Vector<Scalar = T>, const N: usize>(
        &mut self,
        first: usize,
        arrived: [V; N],
    ) {
        let Self { membranes, neurons, t, now, spiked, .. } = self;
        let these = first..first + N * V::LANES;
        let constants = [&neurons.v_end, &neurons.halvings, &neurons.threshold];
        let constants = constants.map(|of_all| &of_all[these.clone()]);
        let held = &mut membranes.held.pairs[these];
        let mut spikes = take_in::<V, N>(arrived, constants, held, *now);
        while spikes != 0 {
            let i = first + spikes.trailing_zeros() as usize;
            if !membranes.waits {
                membranes.spike(neurons, i, *t);
            }
            spiked.push(i as u32);
            spikes &= spikes - 1;
        }
    }

    /// The neurons `some`, as many as there are lanes in `N` vectors, receive what has `arrived`; one
    /// may stand there again if nothing has arrived at it after the first time.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn receive<V: Vector<Scalar = T>, const N: usize>(&mut self, some: &[I], arrived: [V; N]) {
        let Self { membranes, neurons, t, spiked, .. } = self;
        let n = neurons.len();
        let places = Places::new(some, n);
        let held = &mut membranes.held.pairs[..n];
        let together = &neurons.together[..n];
        let (zero, now) = (V::splat(T::ZERO), V::int(self.now));
        let mut active = [zero.differs(zero); N];
        let [mut kept, mut v_end, mut threshold, mut decay] = [[zero; N]; 4];
        let mut since = [now; N];
        for k in 0..N {
            let places = places.vector(k, V::LANES);
            (kept[k], since[k]) = V::pairs_at(held, places);
            let until = V::from_int(V::int_minus(since[k], now));
            active[k] = V::both(arrived[k].differs(zero), zero.reaches(until));
            let constants = V::columns(together, places);
            (v_end[k], threshold[k]) = (constants[0], constants[2]);
            decay[k] = until.times(constants[1]);
        }
        let decay = V::pow2_each(decay);
        let mut spikes = [0; N];
        for k in 0..N {
            let (kept, v_end) = (kept[k], v_end[k]);
            let v = v_end.plus(kept.minus(v_end).times(decay[k])).plus(arrived[k]);
            let since = V::int_or_else(active[k], now, since[k]);
            let places = places.vector(k, V::LANES);
            v.or_else(active[k], kept).store_pairs_at(since, held, places);
            spikes[k] = V::bits(V::both(active[k], v.reaches(threshold[k])));
        }
        for (some, mut spikes) in some.chunks_exact(V::LANES).zip(spikes) {
            while spikes != 0 {
                let i = some[spikes.trailing_zeros() as usize];
                if !membranes.waits {
                    membranes.spike(neurons, i.place(), *t);
                }
                spiked.push(i.place() as u32);
                spikes &= spikes - 1;
            }
        }
    }
}
