//! Whole networks whose neurons compete: against closed forms, and against a plain loop over all
//! µs and all neurons that shares nothing with the engine.

use hrsnn_core::competition::{Competition, NO_GROUP};
use hrsnn_core::csr::Csr;
use hrsnn_core::engine::Engine;
use hrsnn_core::network::{Connections, Description, NeuronParameters};
use hrsnn_core::random::{Stream, below, stream, uniform};
use hrsnn_core::record::SpikeList;
use hrsnn_core::sample::Input;
use proptest::prelude::*;

#[path = "competition/each_us.rs"]
mod each_us;

use each_us::Doubt;

const DURATION: i64 = 15_000;

/// A network with the events of a sample.
struct Case {
    description: Description,
    events: Vec<(i64, u32)>,
}

impl Case {
    /// Spikes and what they took, in `n_shards`.
    fn spikes(&self, n_shards: usize, n_threads: usize) -> Vec<(i64, u32)> {
        let engine = Engine::<f64>::new(&self.description, Some(n_shards)).unwrap();
        let (t, channel): (Vec<_>, Vec<_>) = self.events.iter().copied().unzip();
        let input =
            Input { t: &t, channel: &channel, duration: DURATION, drive: None, injection: None };
        let mut spikes = SpikeList::default();
        engine.run(&input, &mut spikes, Some(n_threads), &mut || Ok(())).unwrap();
        spikes.t.into_iter().zip(spikes.neuron).collect()
    }
}

/// Neurons with `tau_m` 20 ms, at rest at 0 mV, with a threshold of 15 mV and a channel each.
fn plain(group: &[u32], inhibition: f64, hold_us: i64, events: &[(i64, u32, f64)]) -> Case {
    let n = group.len();
    let same = |value: f64| vec![value; n];
    let neurons = NeuronParameters {
        tau_m: same(20.0),
        v_rest: same(0.0),
        v_reset: same(0.0),
        v_threshold: same(15.0),
        t_ref: same(2.0),
        bias: same(0.0),
        tau_syn_ex: same(0.0),
        tau_syn_in: same(0.0),
        theta: same(0.0),
    };
    // Each event has a channel of its own, so that it may have any weight.
    let inputs = Connections {
        graph: Csr::new(
            (0..=events.len() as u64).collect(),
            events.iter().map(|event| event.1).collect(),
            n,
        )
        .unwrap(),
        weight: events.iter().map(|event| event.2).collect(),
        delay: vec![0.0],
        plasticity: None,
    };
    let recurrent = Connections {
        graph: Csr::new(vec![0; n + 1], Vec::new(), n).unwrap(),
        weight: Vec::new(),
        delay: vec![1.0],
        plasticity: None,
    };
    let competition = Some(Competition { group: group.to_vec(), inhibition, hold_us });
    let description = Description { competition, ..Description::new(neurons, inputs, recurrent) };
    let events = (0..).zip(events).map(|(channel, event)| (event.0, channel)).collect();
    Case { description, events }
}

#[test]
fn one_of_each_group_spikes() {
    let events: Vec<_> = (0..6).map(|i| (500, i, 16.0 + f64::from(i % 3))).collect();
    let case = plain(&[1, 1, 1, 0, 0, 0], 4.0, 1000, &events);
    for n_shards in 1..=7 {
        assert_eq!(case.spikes(n_shards, 2), [(500, 2), (500, 5)], "{n_shards} shards");
    }
}

#[test]
fn an_arrival_at_the_end_of_the_hold_counts_and_one_before_is_lost() {
    // Who loses is at 15 - 4 mV until 1500 µs.
    let events = |t| [(500, 0, 17.0), (500, 1, 16.0), (t, 1, 4.0)];
    let case = |t| plain(&[0, 0], 4.0, 1000, &events(t));
    assert_eq!(case(1499).spikes(1, 1), [(500, 0)]);
    assert_eq!(case(1500).spikes(1, 1), [(500, 0), (1500, 1)]);
    assert_eq!(case(1501).spikes(1, 1), [(500, 0)], "it has relaxed");
}

#[test]
fn a_driven_loser_crosses_when_the_closed_form_says() {
    for hold_us in [0, 1, 3000] {
        let mut case = plain(&[0, 0], 6.0, hold_us, &[(700, 0, 20.0)]);
        case.description.neurons.bias[1] = 60.0;
        // Its potential at 700 µs is lowered; from the end of the hold it rises to 15 of 60 mV.
        let v = 60.0 * (1.0 - (-700.0 / 20_000.0_f64).exp()) - 6.0;
        let rise = (20_000.0 * ((60.0 - v) / 45.0).ln()).ceil() as i64;
        assert!(700 + hold_us + rise < DURATION);
        assert_eq!(case.spikes(1, 1)[..2], [(700, 0), (700 + hold_us + rise, 1)]);
    }
}

#[test]
fn two_that_are_driven_alike_never_spike_in_the_same_us() {
    let mut case = plain(&[3, 3, NO_GROUP], 2.0, 0, &[]);
    case.description.neurons.bias.fill(40.0);
    let spikes = case.spikes(2, 1);
    let first = (20_000.0 * (40.0_f64 / 25.0).ln()).ceil() as i64;
    assert_eq!(spikes[..2], [(first, 0), (first, 2)]);
    // The other is at 13 mV there.
    let second = first + (20_000.0 * (27.0_f64 / 25.0).ln()).ceil() as i64;
    assert_eq!(spikes[2], (second, 1));
}

