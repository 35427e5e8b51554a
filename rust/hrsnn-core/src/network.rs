//! The checked description of a network: nothing in it moves.
//!
//! Lives here: what a user may say, in user units (ms, mV, float64), and every check of it.
//! Not here: how it is laid out for speed (`shard`) or simulated (`engine`). Invariant: a
//! [`Description`] that passed [`Description::check`] can be simulated without any further error.

use crate::competition::Competition;
use crate::csr::Csr;
use crate::current::Receptor;
use crate::error::{Error, Result, check_each};
use crate::stdp::Pairing;
use crate::time::us_from_ms;

/// An array to check: its name, its values, what is allowed in words and as a test.
type Field<'a> = (&'a str, &'a [f64], &'a str, fn(f64) -> bool);

/// Largest magnitude of a potential, weight or bound, mV: far beyond any use, and far enough from
/// what float32 holds for their sums.
pub(crate) const MOST_MV: f64 = 1e15;
/// Largest amplitude of STDP; a trace times it is still a number of float32.
pub(crate) const MOST_AMPLITUDE: f64 = 1e30;
/// Largest constant of STDP in half precision; see `plastic`.
const MOST_HALF: f64 = 1e18;
/// Shortest and longest time constant, ms: their inverses are still numbers of float32.
const SHORTEST_MS: f64 = 1e-9;
const LONGEST_MS: f64 = 1e15;

/// Parameters of every neuron; each array has one element a neuron.
#[derive(Debug, Clone, Default)]
pub struct NeuronParameters {
    /// Membrane time constant, ms, > 0.
    pub tau_m: Vec<f64>,
    /// Resting potential, mV.
    pub v_rest: Vec<f64>,
    /// Reset potential, mV.
    pub v_reset: Vec<f64>,
    /// Threshold, mV, above rest and reset.
    pub v_threshold: Vec<f64>,
    /// Refractory period, ms, >= 0.
    pub t_ref: Vec<f64>,
    /// Constant drive, mV.
    pub bias: Vec<f64>,
    /// Time constant of the excitatory synaptic current, ms; 0 for delta synapses.
    pub tau_syn_ex: Vec<f64>,
    /// Time constant of the inhibitory synaptic current, ms; 0 for delta synapses.
    pub tau_syn_in: Vec<f64>,
    /// Adaptation of the threshold carried over from earlier samples, mV, >= 0.
    pub theta: Vec<f64>,
}

/// Synapses of one origin: rows are sources, columns neurons.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Who is connected to whom.
    pub graph: Csr,
    /// mV, aligned with `graph.indices`.
    pub weight: Vec<f64>,
    /// ms, aligned with `graph.indices`, or one for all.
    pub delay: Vec<f64>,
    /// The synapses that learn, if any do.
    pub plasticity: Option<Plasticity>,
}

/// STDP parameters; each array is aligned with `graph.indices`.
#[derive(Debug, Clone)]
pub struct Plasticity {
    /// Which synapses learn.
    pub plastic: Vec<bool>,
    /// Potentiation amplitude, >= 0.
    pub a_plus: Vec<f64>,
    /// Depression amplitude, >= 0.
    pub a_minus: Vec<f64>,
    /// Time constant of the pre trace, ms, > 0.
    pub tau_plus: Vec<f64>,
    /// Time constant of the post trace, ms, > 0.
    pub tau_minus: Vec<f64>,
    /// Lower bound of a weight, mV.
    pub w_min: f64,
    /// Upper bound of a weight, mV.
    pub w_max: f64,
    /// Exponent of the weight dependence of potentiation, >= 0.
    pub mu_plus: f64,
    /// Exponent of the weight dependence of depression, >= 0.
    pub mu_minus: f64,
    /// Which spikes pair.
    pub pairing: Pairing,
    /// Whether the four constants are kept in 16 bits each, to 1 part in 2,000.
    pub half_precision: bool,
}

/// Threshold adaptation while learning.
#[derive(Debug, Clone, Copy)]
pub struct Adaptation {
    /// Step at each own spike, mV, >= 0.
    pub theta_plus: f64,
    /// Time constant of the decay, applied at the end of a sample, ms, > 0.
    pub tau_theta: f64,
}

