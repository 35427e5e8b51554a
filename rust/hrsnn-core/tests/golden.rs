//! Golden values: the bits of thirteen small networks, hashed, are those of `golden/hashes.json`.
//!
//! `golden/networks.json` says what the networks are: each has what is common to all but for what
//! it names. Where a pair stands for a number, values are drawn uniformly between both from the
//! stream of ([`SEED`], names of network and parameter), so that whoever reads the file draws the
//! same; `tests/support/golden_networks.py` does. `make golden` writes the hashes anew.

use std::path::Path;
use std::process::Command;

use hrsnn_core::competition::{Competition, NO_GROUP};
use hrsnn_core::csr::Csr;
use hrsnn_core::distribution::{Distribution, Law};
use hrsnn_core::engine::Engine;
use hrsnn_core::network::{
    Adaptation, Connections, Description, NeuronParameters, Norm, Plasticity,
};
use hrsnn_core::projection::Source;
use hrsnn_core::real::Real;
use hrsnn_core::real::simd::Level;
use hrsnn_core::record::{FeatureSpec, SpikeList, Windows};
use hrsnn_core::sample::Input;
use hrsnn_core::stdp::Pairing;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

fn read(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

/// `common` with what `own` has in place of it, section by section.
fn merged(common: &Value, own: &Value) -> Value {
    let (Some(common), Some(own)) = (common.as_object(), own.as_object()) else {
        return own.clone();
    };
    let mut all = common.clone();
    for (name, value) in own {
        all[name] = merged(&common[name], value);
    }
    Value::Object(all)
}

/// Seed of all that is drawn.
const SEED: u64 = 7;

/// One network to make.
struct Plan<'a> {
    name: &'a str,
    what: Value,
}

