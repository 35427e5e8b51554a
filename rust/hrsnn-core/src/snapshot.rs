//! Named arrays and their metadata in one file.
//!
//! Lives here: safetensors in and out, written so that a reader sees the old file or the new
//! one and never half of either. Not here: which arrays make a network. Invariants: no code is
//! stored; a file that is not what it claims is refused before its content is used; nothing is
//! allocated that the file's own length does not warrant.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crc32fast::Hasher;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use crate::error::{Error, Result, with_room};

/// Longest header: far more than a network needs, and little enough that what JSON unfolds to
/// stays small.
pub const LONGEST_HEADER: usize = 2 << 20;
/// Bytes between two looks at `poll`.
const CHUNK: usize = 4 << 20;
/// Bytes between two syncs: one sync of a large file could take longer than anybody likes to wait.
const SYNC_EVERY: usize = 8 << 20;
/// How long a sync is waited for between two looks at `poll`.
const PATIENCE: Duration = Duration::from_millis(10);
/// The text under which the checksum stands.
const CHECKSUM: &str = "checksum";
/// Bytes that hold the length of the header.
const PREFIX: usize = 8;

/// One array: element type, shape and little-endian bytes in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Element type.
    pub dtype: Dtype,
    /// Shape.
    pub shape: Vec<usize>,
    /// Elements.
    pub bytes: Vec<u8>,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Arrays by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Texts by name.
    pub metadata: HashMap<String, String>,
}

