//! Random networks: neither shards, nor the width of their targets, nor whether rows share their delays,
//! nor threads, nor the company of other samples change a bit.
//!
//! `HRSNN_SAME_BITS` says how many networks are drawn; shards and threads go from 1 to 16.

use super::*;
use crate::competition::{Competition, NO_GROUP};
use crate::csr::Csr;
use crate::network::{Connections, NeuronParameters, Norm, Plasticity};
use crate::projection::Source;
use crate::random::{Stream, below, stream, uniform};
use crate::record::{NO_POOL, Pools, SpikeList, Windows};
use crate::stdp::Pairing;

/// Networks that are drawn if the environment does not say how many.
const N_NETWORKS: u64 = 200;
const MOST_THREADS: u64 = 16;
const N_SAMPLES: usize = 3;
/// Most shards beyond one a thread: each costs a millisecond, whatever its size.
const SPARE_SHARDS: u64 = 3;

/// One network, its samples and what is asked for.
struct Case {
    description: Description,
    samples: Vec<(Vec<i64>, Vec<u32>)>,
    duration: i64,
    spec: FeatureSpec<'static>,
    /// Pools of the neurons, where they are pooled.
    pool: Option<Vec<u32>>,
    double: bool,
}

struct Draw(Stream);

impl Draw {
    fn one(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * uniform(&mut self.0)
    }