impl Plan<'_> {
    fn size(&self, name: &str) -> usize {
        self.what[name].as_u64().unwrap() as usize
    }

    fn uniform(&self, [low, high]: [f64; 2], n: usize, name: &str) -> Vec<f64> {
        let law = Distribution::new(Law::Uniform { low, high }, None, None).unwrap();
        law.sample_rows(&[0, n as i64], SEED, &format!("{}/{name}", self.name)).unwrap()
    }

    fn values(&self, value: &Value, n: usize, name: &str) -> Vec<f64> {
        match value.as_array() {
            Some(range) => self.uniform([0, 1].map(|k| range[k].as_f64().unwrap()), n, name),
            None => vec![value.as_f64().unwrap(); n],
        }
    }

    fn neurons(&self) -> NeuronParameters {
        let of = |name: &str| {
            let mut values = self.values(&self.what["neurons"][name], self.size("n_neurons"), name);
            if name.starts_with("tau_syn") {
                for tau in &mut values {
                    *tau = tau.max(0.0);
                }
            }
            values
        };
        NeuronParameters {
            tau_m: of("tau_m"),
            v_rest: of("v_rest"),
            v_reset: of("v_reset"),
            v_threshold: of("v_threshold"),
            t_ref: of("t_ref"),
            bias: of("bias"),
            tau_syn_ex: of("tau_syn_ex"),
            tau_syn_in: of("tau_syn_in"),
            theta: of("theta"),
        }
    }

    /// Synapses of `name`; sources with negative weights have no plastic ones.
    fn connections(&self, name: &str, n_rows: usize) -> Connections {
        let (what, n_neurons) = (&self.what[name], self.size("n_neurons"));
        let share = |part: &str| what[part].as_f64().unwrap();
        let unit = |n, part: &str| self.uniform([0.0, 1.0], n, &format!("{name}/{part}"));
        let pairs = unit(n_rows * n_neurons, "p");
        let (mut indptr, mut indices, mut source) = (vec![0], Vec::new(), Vec::new());
        for (row, pairs) in pairs.chunks(n_neurons).enumerate() {
            for (target, &u) in (0..).zip(pairs) {
                if u < share("p") {
                    indices.push(target);
                    source.push(row);
                }
            }
            indptr.push(indices.len() as u64);
        }
        let n = indices.len();
        let negative: Vec<_> =
            unit(n_rows, "negative").into_iter().map(|u| u < share("negative")).collect();
        let mut weight = self.values(&what["weight"], n, &format!("{name}/weight"));
        for (w, &row) in weight.iter_mut().zip(&source) {
            *w *= if negative[row] { -1.0 } else { 1.0 };
        }
        let plastic = unit(n, "plastic").into_iter().zip(&source);
        let plastic = plastic.map(|(u, &row)| u < share("plastic") && !negative[row]).collect();
        Connections {
            graph: Csr::new(indptr, indices, n_neurons).unwrap(),
            weight,
            delay: self.values(&what["delay"], n, &format!("{name}/delay")),
            plasticity: (share("plastic") > 0.0).then(|| self.plasticity(name, plastic)),
        }
    }

    fn plasticity(&self, name: &str, plastic: Vec<bool>) -> Plasticity {
        let what = &self.what["stdp"];
        let of = |part: &str| self.values(&what[part], plastic.len(), &format!("{name}/{part}"));
        let number = |part: &str| what[part].as_f64().unwrap();
        Plasticity {
            a_plus: of("a_plus"),
            a_minus: of("a_minus"),
            tau_plus: of("tau_plus"),
            tau_minus: of("tau_minus"),
            w_min: number("w_min"),
            w_max: number("w_max"),
            mu_plus: number("mu_plus"),
            mu_minus: number("mu_minus"),
            pairing: if what["pairing"] == "nearest" {
                Pairing::Nearest
            } else {
                Pairing::AllToAll
            },
            half_precision: what["half_precision"].as_bool().unwrap(),
            plastic,
        }
    }

    /// Groups of one size, and every fourth of them none.
    fn competition(&self) -> Option<Competition> {
        let what = self.what["competition"].as_object()?;
        let number = |i: u64| i / what["size"].as_u64().unwrap();
        let group = (0..self.size("n_neurons") as u64).map(number);
        let group = group.map(|k| if k % 4 == 3 { NO_GROUP } else { k as u32 }).collect();
        Some(Competition {
            group,
            inhibition: what["inhibition"].as_f64().unwrap(),
            hold_us: what["hold_us"].as_i64().unwrap(),
        })
    }

    fn description(&self) -> Description {
        let n_neurons = self.size("n_neurons");
        let adaptation = &self.what["adaptation"];
        let targets = |name: &str| match &self.what[name] {
            Value::Null => Vec::new(),
            range => self.values(range, n_neurons, name),
        };
        let norm = |k: usize| if self.what["norms"][k] == "l2" { Norm::L2 } else { Norm::L1 };
        let neurons = self.neurons();
        let inputs = self.connections("inputs", self.size("n_inputs"));
        let recurrent = self.connections("recurrent", n_neurons);
        Description {
            adaptation: adaptation.as_array().map(|pair| Adaptation {
                theta_plus: pair[0].as_f64().unwrap(),
                tau_theta: pair[1].as_f64().unwrap(),
            }),
            competition: self.competition(),
            incoming: targets("incoming"),
            incoming_inputs: targets("incoming_inputs"),
            norms: [0, 1].map(norm),
            ..Description::new(neurons, inputs, recurrent)
        }
    }

    fn sample(&self, k: usize) -> (Vec<i64>, Vec<u32>) {
        let n = self.size("events");
        let draw = |end: &str, name: &str| {
            self.uniform([0.0, self.size(end) as f64], n, &format!("{name}/{k}"))
        };
        let mut t: Vec<_> = draw("duration", "t").into_iter().map(|t| t as i64).collect();
        t.sort_unstable();
        (t, draw("n_inputs", "channel").into_iter().map(|channel| channel as u32).collect())
    }

    /// Learn from all samples, then transform them; `bytes` are those of a number.
    fn hashes<T: Real>(&self, bytes: fn(T) -> Vec<u8>) -> Value {
        let mut engine = Engine::<T>::new(&self.description(), None).unwrap();
        let samples: Vec<_> = (0..self.size("samples")).map(|k| self.sample(k)).collect();
        let duration = self.size("duration") as i64;
        let inputs: Vec<_> = samples
            .iter()
            .map(|(t, channel)| Input { t, channel, duration, drive: None, injection: None })
            .collect();
        let (mut raster, mut n_spikes, mut n_weight_updates) = (Sha256::new(), 0, 0);
        for input in &inputs {
            let mut spikes = SpikeList::default();
            let stats = engine.learn(input, &mut spikes, None, &mut || Ok(())).unwrap();
            for t in &spikes.t {
                raster.update(t.to_le_bytes());
            }
            for neuron in &spikes.neuron {
                raster.update(neuron.to_le_bytes());
            }
            n_spikes += stats.n_spikes;
            n_weight_updates += stats.counters.weight_updates;
        }
        let weights = |source| hash(engine.synapses(source).weight.into_iter().map(bytes));
        let spec = FeatureSpec {
            n_windows: 3,
            windows: Windows::Time,
            counts: true,
            tau_lowpass: Some(30.0),
            pools: None,
        };
        let (features, _) = engine.transform(&inputs, spec, Some(1), &mut || Ok(())).unwrap();
        json!({
            "n_spikes": n_spikes,
            "n_weight_updates": n_weight_updates,
            "spikes": text(raster),
            "input_weights": weights(Source::Input),
            "recurrent_weights": weights(Source::Recurrent),
            "theta": hash(engine.theta().into_iter().map(f64::to_le_bytes)),
            "features": hash(features.into_iter().map(f32::to_le_bytes)),
        })
    }
}

