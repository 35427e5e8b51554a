//! Each neuron's weights have the norm that was asked for, computed from those of a twin.

use super::super::tests::{N, description, drawn, events};
use super::super::*;
use super::*;
use crate::network::{Connections, Plasticity};
use crate::record::SpikeList;
use crate::stdp::Pairing;

/// Inputs and recurrent synapses learn, most of them.
fn learning() -> Description {
    let mut description = description(Pairing::AllToAll, 0.0);
    let n = description.inputs.len();
    description.inputs.plasticity = Some(Plasticity {
        plastic: drawn(0.0, 1.0, n, "inputs/plastic").into_iter().map(|u| u < 0.8).collect(),
        a_plus: drawn(0.0, 0.1, n, "inputs/a_plus"),
        a_minus: drawn(0.0, 0.1, n, "inputs/a_minus"),
        tau_plus: drawn(5.0, 40.0, n, "inputs/tau_plus"),
        tau_minus: drawn(5.0, 40.0, n, "inputs/tau_minus"),
        w_min: 0.0,
        w_max: 8.0,
        mu_plus: 0.0,
        mu_minus: 0.0,
        pairing: Pairing::AllToAll,
        half_precision: false,
    });
    description
}

/// Weights of inputs and of neurons after one sample.
fn learned(description: &Description, n_shards: usize) -> [Vec<f64>; 2] {
    let mut engine = Engine::<f64>::new(description, Some(n_shards)).unwrap();
    let (t, channel) = events();
    let input = Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
    engine.learn(&input, &mut SpikeList::default(), Some(n_shards), &mut || Ok(())).unwrap();
    [Source::Input, Source::Recurrent].map(|source| engine.synapses(source).weight)
}

/// `weight`, of which the plastic ones of `from` are scaled to `targets` and clipped.
fn scaled(from: &Connections, weight: &[f64], norm: Norm, targets: &[f64]) -> Vec<f64> {
    let plastic = from.plasticity.as_ref().unwrap();
    let mut scaled = weight.to_vec();
    for (i, target) in targets.iter().enumerate() {
        let onto: Vec<usize> = (0..from.len())
            .filter(|&s| from.graph.indices()[s] as usize == i && plastic.plastic[s])
            .collect();
        let size = |w: f64| if norm == Norm::L1 { w } else { w * w };
        let sum: f64 = onto.iter().map(|&s| size(weight[s])).sum();
        let sum = if norm == Norm::L1 { sum } else { sum.sqrt() };
        for &s in &onto {
            scaled[s] = (weight[s] * (target / sum)).clamp(plastic.w_min, plastic.w_max);
        }
    }
    scaled
}

#[test]
fn inputs_and_neurons_are_normalised_each_by_itself() {
    let plain = learning();
    let before = learned(&plain, 1);
    for norms in [[Norm::L1, Norm::L2], [Norm::L2, Norm::L1]] {
        let incoming = drawn(2.0, 30.0, N, "incoming");
        let incoming_inputs = drawn(4.0, 20.0, N, "incoming_inputs");
        let none = Vec::new;
        for (recurrent, inputs) in [
            (incoming.clone(), incoming_inputs.clone()),
            (incoming.clone(), none()),
            (none(), incoming_inputs),
        ] {
            let description = Description {
                incoming: recurrent.clone(),
                incoming_inputs: inputs.clone(),
                norms,
                ..plain.clone()
            };
            let expected = [
                scaled(&plain.inputs, &before[0], norms[1], &inputs),
                scaled(&plain.recurrent, &before[1], norms[0], &recurrent),
            ];
            for n_shards in [1, 3, 7] {
                assert!(learned(&description, n_shards) == expected, "{n_shards} shards");
            }
        }
    }
}

#[test]
fn targets_that_make_no_sense_are_refused() {
    let message = |norms, inputs: Vec<f64>| {
        let description = Description { incoming_inputs: inputs, norms, ..learning() };
        description.check().unwrap_err().to_string()
    };
    let l1 = [Norm::L1; 2];
    assert!(message(l1, vec![1.0; 3]).starts_with("incoming_inputs must have length 60"));
    let mut targets = vec![1.0; N];
    targets[5] = f64::NAN;
    assert_eq!(
        message(l1, targets.clone()),
        "incoming_inputs must be finite; got NaN at neuron 5."
    );
    targets[5] = -1.0;
    let expected =
        "incoming_inputs must be at least 0 mV where the norm is l2; got -1 at neuron 5.";
    assert_eq!(message([Norm::L1, Norm::L2], targets), expected);
}

#[test]
fn norms_that_are_replaced_hold_from_then_on() {
    let norms = [Norm::L1, Norm::L2];
    let inputs = drawn(4.0, 20.0, N, "incoming_inputs");
    let twice: Vec<f64> = inputs.iter().map(|norm| 2.0 * norm).collect();
    let description = |inputs| Description { incoming_inputs: inputs, norms, ..learning() };
    let weight = |mut engine: Engine<f64>| {
        let (t, channel) = events();
        let input =
            Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
        engine.learn(&input, &mut SpikeList::default(), Some(1), &mut || Ok(())).unwrap();
        engine.synapses(Source::Input).weight
    };
    let mut engine = Engine::<f64>::new(&description(inputs), Some(3)).unwrap();
    engine.set_incoming(Source::Input, &twice).unwrap();
    let expected = weight(Engine::new(&description(twice.clone()), Some(3)).unwrap());
    assert!(weight(engine.clone()) == expected);

    let error = |source, targets: &[f64]| {
        engine.clone().set_incoming(source, targets).unwrap_err().to_string()
    };
    assert!(error(Source::Input, &[1.0; 3]).starts_with("incoming must have length 60"));
    assert!(error(Source::Input, &[-1.0; N]).contains("got -1 at neuron 0"));
    assert!(error(Source::Recurrent, &twice).starts_with("incoming must have length 0"));
}
