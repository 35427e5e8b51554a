//! Named arrays and their metadata in one file.
//!
//! Lives here: safetensors in and out, written so that a reader sees the old file or the new
//! one and never half of either. Not here: which arrays make a network. Invariant: no code is
//! stored, and a file that is not what it claims is refused before its content is used.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result};

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
    /// Write to a temporary file beside `path`, sync it, and rename it to `path`.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses, [`Error::Format`] if bytes and shape disagree.
    pub fn save(&self, path: &Path) -> Result<()> {
        let format = |error| Error::Format { path: path.display().to_string(), reason: error };
        let mut views = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes);
            views.push((name, view.map_err(|error| format(format!("{name}: {error}")))?));
        }
        let bytes = safetensors::serialize(views, Some(self.metadata.clone()))
            .map_err(|error| format(error.to_string()))?;
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let written = File::create(&part)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&part, path));
        written.map_err(|source| {
            // The part may not exist; what matters is the first error.
            let _ = std::fs::remove_file(&part);
            Error::Io { path: path.display().to_string(), source }
        })
    }

    /// Read `path`.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses, [`Error::Format`] if it is no such file.
    pub fn load(path: &Path) -> Result<Self> {
        let name = || path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| Error::Io { path: name(), source })?;
        let refused = |error| Error::Format {
            path: name(),
            reason: format!("not a complete safetensors file ({error})"),
        };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(refused)?;
        let file = SafeTensors::deserialize(&bytes).map_err(refused)?;
        let tensor = |view: &TensorView<'_>| Tensor {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        };
        Ok(Self {
            tensors: file.iter().map(|(name, view)| (name.to_string(), tensor(&view))).collect(),
            metadata: header.metadata().clone().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let bytes = [1.5_f64, -0.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensor = Tensor { dtype: Dtype::F64, shape: vec![2], bytes };
        Snapshot {
            tensors: BTreeMap::from([("weight".to_string(), tensor)]),
            metadata: HashMap::from([("format".to_string(), "1".to_string())]),
        }
    }

    #[test]
    fn what_is_saved_is_loaded_and_no_part_remains() {
        let folder = std::env::temp_dir().join(format!("hrsnn-snapshot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("net.safetensors");
        snapshot().save(&path).unwrap();
        snapshot().save(&path).unwrap();
        assert_eq!(Snapshot::load(&path).unwrap(), snapshot());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);

        let bytes = std::fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = Snapshot::load(&path).unwrap_err();
            assert!(matches!(error, Error::Format { .. }), "cut to {length} bytes: {error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(Snapshot::load(&path), Err(Error::Io { .. })));
    }
}