impl Snapshot {
    /// Write to a temporary file beside `path`, sync it, rename it to `path`, and sync the folder.
    ///
    /// `poll` is asked every few megabytes, and while the disk is waited for; an error of its ends the
    /// writing.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses, [`Error::Format`] if bytes and shape disagree, or
    /// what `poll` returned. What stood at `path` before then still does.
    pub fn save(&self, path: &Path, poll: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let format = |reason: String| Error::Format { path: path.display().to_string(), reason };
        let io = |source| Error::Io { path: path.display().to_string(), source };
        let mut order: Vec<_> = self.tensors.iter().collect();
        // The widest elements first, so that each array is aligned.
        order.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype.bitsize()));
        let mut infos = Vec::with_capacity(order.len());
        let mut end = 0;
        for (name, tensor) in &order {
            let data_offsets = (end, end + tensor.bytes.len());
            end = data_offsets.1;
            let info =
                TensorInfo { dtype: tensor.dtype, shape: tensor.shape.clone(), data_offsets };
            infos.push(((*name).clone(), info));
        }
        let mut checksum = Hasher::new();
        take_in(&mut checksum, &self.metadata, infos.iter().map(|(name, info)| (name, info)));
        for chunk in order.iter().flat_map(|(_, tensor)| tensor.bytes.chunks(CHUNK)) {
            checksum.update(chunk);
            poll()?;
        }
        let mut texts = self.metadata.clone();
        texts.insert(CHECKSUM.into(), format!("{:08x}", checksum.finalize()));
        let header =
            Metadata::new(Some(texts), infos).map_err(|error| format(error.to_string()))?;
        let mut header = serde_json::to_vec(&header).map_err(|error| format(error.to_string()))?;
        header.resize(header.len().next_multiple_of(PREFIX), b' ');
        if header.len() > LONGEST_HEADER {
            return Err(format(format!(
                "names and texts take {} bytes, of {LONGEST_HEADER} allowed",
                header.len()
            )));
        }
        let part = part_of(path);
        let mut write = || -> Result<()> {
            let mut file = File::create(&part).map_err(io)?;
            file.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
            file.write_all(&header).map_err(io)?;
            let mut unsynced = 0;
            for chunk in order.iter().flat_map(|(_, tensor)| tensor.bytes.chunks(CHUNK)) {
                file.write_all(chunk).map_err(io)?;
                unsynced += chunk.len();
                if unsynced >= SYNC_EVERY {
                    sync(&file, poll)?.map_err(io)?;
                    unsynced = 0;
                }
                poll()?;
            }
            sync(&file, poll)?.map_err(io)?;
            std::fs::rename(&part, path).map_err(io)?;
            sync_folder(path).map_err(io)
        };
        write().inspect_err(|_| {
            // The part may not exist; what matters is the first error.
            let _ = std::fs::remove_file(&part);
        })
    }

    /// Read `path`; `poll` is asked every few megabytes.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses, [`Error::Format`] if it is no such file or damaged,
    /// [`Error::Memory`] if it is larger than the memory, or what `poll` returned.
    pub fn load(path: &Path, poll: &mut dyn FnMut() -> Result<()>) -> Result<Self> {
        let io = |source| Error::Io { path: path.display().to_string(), source };
        let refused = |reason: String| Error::Format { path: path.display().to_string(), reason };
        // A pipe is not even opened: that could wait for ever.
        if std::fs::metadata(path).map_err(io)?.file_type().is_file() {
            Self::read(&mut File::open(path).map_err(io)?, poll).map_err(|fault| match fault {
                Fault::Reason(reason) => {
                    refused(format!("not a complete safetensors file ({reason})"))
                }
                Fault::Io(source) => io(source),
                Fault::Other(error) => error,
            })
        } else if path.is_dir() {
            // The system says it in its own words, with its own number.
            let read = File::open(path).and_then(|mut folder| folder.read(&mut [0]));
            Err(read.map_or_else(io, |_| refused("a folder".into())))
        } else {
            Err(refused("not a regular file".into()))
        }
    }

    fn read(
        file: &mut File,
        poll: &mut dyn FnMut() -> Result<()>,
    ) -> std::result::Result<Self, Fault> {
        let length = file.metadata()?.len();
        let mut prefix = [0; PREFIX];
        file.read_exact(&mut prefix)?;
        let n_header = u64::from_le_bytes(prefix);
        if n_header > LONGEST_HEADER as u64 {
            let reason = format!("a header of {n_header} bytes, of {LONGEST_HEADER} allowed");
            return Err(Fault::Reason(reason));
        }
        if length - (PREFIX as u64) < n_header {
            return Err(Fault::Reason("the header ends after the file".into()));
        }
        let mut header = vec![0; n_header as usize];
        file.read_exact(&mut header)?;
        // This checks that the arrays fill the file from its first byte on, without holes or
        // overlaps, and that their shapes say the same, in checked arithmetic.
        let header: Metadata = serde_json::from_slice(&header)
            .map_err(|error| Fault::Reason(format!("its header: {error}")))?;
        let n_data = header.data_len() as u64;
        if PREFIX as u64 + n_header + n_data != length {
            let reason = format!(
                "its header describes {n_data} bytes of arrays, it has {}",
                length - PREFIX as u64 - n_header
            );
            return Err(Fault::Reason(reason));
        }
        let mut metadata = header.metadata().clone().unwrap_or_default();
        let stated = metadata.remove(CHECKSUM);
        let names = header.offset_keys();
        let infos = || names.iter().filter_map(|name| header.info(name).map(|info| (name, info)));
        let mut checksum = Hasher::new();
        take_in(&mut checksum, &metadata, infos());
        let mut tensors = BTreeMap::new();
        for (name, info) in infos() {
            let n = info.data_offsets.1 - info.data_offsets.0;
            let mut bytes = with_room(name, n).map_err(Fault::Other)?;
            while bytes.len() < n {
                // Piece by piece: to touch so much memory for the first time takes long as well.
                let from = bytes.len();
                bytes.resize(n.min(from + CHUNK), 0);
                file.read_exact(&mut bytes[from..])?;
                checksum.update(&bytes[from..]);
                poll().map_err(Fault::Other)?;
            }
            let tensor = Tensor { dtype: info.dtype, shape: info.shape.clone(), bytes };
            tensors.insert(name.clone(), tensor);
        }
        let found = format!("{:08x}", checksum.finalize());
        match stated {
            Some(stated) if stated == found => Ok(Self { tensors, metadata }),
            Some(stated) => {
                Err(Fault::Reason(format!("checksum {found}, where {stated:?} is stated")))
            }
            None => Err(Fault::Reason("no checksum".into())),
        }
    }
}

