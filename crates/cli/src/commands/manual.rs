//! Completions and the manual page.

use std::io::{Write, stdout};

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::failure::{CommandError, Exit, Failure};

pub(super) fn io(error: std::io::Error) -> Failure {
    CommandError::System(error).into()
}

/// Prints completions for a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "renkei", &mut script);
    stdout().write_all(&script).map_err(io)?;
    Ok(Exit::Done)
}

/// Prints the manual pages of the program and its commands in troff.
pub(crate) fn man() -> Result<Exit, Failure> {
    let command = Arguments::command();
    let mut out = stdout().lock();
    clap_mangen::Man::new(command.clone()).render(&mut out).map_err(io)?;
    for command in command.get_subcommands() {
        clap_mangen::Man::new(command.clone()).render(&mut out).map_err(io)?;
    }
    Ok(Exit::Done)
}
