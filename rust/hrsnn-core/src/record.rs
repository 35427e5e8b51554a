//! What is kept of a sample: its spikes, or features that need no spikes.
//!
//! Lives here: spike lists, counts in windows, low-passed state. Not here: readouts. Invariant:
//! spikes come in the order of (t, neuron), so that what is recorded is a function of them alone.

use crate::error::{Error, Result};
use crate::shard::Spike;

/// Takes the spikes of one window of simulation after the other.
pub trait Record {
    /// The next spikes, sorted by (t, neuron).
    fn record(&mut self, spikes: &[Spike]);
}

/// Nothing.
#[derive(Debug, Clone, Copy)]
pub struct Discard;

impl Record for Discard {
    fn record(&mut self, _: &[Spike]) {}
}

/// Every spike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpikeList {
    /// µs.
    pub t: Vec<i64>,
    /// Aligned with `t`.
    pub neuron: Vec<u32>,
}

impl Record for SpikeList {
    fn record(&mut self, spikes: &[Spike]) {
        self.t.extend(spikes.iter().map(|spike| spike.0));
        self.neuron.extend(spikes.iter().map(|spike| spike.1));
    }
}

/// How a sample is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// Equal spans of time.
    Time,
    /// Equal shares of the sample's input events.
    Events,
}

/// The pool of a neuron that is in none.
pub const NO_POOL: u32 = u32::MAX;

/// Neurons whose features are added up.
#[derive(Debug, Clone, Copy)]
pub struct Pools<'a> {
    /// Number of the pool of each neuron, or [`NO_POOL`].
    pub pool: &'a [u32],
    /// Number of pools.
    pub n_pools: usize,
}

/// Which features are taken of each window.
#[derive(Debug, Clone, Copy)]
pub struct FeatureSpec<'a> {
    /// Number of windows.
    pub n_windows: usize,
    /// How they are cut.
    pub windows: Windows,
    /// Spikes of each neuron within each window.
    pub counts: bool,
    /// Spikes low-passed with this time constant (ms), at the end of each window.
    pub tau_lowpass: Option<f64>,
    /// Of each pool rather than of each neuron, where there are pools.
    pub pools: Option<Pools<'a>>,
}

impl FeatureSpec<'_> {
    /// Refuse what cannot be computed of `n_neurons`.
    ///
    /// # Errors
    /// Names the argument, the index and the value.
    pub fn check(&self, n_neurons: usize) -> Result<()> {
        if self.n_windows == 0 {
            return Err(Error::parameter("n_windows", "at least 1", 0));
        }
        if let Some(Pools { pool, n_pools }) = self.pools {
            if n_pools == 0 {
                return Err(Error::parameter("n_pools", "at least 1", 0));
            }
            if pool.len() != n_neurons {
                return Err(Error::length("pool", n_neurons, pool.len()));
            }
            let is_wrong = |&number: &u32| number != NO_POOL && number as usize >= n_pools;
            if let Some(i) = pool.iter().position(is_wrong) {
                let expected = format!("below n_pools ({n_pools}), or {NO_POOL} for none");
                return Err(Error::element("pool", expected, pool[i], "neuron", i));
            }
        }
        match self.tau_lowpass {
            Some(tau) if !(tau.is_finite() && tau > 0.0) => {
                Err(Error::parameter("tau_lowpass", "greater than 0 ms", tau))
            }
            _ => Ok(()),
        }
    }

    /// Whose features are told apart, of `n_neurons`: pools, or neurons.
    fn n_apart(&self, n_neurons: usize) -> usize {
        self.pools.map_or(n_neurons, |pools| pools.n_pools)
    }

    /// Features of one window of `n_neurons`.
    pub fn width(&self, n_neurons: usize) -> usize {
        self.n_apart(n_neurons)
            * (usize::from(self.counts) + usize::from(self.tau_lowpass.is_some()))
    }

    /// First µs after window `window` of a sample with input events at `t`.
    ///
    /// Window k of K ends where k / K of the time has passed, or before the event that opens
    /// the next of K equal shares; the last always ends with the sample.
    fn end(&self, window: usize, t: &[i64], duration: i64) -> i64 {
        let (w, k) = (window as i128 + 1, self.n_windows as i128);
        if w >= k {
            return duration;
        }
        match self.windows {
            Windows::Time => (w * i128::from(duration) / k) as i64,
            Windows::Events => {
                t.get((w * t.len() as i128 / k) as usize).copied().unwrap_or(duration)
            }
        }
    }
}