/// What is kept of the weights onto a neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Their sum, which is that of their magnitudes, for they have one sign.
    L1,
    /// The root of the sum of their squares.
    L2,
}

/// All there is to say of a network.
#[derive(Debug, Clone)]
pub struct Description {
    /// One set of parameters a neuron.
    pub neurons: NeuronParameters,
    /// From input channels.
    pub inputs: Connections,
    /// From neurons.
    pub recurrent: Connections,
    /// Who competes with whom, where somebody does.
    pub competition: Option<Competition>,
    /// Adaptive threshold, where wanted.
    pub adaptation: Option<Adaptation>,
    /// Norm to which each neuron's plastic recurrent weights are scaled at the end of a
    /// learning sample, mV, one a neuron; empty where weights are not normalised.
    pub incoming: Vec<f64>,
    /// The same of its plastic weights from inputs.
    pub incoming_inputs: Vec<f64>,
    /// The norms of both.
    pub norms: [Norm; 2],
}

impl Description {
    /// Neurons and synapses without anything that is optional.
    pub fn new(neurons: NeuronParameters, inputs: Connections, recurrent: Connections) -> Self {
        Self {
            neurons,
            inputs,
            recurrent,
            competition: None,
            adaptation: None,
            incoming: Vec::new(),
            incoming_inputs: Vec::new(),
            norms: [Norm::L1; 2],
        }
    }

    /// Number of neurons.
    pub fn n_neurons(&self) -> usize {
        self.recurrent.graph.n_rows()
    }

    /// Number of input channels.
    pub fn n_inputs(&self) -> usize {
        self.inputs.graph.n_rows()
    }

    /// Whether some synapse is not a delta synapse.
    pub(crate) fn has_currents(&self) -> bool {
        let NeuronParameters { tau_syn_ex, tau_syn_in, .. } = &self.neurons;
        tau_syn_ex.iter().chain(tau_syn_in).any(|&tau| tau > 0.0)
    }

    /// Refuse whatever cannot be simulated.
    ///
    /// # Errors
    /// Names the argument, the index and the value.
    pub fn check(&self) -> Result<()> {
        let n = self.n_neurons();
        if n == 0 {
            return Err(Error::parameter("n_neurons", "at least 1", 0));
        }
        self.neurons.check(n)?;
        if let Some(competition) = &self.competition {
            competition.check(&self.neurons.v_rest, &self.neurons.v_threshold)?;
        }
        self.inputs.check("inputs", "input_delay", n, 0)?;
        self.recurrent.check("recurrent", "recurrent_delay", n, 1)?;
        if let Some(adaptation) = self.adaptation {
            check_scalar("theta_plus", adaptation.theta_plus, "at least 0 mV", |v| v >= 0.0)?;
            check_scalar("tau_theta", adaptation.tau_theta, "greater than 0 ms", |v| v > 0.0)?;
        }
        let both = [("incoming", &self.incoming), ("incoming_inputs", &self.incoming_inputs)];
        for ((name, targets), norm) in both.into_iter().zip(self.norms) {
            if !targets.is_empty() {
                check_incoming(name, targets, norm, n)?;
            }
        }
        Ok(())
    }
}

/// Refuse norms of incoming weights that `n` neurons cannot have.
///
/// # Errors
/// A wrong length; or names the neuron and the value.
pub(crate) fn check_incoming(name: &str, targets: &[f64], norm: Norm, n: usize) -> Result<()> {
    check_length(name, targets.len(), n)?;
    let (expected, lowest) = match norm {
        Norm::L1 => ("finite", f64::NEG_INFINITY),
        Norm::L2 => ("at least 0 mV where the norm is l2", 0.0),
    };
    check_each(name, targets, expected, "neuron", |target| target >= lowest)
}

fn check_length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::length(name, expected, found)) }
}

/// Refuse what is finite, and yet would make infinities of the numbers computed from it.
fn check_size(name: &str, values: &[f64], at: &str) -> Result<()> {
    if name.starts_with("tau_") {
        let zero_is_delta = name.starts_with("tau_syn");
        let times = SHORTEST_MS..=LONGEST_MS;
        let allowed = |v: f64| times.contains(&v) || (zero_is_delta && v == 0.0);
        return check_each(name, values, "between 1e-9 and 1e15 ms", at, allowed);
    }
    if name.starts_with("a_") {
        return check_each(name, values, "at most 1e30", at, |v| v <= MOST_AMPLITUDE);
    }
    check_each(name, values, "between -1e15 and 1e15", at, |v| v.abs() <= MOST_MV)
}

