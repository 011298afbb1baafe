//! Folders that are made anew only when what they are made of has changed.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

/// The file that says what the others in its folder were made of. Written last, so that a folder without it is unfinished; and
/// again when nothing has changed, with the time at which that began: all that is older has been seen.
const STAMP: &str = ".stamp";

/// Empties `folder` and has `make` fill it, unless it was made of the same `inputs`, of which the first was looked at when it
/// had `begun`. Returns whether it was made.
///
/// # Errors
/// Those of `make`, and if the folder cannot be written.
pub(crate) fn make_unless_same(
    folder: &Path,
    begun: SystemTime,
    inputs: &[&[u8]],
    make: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    let stamp = folder.join(STAMP);
    let hash = hash(inputs);
    let changed = !fs::read_to_string(&stamp).is_ok_and(|found| found == hash);
    if changed {
        empty(folder)?;
        make()?;
    }
    let write = || {
        fs::File::create(&stamp).and_then(|mut file| {
            file.write_all(hash.as_bytes())?;
            file.set_modified(begun)
        })
    };
    write().with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(changed)
}

/// Makes `folder`, with nothing in it.
///
/// # Errors
/// If it cannot be emptied or made.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// A hash of all inputs, their order and where each ends.
fn hash(inputs: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        hasher.write_usize(input.len());
        hasher.write(input);
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn inputs_are_told_apart() {
        let hashes = [&[&b"ab"[..], b"c"][..], &[b"a", b"bc"], &[b"c", b"ab"], &[b"abc"]].map(hash);
        for (i, one) in hashes.iter().enumerate() {
            assert!(!hashes[..i].contains(one));
        }
        assert_eq!(hash(&[b"ab", b"c"]), hashes[0]);
    }

    #[test]
    fn a_folder_is_made_once_and_again_after_a_failure() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("saccade-stamp-{}", std::process::id()));
        let file = folder.join("file");
        let make = |text: &'static str| {
            let file = file.clone();
            move || Ok(fs::write(file, text)?)
        };
        let stamped = || fs::metadata(folder.join(STAMP))?.modified();
        let [first, second] = [1, 2].map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert!(make_unless_same(&folder, first, &[b"1"], make("1"))?);
        assert_eq!(stamped()?, first);
        assert!(!make_unless_same(&folder, second, &[b"1"], make("not called"))?);
        assert_eq!(stamped()?, second);
        assert!(make_unless_same(&folder, second, &[b"2"], make("2"))?);
        assert!(make_unless_same(&folder, second, &[b"3"], || anyhow::bail!("no")).is_err());
        assert!(!file.exists());
        assert!(make_unless_same(&folder, second, &[b"3"], make("3"))?);
        assert_eq!(fs::read_to_string(&file)?, "3");
        Ok(fs::remove_dir_all(&folder)?)
    }
}
