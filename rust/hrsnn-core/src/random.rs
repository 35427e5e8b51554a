//! Counter-based random streams, keyed by (seed, purpose, index).
//!
//! Lives here: how a key becomes a generator, and the two elementary draws whose bits this
//! crate fixes itself. Not here: laws of parameters ([`crate::distribution`]).
//! Invariant: what a stream yields depends on its key alone, never on a thread, on the
//! order of calls, or on what any other stream yielded.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The generator behind [`stream`].
pub type Stream = ChaCha8Rng;

/// Fills the part of the key that neither seed nor purpose need.
const KEY_SUFFIX: &[u8; 8] = b"hrsnn_rs";

/// The stream of (`seed`, `purpose`, `index`).
///
/// The key of `ChaCha8` holds the seed and a hash of the purpose; `index` (a neuron, a row)
/// is its nonce, so all indices of a purpose are disjoint stretches of one permutation.
/// Making one costs about as much as a dozen draws: one per row is meant.
///
/// ```
/// use hrsnn_core::random::{stream, uniform};
/// let first = uniform(&mut stream(7, "tau_m", 3));
/// assert_eq!(first, uniform(&mut stream(7, "tau_m", 3)));
/// assert_ne!(first, uniform(&mut stream(7, "t_ref", 3)));
/// ```
pub fn stream(seed: u64, purpose: &str, index: u64) -> Stream {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&fnv1a(purpose.as_bytes()).to_le_bytes());
    key[16..24].copy_from_slice(&(purpose.len() as u64).to_le_bytes());
    key[24..].copy_from_slice(KEY_SUFFIX);
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index);
    rng
}

/// A number in [0, 1): a multiple of 2^-53, each equally likely.
pub fn uniform(rng: &mut impl Rng) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (rng.next_u64() >> 11) as f64 * STEP
}

/// An integer in [0, `n`), each exactly equally likely (Lemire 2019, ACM TOMACS 29:3).
///
/// # Panics
/// If `n` is 0: there is no such integer.
pub fn below(rng: &mut impl Rng, n: u64) -> u64 {
    assert!(n > 0, "no integer is below 0");
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(n);
        let low = product as u64;
        // Only the lowest 2^64 mod n values of `low` would favour some results.
        if low >= n || low >= n.wrapping_neg() % n {
            return (product >> 64) as u64;
        }
    }
}

/// FNV-1a, 64 bits: written out because the bits of every network hang on it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn bits_do_not_change_between_releases() {
        let mut rng = stream(7, "tau_m", 3);
        let found: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(found, GOLDEN, "{found:#x?}");
    }

    /// From this crate's first version; a change here changes every user's network.
    const GOLDEN: [u64; 3] = [0xa1e4_f010_318f_c26c, 0x42c0_330d_136c_cf28, 0x3c4c_1c77_8899_62b4];

    #[test]
    fn each_part_of_the_key_counts() {
        let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        let base = first(1, "a", 1);
        assert_eq!(base, first(1, "a", 1));
        assert_ne!(base, first(2, "a", 1));
        assert_ne!(base, first(1, "b", 1));
        assert_ne!(base, first(1, "a", 2));
        assert_ne!(first(0, "a", u64::MAX), first(u64::MAX, "a", 0));
    }

    #[test]
    fn uniform_fills_the_unit_interval() {
        let mut rng = stream(0, "uniform", 0);
        let draws: Vec<f64> = (0..100_000).map(|_| uniform(&mut rng)).collect();
        assert!(draws.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = draws.iter().sum::<f64>() / 1e5;
        // Standard error 1 / sqrt(12 * 1e5) = 9.1e-4; 5 of them.
        assert!((mean - 0.5).abs() < 4.6e-3, "{mean}");
    }

    #[test]
    fn below_is_unbiased_and_bounded() {
        let mut rng = stream(0, "below", 0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[below(&mut rng, 7) as usize] += 1;
        }
        // Standard deviation sqrt(7e4 / 7 * 6 / 7) = 93; 5 of them.
        assert!(counts.iter().all(|&c| c.abs_diff(10_000) < 465), "{counts:?}");
        assert_eq!(below(&mut rng, 1), 0);
        let n = (1 << 63) + 1;
        assert!((0..1000).all(|_| below(&mut rng, n) < n));
    }
}
