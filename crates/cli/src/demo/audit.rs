//! The auditor: reads the log, takes it away as a folder, and verifies it with nothing but that folder and the public key.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Component, Path};

use renkei_api::v1::{ExportBundleRequest, QueryRequest};
use renkei_tlog::{Verification, verify_folder};

use super::city::City;
use super::error::DemoError;
use crate::commands::audit_verify::read_key;
use crate::failure::{CommandError, Failure};

/// Most leaves that one query answers.
const LEAVES_MAX: u32 = 10_000;

/// What the auditor found.
pub(super) struct Audited {
    /// Leaves about the list, its job, tasks and batches.
    pub(super) leaves_about_list: usize,
    pub(super) verification: Verification,
}

/// Audits a list and the whole log.
pub(super) async fn audit(city: &City<'_>, list_id: &str) -> Result<Audited, Failure> {
    let client = city.connect("auditor-1")?;
    let mut leaves_about_list = 0;
    let call = QueryRequest {
        about: list_id.to_owned(),
        leaves_max: LEAVES_MAX,
        ..QueryRequest::default()
    };
    client
        .each(call, |_| {
            leaves_about_list += 1;
            Ok(())
        })
        .await?;
    let folder = city.folder.bundle();
    let mut begun = BTreeSet::new();
    client
        .each(ExportBundleRequest::default(), |part| {
            write(&folder, &part.path, &part.data, &mut begun)
        })
        .await?;
    let (from, to) = (city.folder.broker_vkey(), city.folder.vkey());
    fs_err::copy(&from, &to).map_err(|error| CommandError::file(&to, error))?;
    let verification = verify_folder(&folder, &read_key(&to)?)?;
    Ok(Audited { leaves_about_list, verification })
}

/// Adds bytes to a file of the bundle. Only `checkpoint` and plain names under `tile` have a place there.
fn write(
    folder: &Path,
    path: &str,
    data: &[u8],
    begun: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || (path != "checkpoint" && !path.starts_with("tile/")) {
        return Err(DemoError::Answer { what: "a file outside checkpoint and tile/" }.into());
    }
    let place = folder.join(path);
    let failed = |error| CommandError::file(&place, error);
    if let Some(parent) = place.parent() {
        fs_err::create_dir_all(parent).map_err(failed)?;
    }
    let mut options = fs_err::OpenOptions::new();
    let first = begun.insert(path.to_owned());
    options.create(true).write(true).append(!first).truncate(first);
    let mut file = options.open(&place).map_err(failed)?;
    Ok(file.write_all(data).map_err(failed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_written_piece_by_piece_and_never_outside_its_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut begun = BTreeSet::new();
        let mut add = |path: &str, data: &[u8]| write(dir.path(), path, data, &mut begun).is_ok();
        assert!(add("tile/0/000", b"ab") && add("tile/0/000", b"cd") && add("checkpoint", b"n"));
        for path in ["tile/../../x", "/tile/0", "log.vkey", "checkpoint/../x", ""] {
            assert!(!add(path, b"x"), "{path}");
        }
        assert_eq!(fs_err::read(dir.path().join("tile/0/000")).expect("read"), b"abcd");
    }
}