/// What can go wrong with an open file.
enum Fault {
    Reason(String),
    Io(std::io::Error),
    Other(Error),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Reason("it ends too early".into()),
            _ => Self::Io(error),
        }
    }
}

/// Take all of a header but the checksum itself into the checksum, in an order of its own.
fn take_in<'a>(
    checksum: &mut Hasher,
    texts: &HashMap<String, String>,
    infos: impl Iterator<Item = (&'a String, &'a TensorInfo)>,
) {
    let mut word = |word: &str| {
        checksum.update(&(word.len() as u64).to_le_bytes());
        checksum.update(word.as_bytes());
    };
    for (name, text) in
        texts.iter().filter(|(name, _)| *name != CHECKSUM).collect::<BTreeMap<_, _>>()
    {
        word(name);
        word(text);
    }
    // By name: empty arrays share their place.
    for (name, info) in infos.collect::<BTreeMap<_, _>>() {
        word(name);
        word(&format!("{} {:?}", info.dtype, info.shape));
    }
}

/// A name beside `path` that no other process and no other thread uses.
fn part_of(path: &Path) -> PathBuf {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{number}.part", std::process::id()));
    path.with_file_name(name)
}

/// Wait until the disk has what was written to `file`; an error of `poll` ends the waiting.
fn sync(file: &File, poll: &mut dyn FnMut() -> Result<()>) -> Result<io::Result<()>> {
    match file.try_clone() {
        Ok(same) => waited_for(move || same.sync_all(), poll),
        Err(error) => Ok(Err(error)),
    }
}

/// What `work` comes to, in a thread of its own: it may take seconds in which it hears nobody.
fn waited_for(
    work: impl FnOnce() -> io::Result<()> + Send + 'static,
    poll: &mut dyn FnMut() -> Result<()>,
) -> Result<io::Result<()>> {
    let (done, finished) = mpsc::channel();
    let worker = thread::Builder::new().name("hrsnn-sync".into()).spawn(move || {
        // Nobody hears it if the waiting has ended.
        let _ = done.send(work());
    });
    if let Err(error) = worker {
        return Ok(Err(error));
    }
    loop {
        match finished.recv_timeout(PATIENCE) {
            Ok(outcome) => return Ok(outcome),
            Err(RecvTimeoutError::Timeout) => poll()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Err(io::Error::other("the thread that worked is gone")));
            }
        }
    }
}