struct Draw(Stream);

impl Draw {
    fn one(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * uniform(&mut self.0)
    }

    fn below(&mut self, n: u64) -> usize {
        below(&mut self.0, n) as usize
    }

    fn happens(&mut self, p: f64) -> bool {
        uniform(&mut self.0) < p
    }

    fn many(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|_| self.one(low, high)).collect()
    }

    /// Rows of synapses; `alike` targets of a group receive the same, so that there are ties.
    fn connections(&mut self, n_rows: usize, n: usize, high: f64, lowest_ms: f64) -> Connections {
        let (mut indptr, mut indices) = (vec![0], Vec::new());
        let p = self.one(0.2, 0.9);
        for _ in 0..n_rows {
            indices.extend((0..n as u32).filter(|_| self.happens(p)));
            indptr.push(indices.len() as u64);
        }
        let n_synapses = indices.len();
        let alike = self.happens(0.3);
        let mut weight = self.many(n_synapses, -1.0, high);
        if alike {
            weight.fill(high);
        }
        Connections {
            graph: Csr::new(indptr, indices, n).unwrap(),
            weight,
            delay: self.many(if alike { 1 } else { n_synapses }, lowest_ms, 3.0),
            plasticity: None,
        }
    }

    fn case(&mut self) -> Case {
        let (n, n_inputs) = (1 + self.below(24), 1 + self.below(6));
        let (alike, driven, currents) = (self.happens(0.3), self.happens(0.4), self.happens(0.3));
        let mut of = |low: f64, high: f64| {
            let drawn = self.many(n, low, high);
            if alike { vec![drawn[0]; n] } else { drawn }
        };
        let mut tau_syn = |high: f64| {
            let tau: Vec<_> = of(-high, high).into_iter().map(|tau: f64| tau.max(0.0)).collect();
            if currents { tau } else { vec![0.0; n] }
        };
        let (tau_syn_ex, tau_syn_in) = (tau_syn(4.0), tau_syn(9.0));
        let neurons = NeuronParameters {
            tau_m: of(10.0, 40.0),
            v_rest: of(-2.0, 2.0),
            v_reset: of(-4.0, 1.0),
            v_threshold: of(5.0, 9.0),
            t_ref: of(0.0, 2.0),
            bias: of(-2.0, if driven { 20.0 } else { 2.0 }),
            tau_syn_ex,
            tau_syn_in,
            theta: of(0.0, 2.0),
        };
        let mut group = Vec::new();
        while group.len() < n {
            let number = if self.happens(0.2) { NO_GROUP } else { group.len() as u32 };
            group.extend(vec![number; 1 + self.below(9)]);
        }
        group.truncate(n);
        let hold_us = [0, 1, 500, 3000][self.below(4)];
        let competition = Some(Competition { group, inhibition: self.one(0.1, 6.0), hold_us });
        let inputs = self.connections(n_inputs, n, 5.0, 0.0);
        let recurrent = self.connections(n, n, 2.0, 0.5);
        let step = [1, 250][self.below(2)];
        let mut events: Vec<_> = (0..40 + self.below(100))
            .map(|_| {
                (
                    self.below(DURATION as u64) as i64 / step * step,
                    self.below(n_inputs as u64) as u32,
                )
            })
            .collect();
        events.sort_unstable();
        let description =
            Description { competition, ..Description::new(neurons, inputs, recurrent) };
        Case { description, events }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn all_spikes_are_those_of_a_loop_over_each_us(number in any::<u64>()) {
        let case = Draw(stream(number, "competition", 0)).case();
        let found = case.spikes(1, 1);
        for n_shards in 2..=7 {
            prop_assert_eq!(&case.spikes(n_shards, 1 + n_shards % 3), &found);
        }
        let right = each_us::spikes(&case.description, &case.events, DURATION);
        // What rounding may decide, and all that comes after it, says nothing.
        let sure = match right.doubt {
            Some(Doubt { t }) => t,
            None => DURATION,
        };
        let before = |spikes: &[(i64, u32)]| {
            spikes.iter().copied().filter(|&(t, _)| t < sure).collect::<Vec<_>>()
        };
        prop_assert_eq!(before(&found), before(&right.spikes));
    }
}

#[test]
fn most_cases_are_busy_and_beyond_doubt() {
    let (mut n_spikes, mut n_contests, mut us) = (0, 0, 0);
    for number in 0..60 {
        let case = Draw(stream(number, "competition", 0)).case();
        let right = each_us::spikes(&case.description, &case.events, DURATION);
        n_spikes += right.spikes.len();
        n_contests += right.n_contests;
        us += right.doubt.map_or(DURATION, |doubt| doubt.t);
    }
    assert!(n_spikes > 2000 && n_contests > 300, "{n_spikes} spikes, {n_contests} contests");
    assert!(us > 50 * DURATION, "{us} µs beyond doubt");
}
