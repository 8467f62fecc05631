//! The operating system's chance: the only real one in the commands.

use renkei_types::Entropy;

use crate::failure::{CommandError, Failure};

/// Bytes from the operating system.
#[derive(Debug)]
pub(crate) struct SystemEntropy(());

impl SystemEntropy {
    /// Fails where the system has no chance to give, before anything depends on it.
    pub(crate) fn open() -> Result<Self, Failure> {
        match getrandom::fill(&mut [0; 16]) {
            Ok(()) => Ok(Self(())),
            Err(error) => Err(CommandError::Plain(error.to_string()).into()),
        }
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Unwrap safety: a source that has answered once goes on answering; see `open`.
        getrandom::fill(bytes).expect("the system's source of chance has answered before");
    }
}
