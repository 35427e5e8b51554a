//! Many neurons receive what arrives at them in one µs, vector by vector.
//!
//! Lives here: [`Membranes::receive`] as kernels, for all neurons of a range and for some of them.
//! Not here: what is computed (`neuron`), which these must do bit for bit.

use super::{Membranes, Neurons};
use crate::real::Real;
use crate::real::simd::{Kernel, MOST_LANES, Places, TABLE, Table, Vector};

/// What leaks away in `elapsed`, as an exponent of two.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn leaked<V: Vector>(elapsed: V, halvings: V) -> V {
    V::splat(V::Scalar::ZERO).minus(elapsed.times(halvings))
}

pub(super) struct ReceiveAll<'a, T> {
    pub(super) membranes: &'a mut Membranes<T>,
    pub(super) neurons: &'a Neurons<T>,
    pub(super) t: i64,
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
        let Self { membranes, neurons, t, input, spiked } = self;
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
                let v = membranes.v[first..end].chunks_exact_mut(lanes);
                let moving = v.zip(membranes.since[first..end].chunks_exact_mut(lanes));
                for ((input, ((v_end, halvings), threshold)), (v, since)) in
                    arrived.zip(constants).zip(moving)
                {
                    let constants = [v_end, halvings, threshold];
                    let bits = receive::<V, { $abreast }>(input, constants, v, since, t);
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
        for &i in &spiked[before..] {
            membranes.spike(neurons, i as usize, t);
        }
        for (i, input) in input.iter_mut().enumerate().take(n).skip(first) {
            let arrived = std::mem::replace(input, T::ZERO);
            if arrived != T::ZERO && membranes.receive(neurons, i, t, arrived) {
                spiked.push(i as u32);
            }
        }
    }
}

/// `N` vectors of neurons receive what is not 0 in `input`, which is cleared; says which are over
/// their threshold, one bit for each.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn receive<V: Vector, const N: usize>(
    input: &mut [V::Scalar],
    [v_end, halvings, threshold]: [&[V::Scalar]; 3],
    v: &mut [V::Scalar],
    since: &mut [i64],
    t: i64,
) -> u32 {
    let zero = V::splat(V::Scalar::ZERO);
    let mut arrived = [zero; N];
    let mut active = [zero.differs(zero); N];
    let mut touched = 0;
    for k in 0..N {
        arrived[k] = V::load(&input[k * V::LANES..]);
        active[k] = arrived[k].differs(zero);
        touched |= V::bits(active[k]);
    }
    if touched == 0 {
        return 0;
    }
    let mut decay = [zero; N];
    for k in 0..N {
        let at = k * V::LANES;
        zero.store(&mut input[at..]);
        let elapsed = V::elapsed(t, &since[at..]);
        active[k] = V::both(active[k], elapsed.reaches(zero));
        decay[k] = leaked(elapsed, V::load(&halvings[at..]));
        V::stamp(active[k], t, &mut since[at..]);
    }
    let decay = V::pow2_each(decay);
    let mut over = 0;
    for k in 0..N {
        let at = k * V::LANES;
        let (kept, v_end) = (V::load(&v[at..]), V::load(&v_end[at..]));
        let now = v_end.plus(kept.minus(v_end).times(decay[k])).plus(arrived[k]);
        now.or_else(active[k], kept).store(&mut v[at..]);
        let spike = V::both(active[k], now.reaches(V::load(&threshold[at..])));
        over |= V::bits(spike) << at;
    }
    over
}

/// What arrives at some neurons, in their order.
pub(super) trait Arrivals<T: Real> {
    /// At the neurons `some`, which fill a vector; the first is of number `first`.
    fn vector<V: Vector<Scalar = T>>(&mut self, first: usize, some: &[u16]) -> V;
    /// At the neurons `some`, which do not fill one; then 0.
    fn rest(&mut self, first: usize, some: &[u16]) -> [T; MOST_LANES];
}

/// Summed for each neuron, which is cleared.
pub(super) struct Summed<'a, T>(pub(super) &'a mut Table<T>);

impl<T: Real> Arrivals<T> for Summed<'_, T> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn vector<V: Vector<Scalar = T>>(&mut self, _: usize, some: &[u16]) -> V {
        let arrived = V::gather(&*self.0, Places::new(some, TABLE));
        for &i in some {
            self.0[i as usize] = T::ZERO;
        }
        arrived
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn rest(&mut self, _: usize, some: &[u16]) -> [T; MOST_LANES] {
        let mut arrived = [T::ZERO; MOST_LANES];
        for (arrived, &i) in arrived.iter_mut().zip(some) {
            *arrived = std::mem::replace(&mut self.0[i as usize], T::ZERO);
        }
        arrived
    }
}