/// Make the renaming itself last, where a folder can be synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let bytes = [1.5_f64, -0.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensor = Tensor { dtype: Dtype::F64, shape: vec![2], bytes };
        let empty = || Tensor { dtype: Dtype::F64, shape: vec![0], bytes: vec![] };
        let small = Tensor { dtype: Dtype::U8, shape: vec![1, 3], bytes: vec![1, 2, 3] };
        Snapshot {
            tensors: BTreeMap::from([
                ("a".to_string(), small),
                ("b".to_string(), empty()),
                ("c".to_string(), empty()),
                ("d".to_string(), empty()),
                ("weight".to_string(), tensor),
            ]),
            metadata: HashMap::from([("format".to_string(), "1".to_string())]),
        }
    }

    fn folder(name: &str) -> PathBuf {
        let name = format!("hrsnn-snapshot-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_is_saved_is_loaded_and_no_part_remains() {
        let folder = folder("saved");
        let path = folder.join("net.safetensors");
        snapshot().save(&path, &mut || Ok(())).unwrap();
        snapshot().save(&path, &mut || Ok(())).unwrap();
        assert_eq!(Snapshot::load(&path, &mut || Ok(())).unwrap(), snapshot());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);

        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(Snapshot::load(&path, &mut || Ok(())), Err(Error::Io { .. })));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let folder = folder("damaged");
        let path = folder.join("net.safetensors");
        snapshot().save(&path, &mut || Ok(())).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let refused = |damaged: &[u8], how: &str| {
            std::fs::write(&path, damaged).unwrap();
            match Snapshot::load(&path, &mut || Ok(())) {
                Err(Error::Format { .. }) => {}
                // White space may stand anywhere in a header, and keys in any order.
                Ok(same) => assert_eq!(same, snapshot(), "{how}"),
                Err(error) => panic!("{how}: {error}"),
            }
        };
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = Snapshot::load(&path, &mut || Ok(())).unwrap_err();
            assert!(matches!(error, Error::Format { .. }), "cut to {length} bytes: {error}");
        }
        for place in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[place / 8] ^= 1 << (place % 8);
            refused(&damaged, &format!("bit {place}"));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_disk_that_takes_long_keeps_nobody_waiting() {
        let (free, held) = mpsc::channel::<()>();
        let mut n_asked = 0;
        let mut poll = || {
            n_asked += 1;
            if n_asked < 3 { Ok(()) } else { Err(Error::Interrupted) }
        };
        let work = move || held.recv().map_err(io::Error::other);
        assert!(matches!(waited_for(work, &mut poll), Err(Error::Interrupted)));
        assert_eq!(n_asked, 3);
        drop(free);
        let full = || Err(io::Error::from(ErrorKind::StorageFull));
        let outcome = waited_for(full, &mut || Ok(())).unwrap();
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::StorageFull);
        assert!(waited_for(|| Ok(()), &mut || Ok(())).unwrap().is_ok());
        assert!(waited_for(|| panic!("on purpose"), &mut || Ok(())).unwrap().is_err());
    }

    #[test]
    fn an_interrupted_save_leaves_the_file_that_was_there() {
        let folder = folder("interrupted");
        let path = folder.join("net.safetensors");
        snapshot().save(&path, &mut || Ok(())).unwrap();
        let mut other = snapshot();
        other.metadata.insert("format".into(), "2".into());
        // Two arrays make four questions: twice for the checksum, twice for the writing.
        for n_allowed in 0..4 {
            let mut asked = 0;
            let mut poll = || {
                asked += 1;
                if asked > n_allowed { Err(Error::Interrupted) } else { Ok(()) }
            };
            assert!(matches!(other.save(&path, &mut poll), Err(Error::Interrupted)));
            assert_eq!(Snapshot::load(&path, &mut || Ok(())).unwrap(), snapshot());
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn headers_that_lie_about_sizes_are_refused_before_anything_is_allocated() {
        let folder = folder("crafted");
        let path = folder.join("net.safetensors");
        let huge = 1_u64 << 62;
        let array = |shape: &str, from: u64, to: u64| {
            format!(r#"{{"a":{{"dtype":"F64","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
        };
        let headers = [
            array(&format!("[{huge}]"), 0, huge.wrapping_mul(8)),
            array(&format!("[{huge}]"), 0, huge),
            array(&format!("[{huge},{huge}]"), 0, 8),
            array("[1]", huge, huge + 8),
            array("[1]", 8, 0),
            array("[1]", 8, 16),
            array("[2]", 0, 8),
            array("[18446744073709551616]", 0, 8),
            array("[-1]", 0, 8),
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        ];
        for header in headers {
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(&[0; 8]);
            std::fs::write(&path, &bytes).unwrap();
            let error = Snapshot::load(&path, &mut || Ok(())).unwrap_err();
            assert!(matches!(error, Error::Format { .. }), "{header:.80}: {error}");
        }
        for n_header in [LONGEST_HEADER as u64 + 1, huge, u64::MAX] {
            std::fs::write(&path, n_header.to_le_bytes()).unwrap();
            let error = Snapshot::load(&path, &mut || Ok(())).unwrap_err().to_string();
            assert!(error.contains(&format!("a header of {n_header} bytes")), "{error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
