//! The rules of docs/model.md without any event: every neuron is moved on by every µs.

use std::collections::BTreeMap;

use hrsnn_core::competition::NO_GROUP;
use hrsnn_core::network::{Connections, Description};

/// Distances, mV or relative, below which rounding may decide.
const CLOSE: f64 = 1e-9;

/// From here on rounding may have decided.
pub(crate) struct Doubt {
    pub(crate) t: i64,
}

pub(crate) struct Outcome {
    pub(crate) spikes: Vec<(i64, u32)>,
    /// Times at which a group had more than one neuron over threshold.
    pub(crate) n_contests: usize,
    pub(crate) doubt: Option<Doubt>,
}

struct Cell {
    v: f64,
    /// Excitatory, inhibitory charge.
    u: [f64; 2],
    /// Refractory or held before this.
    until: i64,
}

/// (Time of arrival, target, weight) of each synapse of `row` if its source acts at `t`.
fn arrivals(from: &Connections, row: usize, t: i64) -> impl Iterator<Item = (i64, usize, f64)> {
    from.graph.span(row).map(move |s| {
        let ms = from.delay[if from.delay.len() == 1 { 0 } else { s }];
        let us = (ms * 1000.0).round_ties_even() as i64;
        (t + us, from.graph.indices()[s] as usize, from.weight[s])
    })
}

pub(crate) fn spikes(d: &Description, events: &[(i64, u32)], duration: i64) -> Outcome {
    let p = &d.neurons;
    let n = p.tau_m.len();
    let competition = d.competition.as_ref().expect("neurons that compete");
    let mut cells: Vec<_> = p.v_rest.iter().map(|&v| Cell { v, u: [0.0; 2], until: 0 }).collect();
    let tau_syn = |kind: usize, i: usize| [p.tau_syn_ex[i], p.tau_syn_in[i]][kind] * 1000.0;
    let threshold = |i: usize| p.v_threshold[i] + p.theta[i];
    // What a µs leaves of the distance to rest, what it leaves of a charge, and what of it has flown.
    let leak: Vec<f64> = p.tau_m.iter().map(|tau| (-0.001 / tau).exp()).collect();
    let flow = |kind: usize, i: usize| {
        let (tau, tau_m) = (tau_syn(kind, i), p.tau_m[i] * 1000.0);
        let decay = if tau == 0.0 { 0.0 } else { (-1.0 / tau).exp() };
        (decay, (leak[i] - decay) / (1.0 - tau / tau_m))
    };
    let flows: Vec<[(f64, f64); 2]> = (0..n).map(|i| [flow(0, i), flow(1, i)]).collect();

    let mut coming: BTreeMap<i64, Vec<(usize, f64)>> = BTreeMap::new();
    for &(t, channel) in events {
        for (at, i, w) in arrivals(&d.inputs, channel as usize, t) {
            coming.entry(at).or_default().push((i, w));
        }
    }
    let mut outcome = Outcome { spikes: Vec::new(), n_contests: 0, doubt: None };
    for t in 0..duration {
        for (i, cell) in cells.iter_mut().enumerate() {
            if t == 0 {
                continue;
            }
            let [ex, inh] = flows[i];
            if t > cell.until {
                let end = p.v_rest[i] + p.bias[i];
                cell.v = end + (cell.v - end) * leak[i] + cell.u[0] * ex.1 + cell.u[1] * inh.1;
            }
            cell.u = [cell.u[0] * ex.0, cell.u[1] * inh.0];
        }
        for (i, w) in coming.remove(&t).unwrap_or_default() {
            let kind = usize::from(w < 0.0);
            if tau_syn(kind, i) > 0.0 {
                cells[i].u[kind] += w;
            } else if t >= cells[i].until {
                cells[i].v += w;
            }
        }
        let excess = |i: usize, cell: &Cell| {
            if t < cell.until { f64::NEG_INFINITY } else { cell.v - threshold(i) }
        };
        let over: Vec<f64> = cells.iter().enumerate().map(|(i, cell)| excess(i, cell)).collect();
        let mut is_close = over.iter().any(|excess| excess.abs() < CLOSE);
        for i in 0..n {
            let rivals: Vec<usize> = match competition.group[i] {
                NO_GROUP => vec![i],
                number => (0..n).filter(|&k| competition.group[k] == number).collect(),
            };
            let relative = |k: usize| over[k] / (threshold(k) - p.v_rest[k]);
            let n_over = rivals.iter().filter(|&&k| over[k] >= 0.0).count();
            // The first of its group speaks for all.
            if rivals[0] != i || n_over == 0 {
                continue;
            }
            outcome.n_contests += usize::from(n_over > 1);
            let contestants: Vec<_> = rivals.iter().copied().filter(|&k| over[k] >= 0.0).collect();
            let mut winner = contestants[0];
            for &k in &contestants[1..] {
                let difference = relative(k) - relative(winner);
                is_close |= difference != 0.0 && difference.abs() < CLOSE;
                if difference > 0.0 {
                    winner = k;
                }
            }
            outcome.spikes.push((t, winner as u32));
            for &k in rivals.iter().filter(|&&k| k != winner) {
                if t >= cells[k].until {
                    cells[k].v = cells[k].v.min(threshold(k)) - competition.inhibition;
                    cells[k].until = t + competition.hold_us;
                }
            }
            cells[winner].v = p.v_reset[winner];
            cells[winner].until = t + (p.t_ref[winner] * 1000.0).round_ties_even() as i64;
            for (at, k, w) in arrivals(&d.recurrent, winner, t) {
                coming.entry(at).or_default().push((k, w));
            }
        }
        if is_close && outcome.doubt.is_none() {
            outcome.doubt = Some(Doubt { t });
        }
    }
    outcome.spikes.sort_unstable();
    outcome
}
