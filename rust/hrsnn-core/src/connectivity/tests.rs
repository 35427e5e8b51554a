//! Structure, degrees and refusals of all generators.

use proptest::prelude::*;

use super::*;

const PAIRS: PairProbabilities = PairProbabilities { ee: 0.3, ei: 0.2, ie: 0.4, ii: 0.1 };
const SENSOR: SensorPlane = SensorPlane { height: 12, width: 10 };

fn in_degrees(csr: &Csr, n_post: usize) -> Vec<usize> {
    let mut degrees = vec![0; n_post];
    for &target in csr.indices() {
        degrees[target as usize] += 1;
    }
    degrees
}

fn has_autapse(csr: &Csr) -> bool {
    (0..csr.n_rows()).any(|row| csr.row(row).contains(&(row as u32)))
}

fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn certainty_and_impossibility() {
    assert_eq!(uniform(4, 6, 1.0, true, 1, "x").unwrap().n_synapses(), 24);
    assert_eq!(uniform(4, 4, 1.0, false, 1, "x").unwrap().n_synapses(), 12);
    assert_eq!(uniform(4, 6, 0.0, true, 1, "x").unwrap().n_synapses(), 0);
    assert_eq!(uniform(4, 6, 1e-300, true, 1, "x").unwrap().n_synapses(), 0);
    assert_eq!(uniform(0, 0, 0.5, false, 1, "x").unwrap().n_rows(), 0);
    assert_eq!(fixed_in_degree(5, 5, 4, false, 1, "x").unwrap().n_synapses(), 20);
}

#[test]
fn uniform_graph_has_the_density_asked_for() {
    let csr = uniform(1000, 1000, 0.1, false, 3, "x").unwrap();
    // Standard deviation sqrt(999000 * 0.09) = 300; 5 of them.
    assert!(csr.n_synapses().abs_diff(99_900) < 1500, "{}", csr.n_synapses());
}

#[test]
fn ring_without_rewiring_is_the_ring() {
    let ring = small_world(6, 3, 0.0, 1, "x").unwrap();
    assert_eq!(ring.row(0), [1, 2, 5]);
    assert_eq!(ring.row(5), [0, 1, 4]);
    assert_eq!(small_world(4, 3, 1.0, 1, "x").unwrap().n_synapses(), 12);
}

#[test]
fn rewiring_moves_the_share_asked_for() {
    let (n, k) = (500, 10);
    let ring = small_world(n, k, 0.0, 1, "x").unwrap();
    let rewired = small_world(n, k, 0.3, 1, "x").unwrap();
    let kept = (0..n)
        .flat_map(|row| rewired.row(row).iter().map(move |target| (row, target)))
        .filter(|(row, target)| ring.row(*row).contains(target))
        .count();
    // At least 70 % stay, and a rewired one returns to the ring with probability < 3/490
    // (only to a place vacated before); 5 standard deviations of sqrt(5000 * 0.21) = 32.
    assert!((3500 - 160..3500 + 160 + 10).contains(&kept), "{kept}");
}

#[test]
fn distance_rule_prefers_near_targets() {
    let inhibitory = vec![false; 1000];
    let csr = distance([10, 10, 10], 2.0, PAIRS, &inhibitory, 5, "x").unwrap();
    let at = |offset: usize| {
        let hits =
            (0..1000 - offset).filter(|&row| csr.row(row).contains(&((row + offset) as u32)));
        hits.filter(|row| row / 100 + offset / 100 < 10).count() as f64
    };
    // Neighbours along x at distances 1, 2 and 4: p = 0.3 exp(-(d/2)^2), n = 100 (10 - d).
    for (d, n) in [(1, 900.0), (2, 800.0), (4, 600.0)] {
        let p = 0.3 * (-(f64::from(d) / 2.0).powi(2)).exp();
        let tolerance = 5.0 * (n * p * (1.0 - p)).sqrt();
        let found = at(100 * d as usize);
        assert!((found - n * p).abs() < tolerance, "d = {d}: {found} against {}", n * p);
    }
    assert!(!has_autapse(&csr));
}

#[test]
fn distance_rule_tells_kinds_of_pairs_apart() {
    let only_ie = PairProbabilities { ee: 0.0, ei: 0.0, ie: 1.0, ii: 0.0 };
    let inhibitory: Vec<bool> = (0..27).map(|neuron| neuron >= 20).collect();
    let csr = distance([3, 3, 3], 1e6, only_ie, &inhibitory, 5, "x").unwrap();
    assert!((0..20).all(|row| csr.row(row).is_empty()));
    assert!((20..27).all(|row| csr.row(row).len() == 20));
}

