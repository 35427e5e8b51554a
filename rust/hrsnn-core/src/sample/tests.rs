//! Which events lie where.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_next_events_are_those_before_the_end(
        mut t in proptest::collection::vec(0_i64..60, 0..200),
        first in 0_usize..200,
        end in -1_i64..62,
    ) {
        t.sort_unstable();
        let first = first.min(t.len());
        let input = Input { t: &t, channel: &vec![0; t.len()], duration: 60, drive: None, injection: None };
        let n = t[first..].iter().take_while(|&&t| t < end).count();
        prop_assert_eq!(next_before(input.t, first, end), first..first + n);
        prop_assert_eq!(input.n_before(end), t.iter().filter(|&&t| t < end).count());
    }
}
