//! Random rows and trains against synapses that do each thing at its time and defer nothing.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{History, Pairing, PlasticSynapses, Rule, targets};
use crate::real::Real;
use crate::real::simd::table;

/// A synapse that is visited at every arrival and at every post spike.
#[derive(Debug, Clone)]
struct Plain {
    target: usize,
    w: f64,
    a: [f64; 2],
    tau_us: [f64; 2],
    /// Pre and post trace at `at`.
    trace: [f64; 2],
    at: i64,
    updates: u64,
}

impl Plain {
    fn clear(&mut self) {
        (self.trace, self.at, self.updates) = ([0.0; 2], 0, 0);
    }

    /// `arrivals` arrive at `t`, then the post neuron spikes or not; returns what was delivered.
    fn at(&mut self, t: i64, arrivals: usize, spikes: bool, rule: &Rule<f64>) -> f64 {
        for (trace, tau) in self.trace.iter_mut().zip(self.tau_us) {
            *trace *= (-((t - self.at) as f64) / tau).exp();
        }
        self.at = t;
        let (x, mut delivered) = (self.trace[0], 0.0);
        let raised = |trace: f64| if rule.pairing == Pairing::Nearest { 1.0 } else { trace + 1.0 };
        for _ in 0..arrivals {
            delivered += self.w;
            let change =
                rule.scale * self.a[1] * self.trace[1] * (self.w - rule.w_min).powf(rule.mu_minus);
            self.w = (self.w - change).clamp(rule.w_min, rule.w_max);
            self.trace[0] = raised(self.trace[0]);
            self.updates += 1;
        }
        if spikes {
            let change = rule.scale * self.a[0] * x * (rule.w_max - self.w).powf(rule.mu_plus);
            self.w = (self.w + change).clamp(rule.w_min, rule.w_max);
            self.trace[1] = raised(self.trace[1]);
            self.updates += 1;
        }
        delivered
    }
}

/// Moments of a train; of one moment every `tick` µs.
const MOMENTS: usize = 40;
const LONGEST_DELAY: usize = 6;
const N_POST: usize = 5;