fn text(hasher: Sha256) -> String {
    use std::fmt::Write;
    hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes any");
        text
    })
}

fn hash<B: AsRef<[u8]>>(numbers: impl Iterator<Item = B>) -> String {
    let mut hasher = Sha256::new();
    for bytes in numbers {
        hasher.update(bytes);
    }
    text(hasher)
}

fn all_hashes() -> Map<String, Value> {
    let networks = read("networks.json");
    let one = |(name, own): (&String, &Value)| {
        let plan = Plan { name, what: merged(&networks["common"], own) };
        let hashes = if plan.what["dtype"] == "float32" {
            plan.hashes::<f32>(|w| w.to_le_bytes().to_vec())
        } else {
            plan.hashes::<f64>(|w| w.to_le_bytes().to_vec())
        };
        (name.clone(), hashes)
    };
    networks["networks"].as_object().unwrap().iter().map(one).collect()
}

const LEVEL: &str = "HRSNN_SIMD";

#[test]
fn bits_are_those_of_the_file() {
    let most = match std::env::var(LEVEL).as_deref() {
        Ok("baseline") => Level::Baseline,
        Ok("avx2") => Level::Avx2,
        _ => Level::Avx512,
    };
    assert_eq!(Level::in_use(), most.min(Level::detected()));
    let found = all_hashes();
    assert_eq!(found.len(), 13);
    for (name, hashes) in &found {
        assert!(hashes["n_spikes"].as_u64().unwrap() > 200, "{name}: {hashes}");
    }
    if std::env::var("HRSNN_GOLDEN").is_ok_and(|wish| wish == "write") {
        let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
        std::fs::write(folder().join("hashes.json"), text).unwrap();
        return;
    }
    let expected = read("hashes.json");
    let mut moved = Vec::new();
    for (name, hashes) in &found {
        for (what, value) in hashes.as_object().unwrap() {
            if expected[name][what] != *value {
                moved.push(format!("{name}: {what} {value}, not {}", expected[name][what]));
            }
        }
    }
    assert!(moved.is_empty(), "{} have moved:\n{}", moved.len(), moved.join("\n"));
    assert_eq!(expected.as_object().unwrap().len(), found.len());
}

#[test]
fn plainer_instructions_give_the_same_bits() {
    for level in ["avx2", "baseline"] {
        let again = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "bits_are_those_of_the_file", "--nocapture"])
            .env(LEVEL, level)
            .env_remove("HRSNN_GOLDEN")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&again.stdout) + String::from_utf8_lossy(&again.stderr);
        assert!(again.status.success() && said.contains("1 passed"), "{level}: {said}");
    }
}