    fn many(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|_| self.one(low, high)).collect()
    }

    fn happens(&mut self, p: f64) -> bool {
        uniform(&mut self.0) < p
    }

    fn below(&mut self, n: u64) -> usize {
        below(&mut self.0, n) as usize
    }

    fn among<X: Copy>(&mut self, all: &[X]) -> X {
        all[self.below(all.len() as u64)]
    }

    fn connections(
        &mut self,
        (n_rows, n_neurons): (usize, usize),
        (weight, delay): ([f64; 2], [f64; 2]),
        (negative, learns): (f64, bool),
    ) -> Connections {
        let (p, one_delay, on_grid) = (self.one(0.1, 0.6), self.happens(0.3), self.happens(0.5));
        let (mut indptr, mut indices, mut signs) = (vec![0], Vec::new(), Vec::new());
        for _ in 0..n_rows {
            let sign = if self.happens(negative) { -1.0 } else { 1.0 };
            for target in 0..n_neurons as u32 {
                if self.happens(p) {
                    indices.push(target);
                    signs.push(sign);
                }
            }
            indptr.push(indices.len() as u64);
        }
        let n = indices.len();
        let weight: Vec<_> =
            signs.iter().map(|sign| sign * self.one(weight[0], weight[1])).collect();
        let plasticity = learns.then(|| Plasticity {
            plastic: signs.iter().map(|&sign| sign > 0.0 && self.happens(0.8)).collect(),
            a_plus: self.many(n, 0.0, 0.2),
            a_minus: self.many(n, 0.0, 0.2),
            tau_plus: self.many(n, 2.0, 40.0),
            tau_minus: self.many(n, 2.0, 60.0),
            w_min: 0.0,
            w_max: 4.0,
            mu_plus: self.among(&[0.0, 0.5, 1.0, 1.7]),
            mu_minus: self.among(&[0.0, 0.5, 1.0]),
            pairing: self.among(&[Pairing::AllToAll, Pairing::Nearest]),
            half_precision: self.happens(0.3),
        });
        Connections {
            graph: Csr::new(indptr, indices, n_neurons).unwrap(),
            weight,
            delay: {
                let drawn = self.many(if one_delay { 1 } else { n }, delay[0], delay[1]);
                // Few different ones, and arrivals from different times together.
                drawn.into_iter().map(|ms| if on_grid { ms.ceil() } else { ms }).collect()
            },
            plasticity,
        }
    }

    fn neurons(&mut self, n: usize) -> NeuronParameters {
        let (driven, currents) = (self.happens(0.3), self.happens(0.4));
        // Some of them have none.
        let mut tau_syn = |high: f64| -> Vec<f64> {
            let drawn = self.many(n, -0.3 * high, high);
            drawn.into_iter().map(|tau| if currents { tau.max(0.0) } else { 0.0 }).collect()
        };
        let (tau_syn_ex, tau_syn_in) = (tau_syn(10.0), tau_syn(20.0));
        NeuronParameters {
            tau_m: self.many(n, 5.0, 50.0),
            v_rest: self.many(n, -1.0, 1.0),
            v_reset: self.many(n, -5.0, -1.0),
            v_threshold: self.many(n, 6.0, 12.0),
            t_ref: self.many(n, 0.0, 4.0),
            bias: self.many(n, -5.0, if driven { 15.0 } else { 4.0 }),
            tau_syn_ex,
            tau_syn_in,
            theta: self.many(n, 0.0, 0.5),
        }
    }

    /// Groups of 1 to 9 neurons with others between them.
    fn competition(&mut self, n_neurons: usize) -> Competition {
        let mut group = Vec::new();
        while group.len() < n_neurons {
            let number = if self.happens(0.2) { NO_GROUP } else { group.len() as u32 };
            group.extend(vec![number; 1 + self.below(9)]);
        }
        group.truncate(n_neurons);
        let hold_us = self.among(&[0, 1, 700, 3000]);
        Competition { group, inhibition: self.one(0.5, 8.0), hold_us }
    }

    fn sample(&mut self, n_inputs: usize, duration: i64) -> (Vec<i64>, Vec<u32>) {
        let n = 30 + self.below(170);
        // Often several events at the same µs.
        let step = self.among(&[1, 500, 1000]);
        let mut t: Vec<_> =
            (0..n).map(|_| self.below(duration as u64) as i64 / step * step).collect();
        t.sort_unstable();
        (t, (0..n).map(|_| self.below(n_inputs as u64) as u32).collect())
    }

    fn case(&mut self) -> Case {
        let (n_neurons, n_inputs) = (2 + self.below(40), 1 + self.below(12));
        let neurons = self.neurons(n_neurons);
        let learning_inputs = self.happens(0.3);
        // Inputs that learn keep their sign, which is that of the bounds.
        let negative = if learning_inputs { 0.0 } else { 0.2 };
        let inputs = self.connections(
            (n_inputs, n_neurons),
            ([1.0, 4.0], [0.0, 4.0]),
            (negative, learning_inputs),
        );
        // Windows are as long, and threads meet after each: so few are short.
        let shortest = if self.happens(0.05) { 0.001 } else { self.among(&[0.7, 1.5, 3.0]) };
        let learns = self.happens(0.8);
        let recurrent =
            self.connections((n_neurons, n_neurons), ([0.1, 3.0], [shortest, 9.0]), (0.2, learns));
        let adapts = self.happens(0.3);
        let (normalises, normalises_inputs) = (self.happens(0.3), self.happens(0.3));
        let competition = self.happens(0.4).then(|| self.competition(n_neurons));
        let duration = 10_000 + self.below(20_000) as i64;
        Case {
            description: Description {
                neurons,
                inputs,
                recurrent,
                competition,
                adaptation: adapts.then_some(Adaptation { theta_plus: 0.05, tau_theta: 500.0 }),
                incoming: if normalises { self.many(n_neurons, 2.0, 20.0) } else { Vec::new() },
                incoming_inputs: if normalises_inputs {
                    self.many(n_neurons, 2.0, 20.0)
                } else {
                    Vec::new()
                },
                norms: self.among(&[[Norm::L1; 2], [Norm::L2; 2]]),
            },
            samples: (0..N_SAMPLES).map(|_| self.sample(n_inputs, duration)).collect(),
            duration,
            spec: FeatureSpec {
                n_windows: 1 + self.below(4),
                windows: self.among(&[Windows::Time, Windows::Events]),
                counts: true,
                tau_lowpass: self.among(&[None, Some(30.0)]),
                pools: None,
            },
            pool: self
                .happens(0.4)
                .then(|| (0..n_neurons).map(|_| self.among(&[0, 1, 2, NO_POOL])).collect()),
            double: self.happens(0.5),
        }
    }
}

/// All that may not depend on who did the work.
#[derive(Debug, PartialEq)]
struct Outcome {
    spikes: (Vec<i64>, Vec<u32>),
    stats: Vec<Stats>,
    /// Bits of input weights, recurrent weights, thresholds and features.
    bits: [Vec<u64>; 4],
}

fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

/// Learn from two samples, then transform all of them, `chunk` at a time.
fn outcome<T: Real>(
    case: &Case,
    (n_shards, far, most_delays): (usize, bool, usize),
    n_threads: usize,
    chunk: usize,
) -> Outcome {
    let mut engine =
        Engine::<T>::laid_out(&case.description, Some(n_shards), far, most_delays).unwrap();
    engine.together = Some(n_threads > 1);
    // Settles in between too.
    engine.settle_after = 20;
    let inputs: Vec<_> = case
        .samples
        .iter()
        .map(|(t, channel)| Input {
            t,
            channel,
            duration: case.duration,
            drive: None,
            injection: None,
        })
        .collect();
    let (mut spikes, mut stats) = (SpikeList::default(), Vec::new());
    for input in &inputs[..2] {
        stats.push(engine.learn(input, &mut spikes, Some(n_threads), &mut || Ok(())).unwrap());
    }
    let pools = case.pool.as_ref().map(|pool| Pools { pool, n_pools: 3 });
    let spec = FeatureSpec { pools, ..case.spec };
    let mut features = Vec::new();
    for inputs in inputs.chunks(chunk) {
        let part = engine.transform(inputs, spec, Some(n_threads), &mut || Ok(())).unwrap();
        features.extend(part.0);
        stats.extend(part.1);
    }
    let weights = |source| bits(&engine.synapses(source).weight);
    Outcome {
        spikes: (spikes.t, spikes.neuron),
        stats,
        bits: [
            weights(Source::Input),
            weights(Source::Recurrent),
            bits(&engine.theta()),
            features.iter().map(|feature| u64::from(feature.to_bits())).collect(),
        ],
    }
}

#[test]
fn random_networks_have_the_same_bits_for_any_split() {
    let wanted = std::env::var("HRSNN_SAME_BITS").map(|n| n.parse().expect("a number"));
    let n_networks = wanted.unwrap_or(N_NETWORKS);
    let (mut n_busy, mut n_learned, mut n_compared) = (0, 0, 0);
    for number in 0..n_networks {
        let mut draw = Draw(stream(20_261, "same bits", number));
        let case = draw.case();
        let with = |shards, n_threads, chunk| {
            if case.double {
                outcome::<f64>(&case, shards, n_threads, chunk)
            } else {
                outcome::<f32>(&case, shards, n_threads, chunk)
            }
        };
        let right = with((1, false, MOST_DELAYS), 1, N_SAMPLES);
        n_busy += u64::from(right.stats[..2].iter().map(|stats| stats.n_spikes).sum::<u64>() > 50);
        n_learned += u64::from(right.stats[0].counters.weight_updates > 50);
        // Every number of threads is met as often.
        for (turn, chunk) in [(0, 1), (1, 2), (2, N_SAMPLES)] {
            let n_threads = 1 + (number + turn * 5) % MOST_THREADS;
            let n_shards = n_threads as usize + draw.below(1 + SPARE_SHARDS);
            let (far, most_delays) = (draw.happens(0.5), draw.among(&[0, MOST_DELAYS]));
            let found = with((n_shards, far, most_delays), n_threads as usize, chunk);
            let how = format!(
                "network {number}, {n_shards} shards (far: {far}, delays: {most_delays}), {n_threads} \
                 threads, {chunk} samples at a time"
            );
            assert_eq!(found.spikes, right.spikes, "spikes: {how}");
            assert_eq!(found.stats, right.stats, "statistics: {how}");
            let names = ["input weights", "recurrent weights", "theta", "features"];
            for (what, (found, right)) in names.iter().zip(found.bits.iter().zip(&right.bits)) {
                assert!(found == right, "{what}: {how}");
            }
            n_compared += 1;
        }
    }
    println!("{n_networks} networks, {n_compared} comparisons, {n_busy} busy, {n_learned} learned");
    assert!(n_busy * 2 > n_networks, "{n_busy} of {n_networks} are busy");
    assert!(n_learned * 2 > n_networks, "{n_learned} of {n_networks} learn");
}
