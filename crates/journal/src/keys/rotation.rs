//! Another root key: every data key is wrapped anew, and nothing that they seal is touched.
//!
//! ```text
//! prepare    root.key.next is made; nothing else changes, and it may lie there for ever
//! complete   data/<id>.key, one after the other, is put in place anew under the next key
//!            root.key.next becomes root.key
//! ```
//! Whether it is to be completed is decided elsewhere and known by the next key's fingerprint, so that a process that died
//! in the middle completes what was decided and nothing else. Invariant: at every moment each data key opens under the root
//! key or under the next one. What a backup has of older root keys goes on opening older copies of data keys: an exposed
//! root key is answered by destroying those copies too.

use std::path::PathBuf;

use renkei_types::{Digest, Entropy};
use zeroize::Zeroizing;

use super::{KeyError, KeyFolder, file_error, read_root, wrapping_of};
use crate::seal::DataKey;
use crate::secret_file::{read_secret, replace_secret, write_secret};

impl KeyFolder {
    fn next_root_file(&self) -> PathBuf {
        self.dir.join("root.key.next")
    }

    /// Makes the next root key, unless one was made before, and answers its fingerprint.
    pub fn prepare_root(&self, entropy: &dyn Entropy) -> Result<Digest, KeyError> {
        if self.is_handed {
            return Err(KeyError::Handed);
        }
        let _held = self.opened();
        let file = self.next_root_file();
        if !file.try_exists().map_err(file_error(&file))? {
            write_secret(&file, DataKey::generate(entropy).as_bytes())?;
        }
        Ok(fingerprint(&read_root(&file)?))
    }

    /// Takes the next root key into use if it is the one that was decided on; answers how many data keys were wrapped
    /// anew, or nothing where it is in use already or is not there.
    pub fn complete_root(
        &self,
        decided: Digest,
        entropy: &dyn Entropy,
    ) -> Result<Option<usize>, KeyError> {
        let mut opened = self.opened();
        let file = self.next_root_file();
        if !file.try_exists().map_err(file_error(&file))? {
            return Ok(None);
        }
        let next = read_root(&file)?;
        if fingerprint(&next) != decided {
            return Ok(None);
        }
        let mut wrapped_anew = 0;
        let io = file_error(&self.data);
        for entry in fs_err::read_dir(&self.data).map_err(&io)? {
            let path = entry.map_err(&io)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let id = name.and_then(|name| name.strip_suffix(".key")?.parse().ok());
            let Some(id) = id else { continue };
            let (place, wrapped) = (wrapping_of(id), read_secret(&path)?);
            if next.open(&place, &wrapped).is_ok() {
                // By a process that died here.
                continue;
            }
            let damaged = |_| KeyError::Damaged { file: path.display().to_string() };
            let bytes = Zeroizing::new(opened.root.open(&place, &wrapped).map_err(damaged)?);
            replace_secret(&path, &next.seal(entropy, &place, &bytes))?;
            wrapped_anew += 1;
        }
        let root = self.dir.join("root.key");
        fs_err::rename(&file, &root).map_err(file_error(&root))?;
        crate::folder::sync_folder(&self.dir).map_err(file_error(&self.dir))?;
        opened.root = next;
        Ok(Some(wrapped_anew))
    }
}

/// By what a root key is known: a digest that only its holder can make.
fn fingerprint(root: &DataKey) -> Digest {
    root.keyed_digest("renkei root key", b"")
}

#[cfg(test)]
mod tests {
    use renkei_types::SeededEntropy;

    use super::super::tests::{Fixture, id};
    use super::*;

    #[test]
    fn another_root_key_opens_every_data_key_and_the_older_one_none() {
        let fixture = Fixture::new();
        let folder = fixture.open().expect("a folder");
        let keys = [1, 2, 3].map(|number| folder.create(id(number), &fixture.entropy).expect("it"));
        folder.destroy(id(3)).expect("destroyed");
        let older = fs_err::read(fixture.file("root.key")).expect("the root key");
        let decided = folder.prepare_root(&fixture.entropy).expect("prepared");
        assert_eq!(folder.prepare_root(&fixture.entropy).expect("again"), decided);
        let other = Digest::from_bytes([0; 32]);
        assert_eq!(folder.complete_root(other, &fixture.entropy).expect("not decided"), None);
        assert_eq!(folder.complete_root(decided, &fixture.entropy).expect("done"), Some(2));
        assert_eq!(folder.complete_root(decided, &fixture.entropy).expect("done before"), None);
        folder.create(id(4), &fixture.entropy).expect("a new key under it");

        for folder in [folder, fixture.open().expect("reopened")] {
            for (number, key) in [(1, &keys[0]), (2, &keys[1])] {
                assert_eq!(folder.get(id(number)).expect("it").as_bytes(), key.as_bytes());
            }
            folder.get(id(4)).expect("the newer key");
            assert!(matches!(folder.get(id(3)), Err(KeyError::Destroyed { .. })));
        }
        fs_err::remove_file(fixture.file("root.key")).expect("removed");
        write_secret(&fixture.file("root.key"), &older).expect("the older one");
        let folder = fixture.open().expect("a folder");
        assert!(matches!(folder.get(id(1)), Err(KeyError::Damaged { .. })));
    }

    /// What fails without the look at the next key before the root key.
    #[test]
    fn a_rotation_that_was_cut_short_is_completed_from_wherever_it_was() {
        for done in 0..=3 {
            let fixture = Fixture::new();
            let folder = fixture.open().expect("a folder");
            let keys = [1, 2, 3].map(|number| {
                folder.create(id(number), &fixture.entropy).expect("a key").as_bytes().to_owned()
            });
            let decided = folder.prepare_root(&fixture.entropy).expect("prepared");
            // As a process leaves it that dies after so many keys.
            let next = read_root(&folder.next_root_file()).expect("the next key");
            for number in 1..=done {
                let path = fixture.file(&format!("data/{}.key", id(number)));
                let key = &keys[usize::from(number) - 1];
                let sealed = next.seal(&SeededEntropy::new(3), &wrapping_of(id(number)), key);
                replace_secret(&path, &sealed).expect("replaced");
            }
            let folder = fixture.open().expect("reopened");
            let rest = folder.complete_root(decided, &fixture.entropy).expect("completed");
            assert_eq!(rest, Some(3 - usize::from(done)));
            let folder = fixture.open().expect("reopened");
            for (number, key) in (1..).zip(&keys) {
                assert_eq!(folder.get(id(number)).expect("it").as_bytes(), key);
            }
        }
    }
}