/// As many low-passed spikes may be written without asking whether to go on.
const CLOSED_BETWEEN_POLLS: usize = 1 << 18;

/// Features of one sample, written as the spikes come.
#[derive(Debug)]
pub struct Features<'a> {
    spec: FeatureSpec<'a>,
    /// Features of one window.
    width: usize,
    /// Times of the input events, and how long the sample lasts.
    t: &'a [i64],
    duration: i64,
    window: usize,
    /// First µs after it.
    end: i64,
    /// Low-passed spikes of each neuron or pool, and the time when that held. All spikes of a pool make
    /// one train, in the order of (t, neuron), so that its sum has a fixed order.
    trace: Vec<(f64, i64)>,
    out: &'a mut [f32],
}

impl<'a> Features<'a> {
    /// Features into `out`, of length `n_windows * spec.width(n_neurons)`, all 0.
    pub fn new(
        spec: FeatureSpec<'a>,
        n_neurons: usize,
        t: &'a [i64],
        duration: i64,
        out: &'a mut [f32],
    ) -> Self {
        let width = spec.width(n_neurons);
        debug_assert_eq!(out.len(), spec.n_windows * width);
        let n_traces = if spec.tau_lowpass.is_some() { spec.n_apart(n_neurons) } else { 0 };
        let trace = vec![(0.0, 0); n_traces];
        let end = spec.end(0, t, duration);
        Self { spec, width, t, duration, window: 0, end, trace, out }
    }

    fn decayed(&self, (value, since): (f64, i64), t: i64) -> f64 {
        let tau_us = self.spec.tau_lowpass.unwrap_or(f64::INFINITY) * 1000.0;
        value * crate::real::Real::exp((since - t) as f64 / tau_us)
    }

    fn close_window(&mut self) {
        let end = self.end;
        let first = self.window * self.width + self.width - self.trace.len();
        for i in 0..self.trace.len() {
            self.out[first + i] = self.decayed(self.trace[i], end) as f32;
        }
        self.window += 1;
        self.end = self.spec.end(self.window, self.t, self.duration);
    }

    /// Close the windows that are still open.
    ///
    /// # Errors
    /// What `poll` returned.
    pub fn finish(mut self, poll: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let between_polls = 1 + CLOSED_BETWEEN_POLLS / (1 + self.trace.len());
        while self.window < self.spec.n_windows {
            if self.window.is_multiple_of(between_polls) {
                poll()?;
            }
            self.close_window();
        }
        Ok(())
    }
}