fn check_scalar(
    name: &str,
    value: f64,
    expected: &str,
    allowed: impl Fn(f64) -> bool,
) -> Result<()> {
    if value.is_finite() && allowed(value) {
        Ok(())
    } else {
        Err(Error::parameter(name, expected, value))
    }
}

/// Refuse adaptations that no neuron may have.
///
/// # Errors
/// Names the neuron and the value.
pub fn check_theta(theta: &[f64]) -> Result<()> {
    check_each("theta", theta, "at least 0 mV", "neuron", |v| v >= 0.0)?;
    check_size("theta", theta, "neuron")
}

impl NeuronParameters {
    fn check(&self, n: usize) -> Result<()> {
        let fields: [Field<'_>; 8] = [
            ("tau_m", &self.tau_m, "greater than 0 ms", |v| v > 0.0),
            ("v_rest", &self.v_rest, "finite", |_| true),
            ("v_reset", &self.v_reset, "finite", |_| true),
            ("v_threshold", &self.v_threshold, "finite", |_| true),
            ("t_ref", &self.t_ref, "at least 0 ms", |v| v >= 0.0),
            ("bias", &self.bias, "finite", |_| true),
            ("tau_syn_ex", &self.tau_syn_ex, "at least 0 ms", |v| v >= 0.0),
            ("tau_syn_in", &self.tau_syn_in, "at least 0 ms", |v| v >= 0.0),
        ];
        for (name, values, expected, allowed) in fields {
            check_length(name, values.len(), n)?;
            check_each(name, values, expected, "neuron", allowed)?;
            check_size(name, values, "neuron")?;
        }
        check_length("theta", self.theta.len(), n)?;
        check_theta(&self.theta)?;
        for i in 0..n {
            us_from_ms("t_ref", self.t_ref[i], 0, "neuron", i)?;
            for (name, value) in [("v_rest", self.v_rest[i]), ("v_reset", self.v_reset[i])] {
                if value >= self.v_threshold[i] {
                    let expected = format!("below v_threshold ({} mV)", self.v_threshold[i]);
                    return Err(Error::element(name, expected, value, "neuron", i));
                }
            }
        }
        Ok(())
    }
}

