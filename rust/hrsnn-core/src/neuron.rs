//! The leaky integrate-and-fire neuron between two arrivals, in closed form.
//!
//! Lives here: `tau_m dv/dt = -(v - v_rest) + bias`, the threshold rule, the reset and the
//! time at which a constant drive makes a neuron cross. Not here: who sends what to whom.
//! Invariant: `v` is stored with the time `since` when it held; while a neuron is refractory
//! `since` lies in the future and `v` is `v_reset`.

use crate::real::simd::{self, Kernel, MOST_LANES, Table, Vector};
use crate::real::{Real, ln};

/// Parameters of a range of neurons, as the inner loop wants them.
#[derive(Debug, Clone)]
pub struct Neurons<T> {
    /// 1 / `tau_m`, 1/µs.
    pub rate: Vec<T>,
    /// How often what decays with `tau_m` is halved in a µs.
    pub halvings: Vec<T>,
    /// `v_rest`, mV.
    pub v_rest: Vec<T>,
    /// `v_rest + bias`: where `v` tends to, mV.
    pub v_end: Vec<T>,
    /// `v_reset`, mV.
    pub v_reset: Vec<T>,
    /// `v_threshold` without adaptation, mV.
    pub v_threshold: Vec<T>,
    /// Refractory period, µs.
    pub t_ref: Vec<u32>,
    /// Threshold adaptation, mV; stays between samples.
    pub theta: Vec<T>,
    /// `v_threshold + theta`, mV.
    pub threshold: Vec<T>,
}

/// What moves within a sample.
#[derive(Debug, Clone, Default)]
pub struct Membranes<T> {
    pub(crate) v: Vec<T>,
    pub(crate) since: Vec<i64>,
    /// What [`Membranes::receive_all`] works with.
    over: Vec<(u32, u32)>,
}

impl<T: Real> Neurons<T> {
    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.v_rest.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.v_rest.is_empty()
    }

    /// Add `step` mV to the adaptation of neuron `i`.
    pub fn adapt(&mut self, i: usize, step: T) {
        self.set_theta(i, self.theta[i] + step);
    }

    /// Set the adaptation of neuron `i`.
    pub fn set_theta(&mut self, i: usize, theta: T) {
        self.theta[i] = theta;
        self.threshold[i] = self.v_threshold[i] + theta;
    }

    /// Whether neuron `i` crosses its threshold without any arrival.
    #[inline]
    pub fn is_driven(&self, i: usize) -> bool {
        self.v_end[i] > self.threshold[i]
    }

    /// What `us` leave of the distance to `v_end`.
    #[inline]
    pub(crate) fn leak(&self, i: usize, us: i64) -> T {
        (T::ZERO - T::from_us(us) * self.halvings[i]).pow2()
    }

    /// Membrane potential `us` after a moment when it was `v`.
    #[inline]
    fn relaxed(&self, i: usize, v: T, us: i64) -> T {
        self.v_end[i] + (v - self.v_end[i]) * self.leak(i, us)
    }
}

impl<T: Real> Membranes<T> {
    /// All neurons at rest at t = 0.
    pub fn reset(&mut self, neurons: &Neurons<T>) {
        self.v.clone_from(&neurons.v_rest);
        self.since.clear();
        self.since.resize(neurons.len(), 0);
    }

    /// Add `input` mV, all that arrives at neuron `i` at time `t`; true if it spikes.
    ///
    /// Before the end of the refractory period the input is lost; at its very end it counts.
    #[inline]
    pub fn receive(&mut self, neurons: &Neurons<T>, i: usize, t: i64, input: T) -> bool {
        let elapsed = t - self.since[i];
        if elapsed < 0 {
            return false;
        }
        self.test(neurons, i, t, neurons.relaxed(i, self.v[i], elapsed) + input)
    }

    /// Neuron `i` is at `v` at time `t`: reset it and return true if that is a spike.
    #[inline]
    pub(crate) fn test(&mut self, neurons: &Neurons<T>, i: usize, t: i64, v: T) -> bool {
        let spikes = v >= neurons.threshold[i];
        if spikes {
            self.spike(neurons, i, t);
        } else {
            (self.v[i], self.since[i]) = (v, t);
        }
        spikes
    }

    /// [`Membranes::receive`] for all neurons whose place in `input` is not 0, which is cleared.
    ///
    /// Those that spike are appended to `spiked`, in order.
    pub fn receive_all(
        &mut self,
        neurons: &Neurons<T>,
        t: i64,
        input: &mut Table<T>,
        spiked: &mut Vec<u32>,
    ) {
        simd::run(ReceiveAll { membranes: self, neurons, t, input, spiked });
    }

    /// The same for those of the different neurons `some` whose place in `input` is not 0.
    pub fn receive_some(
        &mut self,
        neurons: &Neurons<T>,
        some: &[u16],
        t: i64,
        input: &mut Table<T>,
        spiked: &mut Vec<u32>,
    ) {
        let arrivals = Summed(input);
        simd::run(ReceiveSome { membranes: self, neurons, some, t, arrivals, spiked });
    }

    /// The same for different neurons `some`, each of which receives its one of `weights`.
    pub fn receive_row(
        &mut self,
        neurons: &Neurons<T>,
        some: &[u16],
        t: i64,
        weights: &[T],
        spiked: &mut Vec<u32>,
    ) {
        let arrivals = Weights(weights);
        simd::run(ReceiveSome { membranes: self, neurons, some, t, arrivals, spiked });
    }

