//! A run that can be interrupted: its state as one file, written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::optimizer::{Moments, Snapshot};
use crate::device::Parameters;
use crate::model::{Checkpoint, ModelError, Storage, Tensor};

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Epoch in progress.
    pub(super) epoch: usize,
    /// Batches of it that are done.
    pub(super) batch: usize,
    /// Optimiser steps so far.
    pub(super) step: u64,
    /// Of the evaluation whose model is kept.
    pub(super) best: Option<Best>,
    /// Evaluations since then.
    pub(super) stale: usize,
    /// The run's config as JSON, so that another config cannot resume it.
    pub(super) config: String,
}

/// Figures of the evaluation whose model is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub(super) qualified: bool,
    pub(super) accuracy: f64,
    pub(super) loss: f64,
    pub(super) epoch: f64,
}

impl Best {
    /// Whether this one is to be kept rather than `other`: enough skimming first, then accuracy, then loss.
    pub(super) fn beats(&self, other: &Self) -> bool {
        (self.qualified, self.accuracy, -self.loss) > (other.qualified, other.accuracy, -other.loss)
    }
}

/// The state cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file system.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a state, or a weight is not finite.
    #[error("{}: {source}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// The state is that of another run.
    #[error("{}: {reason}", .path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}

const PROGRESS: &str = "progress";

/// Writes a file, and folders on the way to it, so that a reader finds the old content or the new, never a part.
///
/// # Errors
/// If the file system refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |source| StateError::Io { path: path.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(io)?;
    let mut file = tempfile::Builder::new().prefix(".saccade-").tempfile_in(folder).map_err(io)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(io)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(io)?;
    }
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Where the state of a run that writes `out` is kept.
pub(super) fn path_for(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".state");
    name.into()
}

pub(super) fn save(
    path: &Path,
    progress: &Progress,
    parameters: &Parameters,
    moments: Snapshot,
) -> Result<(), StateError> {
    let format = |source| StateError::Format { path: path.to_owned(), source };
    let mut checkpoint = Checkpoint::default();
    let json = serde_json::to_string(progress)
        .map_err(|error| format(ModelError::ConfigSyntax { reason: error.to_string() }))?;
    checkpoint.metadata.insert(PROGRESS.into(), json);
    for ((_, p), m) in parameters.iter().zip(moments) {
        let mut put = |kind: &str, values: Vec<f32>| -> Result<(), StateError> {
            let name = format!("{kind}.{}", p.name);
            let tensor = Tensor::new(&name, vec![values.len()], values).map_err(format)?;
            checkpoint.tensors.insert(name, tensor);
            Ok(())
        };
        put("weights", p.values.clone())?;
        put("first", m.first)?;
        put("second", m.second)?;
        put("average", m.average.unwrap_or_default())?;
        put("caught_up", m.caught_up.iter().map(|&step| step as f32).collect())?;
    }
    let bytes = checkpoint.to_bytes(|_, _| Storage::F32).map_err(format)?;
    write_whole(path, &bytes)
}

/// Reads what [`save`] wrote: the weights into `parameters`. `averaged` says whether there are averages.
pub(super) fn load(
    path: &Path,
    config: &str,
    parameters: &mut Parameters,
    averaged: bool,
) -> Result<(Progress, Snapshot), StateError> {
    let format = |source| StateError::Format { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(|source| StateError::Io { path: path.to_owned(), source })?;
    let mut checkpoint = Checkpoint::from_bytes(&bytes).map_err(format)?;
    let json = checkpoint.metadata.get(PROGRESS).ok_or_else(|| format(ModelError::ConfigMissing))?;
    let progress: Progress = serde_json::from_str(json)
        .map_err(|error| format(ModelError::ConfigSyntax { reason: error.to_string() }))?;
    if progress.config != config {
        let reason = "it belongs to a run with another config; remove it, or run that config".into();
        return Err(StateError::OtherRun { path: path.to_owned(), reason });
    }
    let mut moments = Snapshot::new();
    for (_, p) in parameters.iter_mut() {
        let mut take = |kind: &str, size: usize| -> Result<Vec<f32>, StateError> {
            let tensor = checkpoint.take(&format!("{kind}.{}", p.name), &[size]).map_err(format)?;
            Ok(tensor.values)
        };
        let size = p.values.len();
        let caught_up = take("caught_up", p.rows())?;
        moments.push(Moments {
            first: take("first", size)?,
            second: take("second", size)?,
            average: Some(take("average", if averaged { size } else { 0 })?).filter(|_| averaged),
            caught_up: caught_up.into_iter().map(|step| step as u64).collect(),
        });
        p.values = take("weights", size)?;
    }
    Ok((progress, moments))
}