/// One weight for each neuron.
pub(super) struct Weights<'a, T>(pub(super) &'a [T]);

impl<T: Real> Arrivals<T> for Weights<'_, T> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn vector<V: Vector<Scalar = T>>(&mut self, first: usize, _: &[u16]) -> V {
        V::load(&self.0[first..])
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn rest(&mut self, first: usize, some: &[u16]) -> [T; MOST_LANES] {
        let mut arrived = [T::ZERO; MOST_LANES];
        arrived[..some.len()].copy_from_slice(&self.0[first..first + some.len()]);
        arrived
    }
}

pub(super) struct ReceiveSome<'a, T, A> {
    pub(super) membranes: &'a mut Membranes<T>,
    pub(super) neurons: &'a Neurons<T>,
    pub(super) some: &'a [u16],
    pub(super) t: i64,
    pub(super) arrivals: A,
    pub(super) spiked: &'a mut Vec<u32>,
}

impl<T: Real, A: Arrivals<T>> Kernel<T> for ReceiveSome<'_, T, A> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(mut self) {
        let (mut first, mut rest) = (0, self.some);
        macro_rules! receive {
            ($abreast:expr) => {{
                let lanes = $abreast * V::LANES;
                for some in rest.chunks_exact(lanes) {
                    let mut arrived = [V::splat(T::ZERO); $abreast];
                    for k in 0..$abreast {
                        let some = &some[k * V::LANES..][..V::LANES];
                        arrived[k] = self.arrivals.vector::<V>(first, some);
                        first += V::LANES;
                    }
                    self.receive::<V, { $abreast }>(some, arrived);
                }
                rest = &self.some[first..];
            }};
        }
        receive!(ABREAST);
        receive!(1);
        if !rest.is_empty() {
            // Where nothing arrives, no neuron is touched: any stands for none.
            let mut some = [rest[0]; MOST_LANES];
            some[..rest.len()].copy_from_slice(rest);
            let arrived = V::load(&self.arrivals.rest(first, rest));
            self.receive(&some[..V::LANES], [arrived]);
        }
    }
}

impl<T: Real, A: Arrivals<T>> ReceiveSome<'_, T, A> {
    /// The neurons `some`, as many as there are lanes in `N` vectors, receive what has `arrived`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn receive<V: Vector<Scalar = T>, const N: usize>(&mut self, some: &[u16], arrived: [V; N]) {
        let Self { membranes, neurons, t, spiked, .. } = self;
        let n = neurons.len();
        let places = Places::new(some, n);
        let (v, since) = (&mut membranes.v[..n], &mut membranes.since[..n]);
        let together = &neurons.together[..n];
        let zero = V::splat(T::ZERO);
        let mut active = [zero.differs(zero); N];
        let [mut v_end, mut threshold, mut decay] = [[zero; N]; 3];
        for k in 0..N {
            let places = places.vector(k, V::LANES);
            let elapsed = V::elapsed_at(*t, since, places);
            active[k] = V::both(arrived[k].differs(zero), elapsed.reaches(zero));
            let constants = V::columns(together, places);
            (v_end[k], threshold[k]) = (constants[0], constants[2]);
            decay[k] = leaked(elapsed, constants[1]);
        }
        let decay = V::pow2_each(decay);
        let (mut receives, mut spikes) = ([0; N], [0; N]);
        let mut now = [[T::ZERO; MOST_LANES]; N];
        for k in 0..N {
            let kept = V::gather(v, places.vector(k, V::LANES));
            let v = v_end[k].plus(kept.minus(v_end[k]).times(decay[k])).plus(arrived[k]);
            v.store(&mut now[k]);
            receives[k] = V::bits(active[k]);
            spikes[k] = V::bits(V::both(active[k], v.reaches(threshold[k])));
        }
        for k in 0..N {
            let places = places.vector(k, V::LANES);
            let (now, mut receives) = (&now[k], receives[k]);
            if receives.count_ones() as usize == V::LANES {
                for (lane, &now) in now[..V::LANES].iter().enumerate() {
                    (*places.of_mut(v, lane), *places.of_mut(since, lane)) = (now, *t);
                }
            } else {
                while receives != 0 {
                    let lane = receives.trailing_zeros() as usize;
                    (*places.of_mut(v, lane), *places.of_mut(since, lane)) = (now[lane], *t);
                    receives &= receives - 1;
                }
            }
        }
        for (some, mut spikes) in some.chunks_exact(V::LANES).zip(spikes) {
            while spikes != 0 {
                let i = some[spikes.trailing_zeros() as usize];
                membranes.spike(neurons, usize::from(i), *t);
                spiked.push(u32::from(i));
                spikes &= spikes - 1;
            }
        }
    }
}