#[test]
fn narrow_fields_take_the_nearest() {
    // With sigma this small, weights below exp(-745) must still order the candidates.
    let csr = local_inputs(SENSOR, 1, 50, 1, 0.01, 9, "inputs").unwrap();
    let places = SENSOR.positions(50, 9).unwrap();
    for channel in 0..csr.n_rows() {
        for &target in csr.row(channel) {
            let [y, x] = places[target as usize];
            assert_eq!((y as usize, x as usize), (channel / 10, channel % 10));
        }
    }
}

#[test]
fn messages_name_the_argument() {
    assert_eq!(text(uniform(3, 3, 1.5, true, 0, "x")), "p must be in [0, 1]; got 1.5.");
    assert_eq!(text(uniform(3, 3, f64::NAN, true, 0, "x")), "p must be in [0, 1]; got NaN.");
    assert!(
        text(uniform(usize::MAX, 3, 0.1, true, 0, "x")).starts_with("n_pre must be below 2^32")
    );
    assert_eq!(
        text(fixed_in_degree(3, 3, 3, false, 0, "x")),
        "k must be at most 2, the number of possible sources; got 3."
    );
    assert!(text(small_world(3, 3, 0.1, 0, "x")).starts_with("k must be below"));
    assert!(text(small_world(3, 2, -0.1, 0, "x")).starts_with("p_rewire must be in [0, 1]"));
    assert_eq!(
        text(distance([2, 2, 2], 1.0, PAIRS, &[false; 7], 0, "x")),
        "grid must be a grid of as many places as there are neurons (7); got [2, 2, 2]."
    );
    assert!(text(distance([1, 1, 1], 0.0, PAIRS, &[false], 0, "x")).starts_with("lambda_ must"));
    let wrong = PairProbabilities { ie: 2.0, ..PAIRS };
    assert!(text(distance([1, 1, 1], 1.0, wrong, &[false], 0, "x")).starts_with("c_ie must"));
    assert!(text(local_recurrence(SENSOR, 5, 5, 1.0, 0, "x")).starts_with("k must be at most 4"));
    assert!(text(local_recurrence(SENSOR, 5, 2, -1.0, 0, "x")).starts_with("sigma must"));
    let flat = SensorPlane { height: 0, width: 3 };
    assert_eq!(text(flat.positions(1, 0)), "height must be at least 1; got 0.");
}

proptest! {
    #[test]
    fn in_degrees_are_what_was_asked_for(n in 1_usize..40, k in 0_usize..40, seed: u64) {
        let k = k.min(n - 1);
        for (csr, n_post) in [
            (fixed_in_degree(n, 2 * n, k, true, seed, "x").unwrap(), 2 * n),
            (fixed_in_degree(n, n, k, false, seed, "x").unwrap(), n),
            (local_recurrence(SENSOR, n, k, 2.0, seed, "x").unwrap(), n),
            (local_inputs(SENSOR, 2, n, k, 1.5, seed, "x").unwrap(), n),
        ] {
            prop_assert!(in_degrees(&csr, n_post).iter().all(|&degree| degree == k));
        }
        prop_assert!(!has_autapse(&fixed_in_degree(n, n, k, false, seed, "x").unwrap()));
        prop_assert!(!has_autapse(&local_recurrence(SENSOR, n, k, 2.0, seed, "x").unwrap()));
    }

    #[test]
    fn small_world_keeps_out_degrees(n in 2_usize..40, k in 0_usize..40, p in 0.0..1.0, seed: u64) {
        let k = k.min(n - 1);
        let csr = small_world(n, k, p, seed, "x").unwrap();
        prop_assert!((0..n).all(|row| csr.row(row).len() == k));
        prop_assert!(!has_autapse(&csr));
    }

    #[test]
    fn a_row_does_not_depend_on_the_number_of_rows(n in 1_usize..40, p in 0.0..1.0, seed: u64) {
        let few = uniform(n, 50, p, true, seed, "x").unwrap();
        let many = uniform(n + 5, 50, p, true, seed, "x").unwrap();
        prop_assert!((0..n).all(|row| few.row(row) == many.row(row)));
        prop_assert!(!has_autapse(&uniform(n, n, p, false, seed, "x").unwrap()));
    }
}
