//! Threads of our own.
//!
//! Lives here: one pool for each number of threads and each process. Not here: who uses it.
//! Invariants: nothing is started before it is needed; a child of `fork` builds its own pool,
//! since its parent's threads do not exist in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

type Pools = Mutex<HashMap<(u32, usize), Arc<ThreadPool>>>;

/// Most threads that may be asked for.
pub const MOST_THREADS: usize = 1024;

/// All cores.
pub fn all_cores() -> usize {
    // The system takes longer to say than a short run takes.
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// The pool of this process with `n_threads` threads.
///
/// # Errors
/// [`Error::InvalidParameter`] if `n_threads` is 0, above [`MOST_THREADS`] or refused by the system.
pub fn pool(n_threads: usize) -> Result<Arc<ThreadPool>> {
    static POOLS: OnceLock<Pools> = OnceLock::new();
    check(n_threads)?;
    let mut pools =
        POOLS.get_or_init(Pools::default).lock().unwrap_or_else(PoisonError::into_inner);
    let key = (std::process::id(), n_threads);
    if let Some(pool) = pools.get(&key) {
        return Ok(Arc::clone(pool));
    }
    let name = |i| format!("hrsnn-{i}");
    let built = ThreadPoolBuilder::new().num_threads(n_threads).thread_name(name).build();
    let refused = |error| Error::parameter("n_threads", "what the system grants", error);
    let pool = Arc::new(built.map_err(refused)?);
    // A parent's pools are never dropped here: their threads cannot be joined.
    pools.insert(key, Arc::clone(&pool));
    Ok(pool)
}

/// Refuse a number of threads that makes no sense.
///
/// # Errors
/// [`Error::InvalidParameter`].
pub fn check(n_threads: usize) -> Result<()> {
    if (1..=MOST_THREADS).contains(&n_threads) {
        return Ok(());
    }
    Err(Error::parameter("n_threads", format!("between 1 and {MOST_THREADS}"), n_threads))
}