impl Connections {
    /// Number of synapses.
    pub fn len(&self) -> usize {
        self.graph.indices().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Delay of a synapse, µs.
    pub(crate) fn delay_us(&self, synapse: usize) -> u32 {
        let ms = if self.delay.len() == 1 { self.delay[0] } else { self.delay[synapse] };
        (ms * 1000.0).round_ties_even() as u32
    }

    /// What a synapse feeds. A plastic one keeps its sign, so its bounds say it.
    pub(crate) fn receptor(&self, synapse: usize) -> Receptor {
        let plastic = self.plasticity.as_ref().filter(|p| p.plastic[synapse]);
        let is_negative = plastic.map_or(self.weight[synapse] < 0.0, |p| p.w_max <= 0.0);
        if is_negative { Receptor::Inhibitory } else { Receptor::Excitatory }
    }

    /// The delays of all synapses, µs, each once and in order, unless they are more than `most`.
    pub(crate) fn delays_us(&self, most: usize) -> Option<Vec<u32>> {
        let mut all: Vec<u32> = Vec::new();
        for s in 0..self.len().min(self.delay.len()) {
            let delay = self.delay_us(s);
            if let Err(place) = all.binary_search(&delay) {
                if all.len() == most {
                    return None;
                }
                all.insert(place, delay);
            }
        }
        if all.is_empty() {
            all.push(0);
        }
        Some(all)
    }

    /// Smallest delay of any synapse, µs.
    pub(crate) fn shortest_delay_us(&self) -> Option<u32> {
        (0..self.len().min(self.delay.len())).map(|s| self.delay_us(s)).min()
    }

    fn check(&self, name: &str, delay_name: &str, n_neurons: usize, lowest_us: u32) -> Result<()> {
        let n = self.len();
        if let Some(s) = self.graph.indices().iter().position(|&i| i as usize >= n_neurons) {
            let expected = format!("below n_neurons ({n_neurons})");
            let value = self.graph.indices()[s];
            return Err(Error::element(format!("{name}.indices"), expected, value, "synapse", s));
        }
        check_length(&format!("{name}.data"), self.weight.len(), n)?;
        check_each(&format!("{name}.data"), &self.weight, "finite", "synapse", |_| true)?;
        check_size(&format!("{name}.data"), &self.weight, "synapse")?;
        if self.delay.len() != 1 {
            check_length(delay_name, self.delay.len(), n)?;
        }
        for (s, &ms) in self.delay.iter().enumerate() {
            us_from_ms(delay_name, ms, lowest_us, "synapse", s)?;
        }
        self.check_repeats(delay_name)?;
        match &self.plasticity {
            Some(plasticity) => plasticity.check(&self.weight),
            None => Ok(()),
        }
    }

    /// Synapses of one source and target are told apart by their delays, in whose order they stand.
    fn check_repeats(&self, delay_name: &str) -> Result<()> {
        for row in 0..self.graph.n_rows() {
            let synapses = self.graph.span(row);
            for (s, pair) in synapses.zip(self.graph.row(row).windows(2)) {
                if pair[0] == pair[1] && self.delay_us(s + 1) <= self.delay_us(s) {
                    let us = self.delay_us(s);
                    let expected = format!(
                        "above {us} µs, that of the synapse before, of the same source and target"
                    );
                    let found = format!("{} µs", self.delay_us(s + 1));
                    return Err(Error::element(delay_name, expected, found, "synapse", s + 1));
                }
            }
        }
        Ok(())
    }
}

impl Plasticity {
    fn check(&self, weight: &[f64]) -> Result<()> {
        let n = weight.len();
        check_length("plastic", self.plastic.len(), n)?;
        let fields: [Field<'_>; 4] = [
            ("a_plus", &self.a_plus, "at least 0", |v| v >= 0.0),
            ("a_minus", &self.a_minus, "at least 0", |v| v >= 0.0),
            ("tau_plus", &self.tau_plus, "greater than 0 ms", |v| v > 0.0),
            ("tau_minus", &self.tau_minus, "greater than 0 ms", |v| v > 0.0),
        ];
        for (name, values, expected, allowed) in fields {
            check_length(name, values.len(), n)?;
            check_each(name, values, expected, "synapse", allowed)?;
            check_size(name, values, "synapse")?;
            if self.half_precision {
                let allowed = |v: f64| v <= MOST_HALF;
                check_each(name, values, "at most 1e18 in half precision", "synapse", allowed)?;
            }
        }
        check_scalar("w_min", self.w_min, "finite", |_| true)?;
        check_scalar("w_max", self.w_max, "finite and above w_min", |v| v > self.w_min)?;
        let bounds = "between -1e15 and 1e15 mV";
        check_scalar("w_min", self.w_min, bounds, |v| v.abs() <= MOST_MV)?;
        check_scalar("w_max", self.w_max, bounds, |v| v.abs() <= MOST_MV)?;
        if self.w_min < 0.0 && self.w_max > 0.0 {
            let expected = "at least 0 where w_max is positive: a synapse keeps its sign";
            return Err(Error::parameter("w_min", expected, self.w_min));
        }
        check_scalar("mu_plus", self.mu_plus, "at least 0", |v| v >= 0.0)?;
        check_scalar("mu_minus", self.mu_minus, "at least 0", |v| v >= 0.0)?;
        let room = self.w_max - self.w_min;
        let expected = format!("so small that (w_max - w_min)^mu, of {room} mV, is at most 1e30");
        for (name, mu) in [("mu_plus", self.mu_plus), ("mu_minus", self.mu_minus)] {
            check_scalar(name, mu, &expected, |mu| room.powf(mu) <= MOST_AMPLITUDE)?;
        }
        let outside =
            |&s: &usize| self.plastic[s] && !(self.w_min..=self.w_max).contains(&weight[s]);
        match (0..n).find(outside) {
            Some(s) => {
                let expected = format!(
                    "between w_min ({}) and w_max ({}) where plastic",
                    self.w_min, self.w_max
                );
                Err(Error::element("weight", expected, weight[s], "synapse", s))
            }
            None => Ok(()),
        }
    }
}