impl Record for Features<'_> {
    fn record(&mut self, spikes: &[Spike]) {
        for &(t, neuron) in spikes {
            while t >= self.end {
                self.close_window();
            }
            let mut place = neuron as usize;
            if let Some(pools) = self.spec.pools {
                let pool = pools.pool[place];
                if pool == NO_POOL {
                    continue;
                }
                place = pool as usize;
            }
            if self.spec.counts {
                self.out[self.window * self.width + place] += 1.0;
            }
            if !self.trace.is_empty() {
                self.trace[place] = (self.decayed(self.trace[place], t) + 1.0, t);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: FeatureSpec<'_> = FeatureSpec {
        n_windows: 2,
        windows: Windows::Time,
        counts: true,
        tau_lowpass: Some(30.0),
        pools: None,
    };

    #[test]
    fn counts_and_low_passed_state_of_known_spikes() {
        let mut out = vec![0.0; 2 * SPEC.width(2)];
        let mut features = Features::new(SPEC, 2, &[], 60_000, &mut out);
        features.record(&[(0, 0), (29_999, 1), (30_000, 1)]);
        features.finish(&mut || Ok(())).unwrap();
        let e = |ms: f64| (-ms / 30.0).exp() as f32;
        let expected = [
            [1.0, 1.0, e(30.0), e(0.001)], // counts, then state, of neurons 0 and 1
            [0.0, 1.0, e(60.0), e(30.001) + e(30.0)],
        ];
        for (got, want) in out.iter().zip(expected.iter().flatten()) {
            assert!((got - want).abs() < 1e-6, "{out:?}");
        }
    }

    #[test]
    fn features_of_a_pool_are_the_sums_of_those_of_its_neurons() {
        let pool = [1, 0, NO_POOL, 1, 1, NO_POOL];
        let spikes: Vec<_> =
            (0..600).map(|k| (k * k % 100 + 100 * k, (k * k % 6) as u32)).collect();
        let features = |spec: FeatureSpec<'_>| {
            let mut out = vec![0.0; 2 * spec.width(6)];
            let mut features = Features::new(spec, 6, &[], 60_000, &mut out);
            features.record(&spikes);
            features.finish(&mut || Ok(())).unwrap();
            out
        };
        let apart = features(SPEC);
        let pools = Pools { pool: &pool, n_pools: 3 };
        let pooled = features(FeatureSpec { pools: Some(pools), ..SPEC });
        assert_eq!(pooled.len(), 12);
        for (k, (pooled, apart)) in pooled.chunks(3).zip(apart.chunks(6)).enumerate() {
            let mut sums = [0.0; 3];
            for (&number, feature) in pool.iter().zip(apart) {
                if number != NO_POOL {
                    sums[number as usize] += feature;
                }
            }
            for (pooled, sum) in pooled.iter().zip(sums) {
                // Counts are exact; of low-passed spikes the terms are rounded to float32 each.
                let most = if k % 2 == 0 { 0.0 } else { 1e-6 * sum };
                assert!((pooled - sum).abs() <= most, "{pooled}, not {sum}");
            }
            assert_eq!(pooled[2], 0.0, "an empty pool");
        }
    }

    #[test]
    fn pools_that_make_no_sense_are_refused() {
        let message = |pool: &[u32], n_pools| {
            let spec = FeatureSpec { pools: Some(Pools { pool, n_pools }), ..SPEC };
            spec.check(3).unwrap_err().to_string()
        };
        let pools = Some(Pools { pool: &[0, NO_POOL, 1], n_pools: 2 });
        assert!(FeatureSpec { pools, ..SPEC }.check(3).is_ok());
        assert_eq!(message(&[0, 1], 2), "pool must have length 3; got length 2.");
        let expected = "pool must be below n_pools (2), or 4294967295 for none; got 2 at neuron 1.";
        assert_eq!(message(&[0, 2, 1], 2), expected);
        assert_eq!(message(&[NO_POOL; 3], 0), "n_pools must be at least 1; got 0.");
    }

    #[test]
    fn windows_of_equal_shares_of_events() {
        let spec = FeatureSpec { windows: Windows::Events, n_windows: 3, ..SPEC };
        let ends = |t: &[i64], duration| [0, 1, 2].map(|window| spec.end(window, t, duration));
        assert_eq!(ends(&[0, 1, 2, 500, 600, 700], 1000), [2, 600, 1000]);
        assert_eq!(ends(&[], 9), [9, 9, 9]);
        assert_eq!(ends(&[5], 9), [5, 5, 9]);
    }

    #[test]
    fn windows_of_time_end_where_they_should_however_many_and_long() {
        let (n_windows, duration) = (1 << 24, 1 << 53);
        let spec = FeatureSpec { n_windows, ..SPEC };
        for window in [0, 1, n_windows / 2, n_windows - 2, n_windows - 1] {
            assert_eq!(spec.end(window, &[], duration), (window as i64 + 1) << 29);
        }
    }

    #[test]
    fn many_empty_windows_can_be_interrupted() {
        let spec = FeatureSpec { n_windows: 1 << 24, counts: false, ..SPEC };
        let mut out = vec![0.0; spec.n_windows];
        let mut polls = 0;
        let stopped = Features::new(spec, 1, &[], 4000, &mut out).finish(&mut || {
            polls += 1;
            if polls < 3 { Ok(()) } else { Err(Error::Broken) }
        });
        assert!(matches!(stopped, Err(Error::Broken)) && polls == 3);
    }
}
