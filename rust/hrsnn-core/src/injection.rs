//! Currents that are injected into neurons: a bias that changes at the edges of bins of time.
//!
//! Lives here: what is injected, and its values in a bin. Not here: what a neuron does with it
//! (`shard`), and who goes from edge to edge (`engine`). Invariant: the values of a bin depend on the
//! description and on the number of the bin alone.

use crate::distribution::normal;
use crate::error::{Error, Result};
use crate::random::stream;
use crate::time::n_bins;

/// Largest value and noise, mV.
const MOST_MV: f64 = 1e15;

/// Currents as the potentials that they would lead to, mV, which are added to the biases of neurons.
#[derive(Debug, Clone)]
pub struct Injection {
    /// µs, increasing; before the first and from the last on nothing is injected.
    edges: Vec<i64>,
    /// Who gets it; each once.
    neurons: Vec<u32>,
    /// For each bin one for all neurons, or one for each.
    values: Vec<f64>,
    /// Standard deviation of what is drawn for each neuron in each bin.
    noise: f64,
    seed: u64,
}

impl Injection {
    /// `values`: mV, for each bin one, or one for each of `neurons`; `edges` of the bins in µs, one
    /// more than there are bins; `noise`: standard deviation, mV, of what is added to each.
    ///
    /// # Errors
    /// Edges that are negative or do not increase, a value beyond 1e15 mV, a neuron that stands
    /// twice, a noise that is negative, or another number of values.
    pub fn new(
        values: Vec<f64>,
        edges: Vec<i64>,
        neurons: Vec<u32>,
        noise: f64,
        seed: u64,
    ) -> Result<Self> {
        let n_bins = n_bins(&edges)?;
        if values.len() != n_bins && values.len() != n_bins * neurons.len() {
            return Err(Error::length("values", n_bins * neurons.len(), values.len()));
        }
        if let Some(i) = values.iter().position(|value| !(-MOST_MV..=MOST_MV).contains(value)) {
            return Err(Error::element(
                "values",
                "between -1e15 and 1e15 mV",
                values[i],
                "index",
                i,
            ));
        }
        if !(0.0..=MOST_MV).contains(&noise) {
            return Err(Error::parameter("noise", "between 0 and 1e15 mV", noise));
        }
        let mut sorted: Vec<_> = neurons.iter().zip(0..).collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::element("neurons", "all different", pair[1].0, "index", pair[1].1));
        }
        Ok(Self { edges, neurons, values, noise, seed })
    }

    /// Refuse neurons that there are not.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self, n_neurons: usize) -> Result<()> {
        match self.neurons.iter().position(|&i| i as usize >= n_neurons) {
            Some(at) => {
                let expected = format!("below n_neurons ({n_neurons})");
                Err(Error::element("neurons", expected, self.neurons[at], "index", at))
            }
            None => Ok(()),
        }
    }

    /// When what is injected changes, µs.
    pub fn edges(&self) -> &[i64] {
        &self.edges
    }

    /// Who gets it.
    pub fn neurons(&self) -> &[u32] {
        &self.neurons
    }

    /// What each of the neurons gets from edge `number` on, mV.
    pub fn after(&self, number: usize, values: &mut Vec<f64>) {
        let (n, n_bins) = (self.neurons.len(), self.edges.len() - 1);
        values.clear();
        values.resize(n, 0.0);
        if number >= n_bins {
            return;
        }
        if self.values.len() == n_bins {
            values.fill(self.values[number]);
        } else {
            values.copy_from_slice(&self.values[number * n..(number + 1) * n]);
        }
        if self.noise > 0.0 {
            let mut rng = stream(self.seed, "noise current", number as u64);
            for value in &mut *values {
                *value += self.noise * normal(&mut rng);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(injection: &Injection, number: usize) -> Vec<f64> {
        let mut values = vec![7.0];
        injection.after(number, &mut values);
        values
    }

    #[test]
    fn values_are_those_of_the_bin_and_none_outside() {
        let each = Injection::new(vec![1.0, 2.0, 3.0, 4.0], vec![0, 5, 9], vec![4, 1], 0.0, 0);
        let each = each.unwrap();
        assert_eq!([0, 1, 2].map(|bin| after(&each, bin)), [[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]);
        let all = Injection::new(vec![1.0, -2.0], vec![3, 5, 9], vec![4, 1, 0], 0.0, 0).unwrap();
        assert_eq!(after(&all, 1), [-2.0; 3]);
        assert_eq!((all.edges(), all.neurons()), (&[3, 5, 9][..], &[4, 1, 0][..]));
    }

    #[test]
    fn noise_has_its_mean_and_spread_and_is_new_in_each_bin() {
        let edges = (0..=2000).collect();
        let noise = Injection::new(vec![3.0; 2000], edges, vec![0, 1, 2], 2.0, 5).unwrap();
        let all: Vec<f64> = (0..2000).flat_map(|bin| after(&noise, bin)).collect();
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        // Standard errors: 2 / sqrt(n) and 4 sqrt(2 / n); 5 of them.
        assert!((mean - 3.0).abs() < 5.0 * 2.0 / n.sqrt(), "{mean}");
        assert!((variance - 4.0).abs() < 5.0 * 4.0 * (2.0 / n).sqrt(), "{variance}");
        let next: f64 = all.iter().zip(&all[1..]).map(|(a, b)| (a - mean) * (b - mean)).sum();
        assert!((next / n / variance).abs() < 5.0 / n.sqrt());
        assert_eq!(after(&noise, 9), after(&noise, 9));
        assert_eq!(after(&noise, 2000), [0.0; 3]);
    }

    #[test]
    fn nonsense_is_refused() {
        let refused = |values: &[f64], edges: &[i64], neurons: &[u32], noise| {
            Injection::new(values.to_vec(), edges.to_vec(), neurons.to_vec(), noise, 0)
                .unwrap_err()
                .to_string()
        };
        for (said, error) in [
            ("values", refused(&[1.0], &[0, 1, 2], &[0], 0.0)),
            ("edge 1", refused(&[1.0], &[3, 3], &[0], 0.0)),
            ("values", refused(&[f64::NAN], &[0, 1], &[0], 0.0)),
            ("values", refused(&[-1e16], &[0, 1], &[0], 0.0)),
            ("noise", refused(&[1.0], &[0, 1], &[0], -1.0)),
            ("noise", refused(&[1.0], &[0, 1], &[0], f64::NAN)),
            ("index 2", refused(&[1.0], &[0, 1], &[5, 3, 5], 0.0)),
        ] {
            assert!(error.contains(said), "{error}");
        }
        let one = Injection::new(vec![1.0], vec![0, 1], vec![0, 9], 0.0, 0).unwrap();
        assert!(one.check(10).is_ok());
        assert!(one.check(9).unwrap_err().to_string().contains("neurons"));
    }
}
