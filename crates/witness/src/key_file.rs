//! The key of a witness as two files: the private half, which its owner alone may read, and the line that others get.
//!
//! The line beside the key has the witness's name, which the private half does not; both must belong together.

use std::path::{Path, PathBuf};

use renkei_journal::SecretFileError;
use renkei_tlog::checkpoint::InvalidKey;
use renkei_tlog::{CosignerKey, Origin, WitnessKey};
use renkei_types::{Classify, Entropy, Kind, Language, Localised};

/// A key of a witness cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The private half.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The line beside it cannot be read or written.
    #[error("{file}: {source}")]
    Line {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// One of them is no key.
    #[error("{file}: {source}")]
    Invalid {
        /// The file.
        file: String,
        /// Why.
        source: InvalidKey,
    },
    /// They do not belong together.
    #[error("{file} is not the public half of the key beside it; restore both from one backup")]
    OtherKey {
        /// The file.
        file: String,
    },
}

impl Classify for KeyFileError {
    fn kind(&self) -> Kind {
        match self {
            Self::Secret(error) => error.kind(),
            Self::Line { .. } | Self::Invalid { .. } | Self::OtherKey { .. } => {
                Kind::InvalidArgument
            }
        }
    }
}

impl Localised for KeyFileError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Secret(error) => return error.localised(language),
            Self::Line { file, source } => format!("{file}: {}", source.localised(language)),
            Self::Invalid { file, source } => format!("{file}: {}", source.localised(language)),
            Self::OtherKey { file } => format!(
                "{file}は隣の鍵の公開鍵ではありません。両方を同じバックアップから戻してください"
            ),
        };
        language.pick(self.to_string(), japanese)
    }
}

/// Where the line of a key stands: beside it, with the ending `vkey`.
pub fn line_of(path: &Path) -> PathBuf {
    path.with_extension("vkey")
}

/// Makes a key and the line beside it; a key that is there stays.
pub fn create(
    path: &Path,
    name: Origin,
    entropy: &dyn Entropy,
) -> Result<CosignerKey, KeyFileError> {
    let key = WitnessKey::generate(name, entropy);
    renkei_journal::write_secret(path, key.to_pem().as_bytes())?;
    let line = line_of(path);
    let file = line.display().to_string();
    fs_err::write(&line, format!("{}\n", key.cosigner()))
        .map_err(|source| KeyFileError::Line { file, source })?;
    Ok(key.cosigner())
}

/// Reads a key with the name that the line beside it gives it.
pub fn read(path: &Path) -> Result<WitnessKey, KeyFileError> {
    let line = line_of(path);
    let file = line.display().to_string();
    let text = fs_err::read_to_string(&line)
        .map_err(|source| KeyFileError::Line { file: file.clone(), source })?;
    let invalid = |file: String| move |source| KeyFileError::Invalid { file, source };
    let known: CosignerKey = text.parse().map_err(invalid(file.clone()))?;
    let pem = renkei_journal::read_secret(path)?;
    let pem = std::str::from_utf8(&pem).unwrap_or_default();
    let key = WitnessKey::from_pem(known.name().clone(), pem);
    let key = key.map_err(invalid(path.display().to_string()))?;
    if key.cosigner() == known { Ok(key) } else { Err(KeyFileError::OtherKey { file }) }
}

#[cfg(test)]
mod tests {
    use renkei_types::SeededEntropy;

    use super::*;

    #[test]
    fn a_key_reads_back_with_its_name_is_never_overwritten_and_knows_its_own_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("witness.key");
        let name = || "pref.example/w1".parse::<Origin>().expect("a name");
        let made = create(&path, name(), &SeededEntropy::new(1)).expect("made");
        assert_eq!(read(&path).expect("read").cosigner(), made);
        let again = create(&path, name(), &SeededEntropy::new(2));
        assert!(matches!(again, Err(KeyFileError::Secret(_))), "{again:?}");
        assert_eq!(read(&path).expect("read").cosigner(), made);
        let other = create(&folder.path().join("other.key"), name(), &SeededEntropy::new(3));
        fs_err::write(line_of(&path), other.expect("made").to_string()).expect("written");
        assert!(matches!(read(&path), Err(KeyFileError::OtherKey { .. })));
    }
}
