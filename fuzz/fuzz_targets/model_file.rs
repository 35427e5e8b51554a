//! Any bytes as a model file or checkpoint, which share one reader; then as a graph.
#![no_main]

use std::path::PathBuf;

use hrsnn_core::csr::Csr;
use hrsnn_core::snapshot::{Snapshot, Tensor};
use hrsnn_core::{Error, Result};
use libfuzzer_sys::fuzz_target;

fn file() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("hrsnn-fuzz-{}", std::process::id()))
}

fn load(bytes: &[u8]) -> Result<Snapshot> {
    let path = file();
    std::fs::write(&path, bytes).expect("the fuzzer's own folder");
    Snapshot::load(&path, &mut || Ok(()))
}

/// Put in the checksum that the error asks for, so that what lies behind it is reached.
fn mended(bytes: &[u8], error: &Error) -> Option<Vec<u8>> {
    let text = error.to_string();
    let (_, rest) = text.split_once("(checksum ")?;
    let (found, stated) = (rest.get(..8)?, rest.split('"').nth(1)?);
    let place = bytes.windows(stated.len().max(1)).position(|part| part == stated.as_bytes())?;
    let mut mended = bytes.to_vec();
    mended.get_mut(place..place + 8)?.copy_from_slice(found.as_bytes());
    Some(mended)
}

fn numbers<const N: usize>(tensor: &Tensor) -> impl Iterator<Item = [u8; N]> {
    tensor.bytes.chunks_exact(N).map(|chunk| chunk.try_into().expect("exact"))
}

fuzz_target!(|bytes: &[u8]| {
    let loaded = load(bytes).or_else(|error| match mended(bytes, &error) {
        Some(again) => load(&again),
        None => Err(error),
    });
    match loaded {
        Err(Error::Format { .. }) => {}
        Err(error) => panic!("{error}"),
        Ok(snapshot) => {
            let held: usize = snapshot.tensors.values().map(|tensor| tensor.bytes.len()).sum();
            assert!(held <= bytes.len(), "more than the file has");
            let (indptr, indices) =
                (snapshot.tensors.get("indptr"), snapshot.tensors.get("indices"));
            if let (Some(indptr), Some(indices)) = (indptr, indices) {
                let indptr = numbers(indptr).map(u64::from_le_bytes).collect();
                let _ = Csr::new(indptr, numbers(indices).map(u32::from_le_bytes).collect(), 1000);
            }
            let path = file();
            snapshot.save(&path, &mut || Ok(())).expect("what was loaded can be saved");
            assert_eq!(Snapshot::load(&path, &mut || Ok(())).expect("and loaded"), snapshot);
        }
    }
});