    /// First µs after `now` at which neuron `i` crosses its threshold if nothing arrives.
    ///
    /// The logarithm gives the place, the potential itself decides: the result is the first
    /// lattice point at which [`Membranes::receive`] with no input would spike.
    pub fn crossing(&self, neurons: &Neurons<T>, i: usize, now: i64) -> Option<i64> {
        let (end, threshold) = (neurons.v_end[i].to_f64(), neurons.threshold[i].to_f64());
        if end <= threshold {
            return None;
        }
        let (since, v) = (self.since[i], self.v[i]);
        let fraction = (end - threshold) / (end - v.to_f64());
        let guess = -ln(fraction.max(f64::MIN_POSITIVE)) / neurons.rate[i].to_f64();
        if guess > 9.0e15 {
            return None;
        }
        // A refractory neuron cannot cross before its hold ends; others not in the past.
        let first = if since > now { 0 } else { now + 1 - since };
        let over = |us: i64| neurons.relaxed(i, v, us) >= neurons.threshold[i];
        let mut high = (guess.ceil() as i64).max(first);
        let mut step = 1;
        while !over(high) {
            high += step;
            step *= 2;
        }
        let mut low = (high - step).max(first - 1);
        step = 1;
        while low >= first && over(low) {
            high = low;
            low = (low - step).max(first - 1);
            step *= 2;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if over(middle) { high = middle } else { low = middle }
        }
        Some(since + high)
    }
}

/// What leaks away in `elapsed`, as an exponent of two.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn leaked<V: Vector>(elapsed: V, halvings: V) -> V {
    V::splat(V::Scalar::ZERO).minus(elapsed.times(halvings))
}

struct ReceiveAll<'a, T> {
    membranes: &'a mut Membranes<T>,
    neurons: &'a Neurons<T>,
    t: i64,
    input: &'a mut Table<T>,
    spiked: &'a mut Vec<u32>,
}

/// Vectors of neurons that [`ReceiveAll`] works at side by side.
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

impl<T: Real> Membranes<T> {
    /// Neuron `i` spikes at `t`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn spike(&mut self, neurons: &Neurons<T>, i: usize, t: i64) {
        self.v[i] = neurons.v_reset[i];
        self.since[i] = t + i64::from(neurons.t_ref[i]);
    }
}

/// What arrives at some neurons, in their order.
trait Arrivals<T: Real> {
    /// At the neurons `some`, which fill a vector; the first is of number `first`.
    fn vector<V: Vector<Scalar = T>>(&mut self, first: usize, some: &[u16]) -> V;
    /// At the neurons `some`, which do not fill one; then 0.
    fn rest(&mut self, first: usize, some: &[u16]) -> [T; MOST_LANES];
}

/// Summed for each neuron, which is cleared.
struct Summed<'a, T>(&'a mut Table<T>);

impl<T: Real> Arrivals<T> for Summed<'_, T> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn vector<V: Vector<Scalar = T>>(&mut self, _: usize, some: &[u16]) -> V {
        let arrived = V::gather(self.0, some);
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
struct Weights<'a, T>(&'a [T]);

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

struct ReceiveSome<'a, T, A> {
    membranes: &'a mut Membranes<T>,
    neurons: &'a Neurons<T>,
    some: &'a [u16],
    t: i64,
    arrivals: A,
    spiked: &'a mut Vec<u32>,
}

impl<T: Real, A: Arrivals<T>> Kernel<T> for ReceiveSome<'_, T, A> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(mut self) {
        let some = self.some;
        let whole = some.chunks_exact(V::LANES);
        let (first, rest) = (some.len() - whole.remainder().len(), whole.remainder());
        for (number, some) in whole.enumerate() {
            let arrived = self.arrivals.vector::<V>(number * V::LANES, some);
            self.receive(some, arrived);
        }
        if !rest.is_empty() {
            // Where nothing arrives, no neuron is touched: any stands for none.
            let mut some = [rest[0]; MOST_LANES];
            some[..rest.len()].copy_from_slice(rest);
            let arrived = V::load(&self.arrivals.rest(first, rest));
            self.receive(&some[..V::LANES], arrived);
        }
    }
}

impl<T: Real, A: Arrivals<T>> ReceiveSome<'_, T, A> {
    /// The neurons `some`, as many as there are lanes, receive what has `arrived`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn receive<V: Vector<Scalar = T>>(&mut self, some: &[u16], arrived: V) {
        let Self { membranes, neurons, t, spiked, .. } = self;
        // As many of each, so that a place is checked once.
        let n = neurons.len();
        let (v, since) = (&mut membranes.v[..n], &mut membranes.since[..n]);
        let elapsed = V::elapsed_at(*t, since, some);
        let zero = V::splat(T::ZERO);
        let active = V::both(arrived.differs(zero), elapsed.reaches(zero));
        let halvings = V::gather(&neurons.halvings[..n], some);
        let v_end = V::gather(&neurons.v_end[..n], some);
        let decay = leaked(elapsed, halvings).pow2();
        let now = v_end.plus(V::gather(v, some).minus(v_end).times(decay)).plus(arrived);
        let threshold = V::gather(&neurons.threshold[..n], some);
        let mut over = V::bits(V::both(active, now.reaches(threshold)));
        let mut active = V::bits(active);
        let mut lanes = [T::ZERO; MOST_LANES];
        now.store(&mut lanes);
        if active.count_ones() as usize == V::LANES {
            for (&i, &now) in some.iter().zip(&lanes) {
                (v[i as usize], since[i as usize]) = (now, *t);
            }
        } else {
            while active != 0 {
                let k = active.trailing_zeros() as usize;
                let i = some[k] as usize;
                (v[i], since[i]) = (lanes[k], *t);
                active &= active - 1;
            }
        }
        while over != 0 {
            let i = u32::from(some[over.trailing_zeros() as usize]);
            membranes.spike(neurons, i as usize, *t);
            spiked.push(i);
            over &= over - 1;
        }
    }
}

#[cfg(test)]
mod tests;
