//! The one binary: everything is in `renkei-cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    renkei_cli::main()
}
