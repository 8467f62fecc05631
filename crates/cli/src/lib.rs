//! The commands of operators, clerks and auditors: parse arguments, open files, call the crates that know, say what
//! happened.
//!
//! Data goes to standard output, words and progress to standard error. This crate is the edge: the only place with a
//! real clock, a terminal and a process to measure.

#[macro_use]
mod output;

mod arguments;
mod blocking_report;
mod broker;
mod commands;
mod demo;
mod environment;
mod explained;
mod failure;
mod handover;
mod json;
mod log_report;
mod progress;
#[cfg(test)]
mod reasons_page;
mod report;
mod resources;
mod shadow;
mod stage_seconds;
mod table_input;
mod text_table;
mod usage;
mod words;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use environment::Environment;
use failure::{Exit, Failure};
use renkei_types::Language;

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return unusable(&error),
    };
    let environment = Environment::of_process(&arguments);
    let exit = match run(arguments.command, &environment) {
        Ok(exit) => exit,
        Err(failure) => {
            environment.error(&failure);
            failure.exit()
        }
    };
    ExitCode::from(exit.code())
}

/// Help that was asked for, or what is wrong with the command line.
fn unusable(error: &clap::Error) -> ExitCode {
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let japanese = match usage::language(&words, &environment::locale()) {
        Language::Japanese => usage::in_japanese(error),
        Language::English => None,
    };
    match japanese {
        Some(message) => {
            eprintln!("{message}");
            ExitCode::from(Exit::Unusable.code())
        }
        None => error.exit(),
    }
}

fn run(command: Command, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        Command::Link(arguments) => commands::link::run(&arguments, environment),
        Command::Dedupe(arguments) => commands::dedupe::run(&arguments, environment),
        Command::Explain(arguments) => commands::explain::run(&arguments, environment),
        Command::Evaluate(arguments) => commands::evaluate::run(&arguments, environment),
        Command::Compare(arguments) => commands::compare::run(&arguments, environment),
        Command::Generate(arguments) => commands::generate::run(&arguments, environment),
        Command::Check(arguments) => commands::check::run(&arguments, environment),
        Command::Demo(arguments) => demo::run(&arguments, environment),
        Command::Serve(arguments) => commands::serve::run(&arguments, environment),
        Command::CheckConfig(arguments) => commands::check_config::run(&arguments, environment),
        Command::Pki { command } => commands::pki::run(&command, environment),
        Command::Selfcheck(arguments) => commands::selfcheck::run(&arguments, environment),
        Command::Roles(arguments) => commands::roles::run(&arguments, environment),
        Command::Broker(command) => broker::run(&command, environment),
        Command::Completions { shell } => commands::manual::completions(shell),
        Command::Man => commands::manual::man(),
    }
}
