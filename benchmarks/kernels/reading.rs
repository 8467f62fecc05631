//! Files into rows.
//!
//! The floor is reading the file and finding its line ends. The `csv` crate beside it splits records of bytes: it does not
//! look whether they are text, and tells nothing of encodings, damage or physical lines.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use renkei_tables::{ReadOptions, TableReader};

use crate::people::People;
use crate::{Contest, Group};

/// Files on disk for as long as they are measured; they are in the system's cache by then.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The bytes of all cells, or nothing where a file cannot be read; it was read once before it is measured.
fn read_table(path: &Path) -> Result<u64> {
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let mut bytes = 0;
    while let Some(batch) = reader.next_batch()? {
        bytes += batch.columns.iter().map(|column| column.text.len() as u64).sum::<u64>();
    }
    Ok(bytes)
}

fn read_records(path: &Path) -> Result<u64> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut record = csv::ByteRecord::new();
    let mut bytes = 0;
    while reader.read_byte_record(&mut record)? {
        bytes += record.as_slice().len() as u64;
    }
    Ok(bytes)
}

fn count_lines(path: &Path) -> Result<u64> {
    Ok(memchr::memchr_iter(b'\n', &fs_err::read(path)?).count() as u64)
}

pub(crate) fn group(people: &People) -> Result<Group<'_>> {
    let folder = Rc::new(Folder { folder: tempfile::tempdir()? });
    let mut contests = Vec::new();
    for (name, what, bytes) in [
        ("residents.csv", "register, UTF-8", &people.register),
        ("payments.csv", "list, CP932", &people.list),
    ] {
        fs_err::write(folder.path(name), bytes)?;
        read_table(&folder.path(name))?;
        let over = |read: fn(&Path) -> Result<u64>| {
            let folder = Rc::clone(&folder);
            move || read(&folder.path(name)).unwrap_or_default()
        };
        let rows = count_lines(&folder.path(name))?.max(1) as usize;
        contests.push(
            Contest::new(what, rows, over(read_table))
                .over_bytes(bytes.len())
                .beside("csv crate, bytes", over(read_records))
                .beside("reading and finding line ends", over(count_lines)),
        );
    }
    Ok(Group {
        title: "Reading CSV, for each row",
        about: "Files in the system's cache. Ours makes UTF-8 of CP932 and checks that everything is text; the others \
                take bytes as they are."
            .to_owned(),
        contests,
    })
}
