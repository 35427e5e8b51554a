//! Spikes of one µs, which wait together until the last of their arrivals.

/// Rows that spiked at one time, and how many of their arrivals are still to come.
#[derive(Debug, Clone, Default)]
struct Batch {
    rows: Vec<u32>,
    n_left: u32,
}

/// Arrivals of a batch after one of its delays.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    batch: u32,
    /// Which delay, of how many.
    k: u32,
    n_delays: u32,
}

/// What waits, and memory for what is to come.
#[derive(Debug, Clone, Default)]
pub(super) struct Batches {
    all: Vec<Batch>,
    groups: Vec<Group>,
    free: Vec<u32>,
    free_groups: Vec<u32>,
}

/// A free place of `all`.
fn place<X: Default>(all: &mut Vec<X>, free: &mut Vec<u32>) -> u32 {
    free.pop().unwrap_or_else(|| {
        all.push(X::default());
        all.len() as u32 - 1
    })
}

impl Batches {
    /// Forget everything.
    pub(super) fn clear(&mut self) {
        let n = |len: usize| (0..len as u32).collect();
        (self.free, self.free_groups) = (n(self.all.len()), n(self.groups.len()));
    }

    /// A new batch of `rows`, none of whose arrivals is to come yet.
    #[inline]
    pub(super) fn begin(&mut self, rows: &[u32]) -> u32 {
        let number = place(&mut self.all, &mut self.free);
        let batch = &mut self.all[number as usize];
        batch.rows.clear();
        batch.rows.extend_from_slice(rows);
        batch.n_left = 0;
        number
    }

    /// Arrivals of a batch after delay number `k` of `n_delays` are to come.
    #[inline]
    pub(super) fn wait(&mut self, batch: u32, k: u32, n_delays: u32) -> u32 {
        let number = place(&mut self.groups, &mut self.free_groups);
        self.groups[number as usize] = Group { batch, k, n_delays };
        self.all[batch as usize].n_left += 1;
        number
    }

    /// The segments of a group that has come, which is then over.
    #[inline]
    pub(super) fn come(&mut self, group: u32) -> impl Iterator<Item = u32> + '_ {
        self.free_groups.push(group);
        let Group { batch, k, n_delays } = self.groups[group as usize];
        let Batch { rows, n_left } = &mut self.all[batch as usize];
        *n_left -= 1;
        if *n_left == 0 {
            // The rows stay where they are until another batch begins.
            self.free.push(batch);
        }
        rows.iter().map(move |&row| row * n_delays + k)
    }
}