/// A row: its segments, each with a delay in moments and its synapses, and when its source spikes.
#[derive(Debug, Clone)]
struct Row {
    segments: Vec<(usize, Vec<Plain>)>,
    spikes: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Trial {
    rule: Rule<f64>,
    tick: i64,
    rows: Vec<Row>,
    /// Moment and neuron.
    post: Vec<(usize, usize)>,
    settled: Vec<usize>,
    /// Whether targets take 32 bits.
    far: bool,
}

fn rule() -> impl Strategy<Value = Rule<f64>> {
    let mu = || prop::sample::select(vec![0.0, 0.5, 1.0, 1.5, 2.0]);
    let pairing = prop::sample::select(vec![Pairing::AllToAll, Pairing::Nearest]);
    let scale = prop::sample::select(vec![1.0, 1.0, 0.0, 0.3, 1.7]);
    (0.0_f64..1.0, 0.5_f64..4.0, mu(), mu(), pairing, scale).prop_map(
        |(w_min, range, mu_plus, mu_minus, pairing, scale)| Rule {
            w_min,
            w_max: w_min + range,
            mu_plus,
            mu_minus,
            pairing,
            scale,
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    // The weight as a share of the range from w_min to w_max; see `trial`.
    let synapse = (0..N_POST, 0.0_f64..=1.0, [0.0_f64..0.5, 0.0..0.5], [1e3_f64..4e4, 1e3..4e4]);
    let synapse = synapse.prop_map(|(target, w, a, tau_us)| Plain {
        target,
        w,
        a,
        tau_us,
        trace: [0.0; 2],
        at: 0,
        updates: 0,
    });
    // Longer than a block of synapses, and empty.
    let segment = (0..=LONGEST_DELAY, vec(synapse, 0..40));
    (vec(segment, 1..4), vec(0..MOMENTS, 0..30))
        .prop_map(|(segments, spikes)| Row { segments, spikes })
}

fn trial() -> impl Strategy<Value = Trial> {
    let tick = prop::sample::select(vec![1, 100, 3000]);
    let post = vec((0..MOMENTS, 0..N_POST), 0..60);
    let settled = vec(0..MOMENTS + LONGEST_DELAY, 0..12);
    (rule(), tick, vec(row(), 1..4), post, settled, any::<bool>()).prop_map(
        |(rule, tick, mut rows, post, settled, far)| {
            for synapse in rows.iter_mut().flat_map(|row| &mut row.segments).flat_map(|s| &mut s.1)
            {
                let w = rule.w_min + synapse.w * (rule.w_max - rule.w_min);
                synapse.w = w.min(rule.w_max);
            }
            Trial { rule, tick, rows, post, settled, far }
        },
    )
}

/// All weights, what each neuron received at each moment, and how many updates there were.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    weight: Vec<f64>,
    received: Vec<f64>,
    updates: u64,
}

impl Trial {
    fn segments(&self) -> impl Iterator<Item = (usize, &Row, &Vec<Plain>)> {
        self.rows.iter().flat_map(|row| {
            row.segments.iter().map(move |(delay, synapses)| (*delay, row, synapses))
        })
    }

    fn plain(&self) -> Vec<Plain> {
        self.segments().flat_map(|(_, _, synapses)| synapses.clone()).collect()
    }

    fn deferred<T: Real>(&self) -> PlasticSynapses<T> {
        let all = self.plain();
        let real =
            |f: &dyn Fn(&Plain) -> f64| all.iter().map(|s| T::from_f64(f(s))).collect::<Vec<T>>();
        PlasticSynapses::new(
            Rule {
                w_min: T::from_f64(self.rule.w_min),
                w_max: T::from_f64(self.rule.w_max),
                mu_plus: T::from_f64(self.rule.mu_plus),
                mu_minus: T::from_f64(self.rule.mu_minus),
                pairing: self.rule.pairing,
                scale: T::ONE,
            },
            &self.starts(),
            targets(all.iter().map(|s| s.target as u32), self.far),
            &real(&|s| s.w),
            &[
                real(&|s| s.a[0]),
                real(&|s| s.a[1]),
                real(&|s| std::f64::consts::LOG2_E / s.tau_us[0]),
                real(&|s| std::f64::consts::LOG2_E / s.tau_us[1]),
            ],
            None,
        )
    }

    /// Where each segment begins, and the number of synapses.
    fn starts(&self) -> Vec<u32> {
        let mut starts = vec![0];
        for (_, _, synapses) in self.segments() {
            starts.push(starts[starts.len() - 1] + synapses.len() as u32);
        }
        starts
    }

    /// Arrivals at each segment at `moment`, with the segment's place among all synapses.
    fn arrivals(&self, moment: usize) -> Vec<(usize, std::ops::Range<usize>)> {
        let mut start = 0;
        let arrivals = self.segments().map(|(delay, row, synapses)| {
            start += synapses.len();
            let count = row.spikes.iter().filter(|&&spike| spike + delay == moment).count();
            (count, start - synapses.len()..start)
        });
        arrivals.collect()
    }

    fn spikes_at(&self, moment: usize, neuron: usize) -> bool {
        self.post.contains(&(moment, neuron))
    }

    fn play_plain(&self, all: &mut [Plain]) -> Outcome {
        let mut outcome = Outcome::default();
        all.iter_mut().for_each(Plain::clear);
        for moment in 0..MOMENTS + LONGEST_DELAY {
            let mut input = [0.0; N_POST];
            for (count, range) in self.arrivals(moment) {
                for synapse in &mut all[range] {
                    let spikes = self.spikes_at(moment, synapse.target);
                    let t = moment as i64 * self.tick;
                    input[synapse.target] += synapse.at(t, count, spikes, &self.rule);
                }
            }
            outcome.received.extend(input);
        }
        outcome.weight = all.iter().map(|synapse| synapse.w).collect();
        outcome.updates = all.iter().map(|synapse| synapse.updates).sum();
        outcome
    }

    fn play_deferred<T: Real>(&self, all: &mut PlasticSynapses<T>, settled: &[usize]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut history = History::default();
        history.reset(N_POST);
        all.reset(T::from_f64(self.rule.scale));
        let mut input = table(T::ZERO, 0);
        for moment in 0..=MOMENTS + LONGEST_DELAY {
            let t = moment as i64 * self.tick;
            let arrivals = self.arrivals(moment);
            if moment == MOMENTS + LONGEST_DELAY {
                for (segment, (_, range)) in arrivals.iter().enumerate() {
                    outcome.updates += all.end(segment, range.clone(), &history, &mut input);
                }
                break;
            }
            if settled.contains(&moment) {
                for (segment, (_, range)) in arrivals.iter().enumerate() {
                    outcome.updates += all.settle(segment, range.clone(), t, &history, &mut input);
                }
                history.forget();
                if moment % 2 == 0 {
                    history.rebase(t);
                    all.rebase();
                }
            }
            input[..N_POST].fill(T::ZERO);
            for (segment, (count, range)) in arrivals.into_iter().enumerate() {
                for _ in 0..count {
                    outcome.updates += all.arrive(segment, range.clone(), t, &history, &mut input);
                }
            }
            outcome.received.extend(input[..N_POST].iter().map(|w| w.to_f64()));
            (0..N_POST).filter(|&i| self.spikes_at(moment, i)).for_each(|i| history.push(i, t));
        }
        for (_, range) in self.arrivals(0) {
            outcome.weight.extend(all.weights(&range).iter().map(|w| w.to_f64()));
        }
        outcome
    }
}

/// With exponents up to 2 no update enlarges the error of the weight it finds, so errors only add
/// up: some hundred updates of a synapse, each with a few roundings that rarely point the same way.
const ROUNDINGS: f64 = 200.0;

fn agree(
    found: &Outcome,
    expected: &Outcome,
    epsilon: f64,
    size: f64,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.updates, expected.updates);
    for (name, a, b, size) in [
        ("weight", &found.weight, &expected.weight, size),
        // A neuron receives up to a few hundred weights at a moment.
        ("received", &found.received, &expected.received, 100.0 * size),
    ] {
        prop_assert_eq!(a.len(), b.len());
        for (k, (a, b)) in a.iter().zip(b).enumerate() {
            let error = (a - b).abs();
            prop_assert!(error <= ROUNDINGS * epsilon * size, "{name} {k}: {a}, expected {b}");
        }
    }
    Ok(())
}

fn deferring_changes_nothing<T: Real>(trial: &Trial, epsilon: f64) -> Result<(), TestCaseError> {
    let mut plain = trial.plain();
    let (mut never, mut often) = (trial.deferred::<T>(), trial.deferred::<T>());
    let size = trial.rule.w_max;
    // Weights stay from sample to sample, and nothing else does.
    for _ in 0..2 {
        let expected = trial.play_plain(&mut plain);
        let unsettled = trial.play_deferred(&mut never, &[]);
        agree(&unsettled, &expected, epsilon, size)?;
        agree(&trial.play_deferred(&mut often, &trial.settled), &expected, epsilon, size)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn deferred_synapses_learn_what_plain_ones_do(trial in trial()) {
        deferring_changes_nothing::<f64>(&trial, f64::EPSILON)?;
        deferring_changes_nothing::<f32>(&trial, f64::from(f32::EPSILON))?;
    }
}
