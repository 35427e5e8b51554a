//! Arrays that are asked for in huge pages.
//!
//! Lives here: memory of what synapses hold. Rows are visited in no order, so that in pages of
//! 4 KiB most visits would first wait for where a page is. Not here: what the arrays mean.

#![allow(unsafe_code, reason = "advice to the system about memory; it says why it is sound")]

use std::ops::{Deref, DerefMut};

/// Arrays below this size have few pages, bytes.
const SMALL: usize = 4 << 20;

/// An array that, where it is large, lies in huge pages if the system has them.
#[derive(Debug)]
pub struct Large<T>(Vec<T>);

/// Room for `n` elements of an array that may be large.
pub fn room<T>(n: usize) -> Vec<T> {
    let mut values = Vec::with_capacity(n);
    // Before the memory is touched, for what is touched has its pages.
    ask_for_huge_pages(&mut values);
    values
}

impl<T> Large<T> {
    /// The values of `all`, of which there are `n`.
    pub fn collect(n: usize, all: impl Iterator<Item = T>) -> Self {
        let mut values = room(n);
        values.extend(all);
        Self(values)
    }
}

impl<T> Large<T> {
    /// One more, for which there is [`room`].
    #[inline]
    pub fn push(&mut self, value: T) {
        self.0.push(value);
    }
}

impl<T> Extend<T> for Large<T> {
    /// More, for which there is [`room`].
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        self.0.extend(values);
    }
}

impl<T> From<Vec<T>> for Large<T> {
    /// What was filled into a [`room`].
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T: Clone> Clone for Large<T> {
    fn clone(&self) -> Self {
        Self::collect(self.len(), self.iter().cloned())
    }
}

impl<T> Deref for Large<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for Large<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

/// Ask for huge pages for the room of `values`. Without them everything works, slower.
#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_huge_pages<T>(values: &mut Vec<T>) {
    const PAGE: usize = 2 << 20;
    let room = values.spare_capacity_mut();
    let n_bytes = size_of_val(room);
    if n_bytes < SMALL {
        return;
    }
    let start = room.as_mut_ptr();
    let before = start.addr().next_multiple_of(PAGE) - start.addr();
    // There is room for two pages, so one of them begins after less than one.
    let first = start.wrapping_byte_add(before);
    let whole = (n_bytes - before) / PAGE * PAGE;
    // SAFETY: these pages lie within memory of our own, and the advice changes nothing in them.
    unsafe { libc::madvise(first.cast(), whole, libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask_for_huge_pages<T>(_: &mut Vec<T>) {}

/// Give the system back what was freed and what the allocator keeps for later, where it can be told to.
///
/// After something large was made, that is as much as making it took.
#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
pub fn give_back() {
    // SAFETY: it takes no memory of ours, and may be called at any time by any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Give the system back what was freed: here the allocator cannot be told to.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(miri))))]
pub fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the system was asked for huge pages where the middle of `values` lies; `None` where
    /// it has none.
    fn is_huge(values: &[u32]) -> Option<bool> {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            return None;
        }
        let middle = &raw const values[values.len() / 2] as usize;
        let text = std::fs::read_to_string("/proc/self/smaps").ok()?;
        let mut is_here = false;
        for line in text.lines() {
            let first = line.split(' ').next().unwrap_or_default();
            if let Some((low, high)) = first.split_once('-') {
                let number = |digits| usize::from_str_radix(digits, 16).unwrap_or_default();
                is_here = (number(low)..number(high)).contains(&middle);
            } else if is_here && first == "VmFlags:" {
                return Some(line.split(' ').any(|flag| flag == "hg"));
            }
        }
        None
    }

    #[test]
    fn large_arrays_and_their_clones_lie_in_huge_pages() {
        let n = 4 * SMALL / 4;
        let large = Large::collect(n, 0..n as u32);
        let clone = large.clone();
        for values in [&large, &clone] {
            assert!(values.iter().copied().eq(0..n as u32));
            assert_ne!(is_huge(values), Some(false));
        }
        let small: Vec<u32> = (0..n as u32).collect();
        assert_ne!(is_huge(&small), Some(true), "the test above would hold for any array");
    }

    #[test]
    fn any_size_is_what_was_collected() {
        for n in [0, 1, SMALL / 4 - 1, SMALL / 4, SMALL / 4 + 1, SMALL - 1] {
            let large = Large::collect(n, 0..n as u32);
            assert!(large.iter().copied().eq(0..n as u32));
        }
    }
}
