//! Control totals: lines and yen of a file, counted on this side before it is sealed.
//!
//! The broker counts too and refuses the seal if anything differs. Totals that come from the system which made the file
//! (`--lines`, `--yen`) say more than totals counted here, because they also reveal what was lost before the file arrived.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use renkei_api::v1::{FileShape, Totals};
use renkei_tables::encoding::Encoding;
use renkei_tables::{Admission, ReadOptions, Schema, Side, TableReader};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::progress::{Progress, WatchedFile};
use crate::table_input::{read_layout, read_text};

/// What kind of file it is.
#[derive(Args, Clone, Debug)]
pub(crate) struct ShapeArguments {
    /// Encoding of the file
    #[arg(long, value_enum, default_value_t = EncodingArgument::Auto)]
    encoding: EncodingArgument,

    /// Layout of a fixed-length file (TOML)
    #[arg(long, value_name = "FILE")]
    layout: Option<PathBuf>,
}

/// An encoding on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum EncodingArgument {
    /// Told from the bytes
    Auto,
    /// UTF-8
    #[value(name = "utf-8")]
    Utf8,
    /// CP932 (Shift_JIS)
    Cp932,
}

impl ShapeArguments {
    /// As the contract has it.
    pub(super) fn shape(&self) -> Result<FileShape, Failure> {
        let encoding = match self.encoding {
            EncodingArgument::Auto => "auto",
            EncodingArgument::Utf8 => "utf-8",
            EncodingArgument::Cp932 => "cp932",
        };
        let layout = match &self.layout {
            // A layout that is wrong is told before anything is sent.
            Some(path) => {
                read_layout(path)?;
                read_text(path)?
            }
            None => String::new(),
        };
        Ok(FileShape { encoding: encoding.to_owned(), layout })
    }

    fn options(&self) -> Result<ReadOptions, Failure> {
        let encoding = match self.encoding {
            EncodingArgument::Auto => None,
            EncodingArgument::Utf8 => Some(Encoding::Utf8),
            EncodingArgument::Cp932 => Some(Encoding::Cp932),
        };
        let layout = self.layout.as_deref().map(read_layout).transpose()?;
        Ok(ReadOptions { layout, encoding, ..ReadOptions::default() })
    }
}

/// Counts a file's lines, and the yen of a list.
pub(super) fn count(
    path: &Path,
    shape: &ShapeArguments,
    side: Side,
    environment: &Environment,
) -> Result<Totals, Failure> {
    let unreadable = |error| crate::failure::CommandError::file(path, error);
    let file = fs_err::File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let progress = Progress::bytes(environment, "counting", "集計", bytes);
    let source = WatchedFile { file: file.into_file(), bar: progress.handle() };
    let name = path.display().to_string();
    let mut reader = TableReader::from_source(Box::new(source), &name, &shape.options()?)?;
    let binding = reader.bind(&Schema::resident_payment(), side)?;
    let mut admission = Admission::of(&reader, &binding)?;
    while let Some(batch) = reader.next_batch()? {
        admission.observe(&batch)?;
    }
    let admitted = admission.finish()?;
    let unreadable = admitted.yen_unreadable();
    if side == Side::List && unreadable > 0 {
        environment.warn(
            &format!("{name}: {unreadable} amounts cannot be read; the broker will refuse to seal this list"),
            &format!("{name}: 金額の読めない行が {unreadable} 件あるため、確定は拒否されます"),
        );
    }
    let yen = if side == Side::List { admitted.yen().0 } else { 0 };
    Ok(Totals { lines: admitted.lines(), yen })
}

/// Counts the lines of a file that has the columns of no register and no list.
pub(super) fn count_lines(path: &Path, shape: &ShapeArguments) -> Result<u64, Failure> {
    let mut reader = TableReader::open(path, &shape.options()?)?;
    let mut lines = 0;
    while let Some(batch) = reader.next_batch()? {
        lines += batch.rows() as u64;
    }
    Ok(lines)
}
