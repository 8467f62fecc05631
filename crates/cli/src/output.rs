//! Standard output, whose reader may leave at any time.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stdout};

/// Prints one line. When the reader has left (`| head`), nobody is there to be told: the program ends quietly.
pub(crate) fn print_line(line: Arguments<'_>) {
    let mut out = stdout().lock();
    if let Err(error) = writeln!(out, "{line}") {
        if error.kind() != ErrorKind::BrokenPipe {
            eprintln!("{error}");
        }
        std::process::exit(if error.kind() == ErrorKind::BrokenPipe { 0 } else { 75 });
    }
}

/// Like `println!`, for a reader who may leave.
macro_rules! print_line {
    ($($part:tt)*) => { crate::output::print_line(format_args!($($part)*)) };
}
