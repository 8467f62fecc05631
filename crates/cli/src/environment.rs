//! The process around a command: language, terminal, clock.

use std::io::IsTerminal;
use std::time::Duration;

use jiff::Timestamp;
use renkei_types::{Clock, Language};

use crate::arguments::Arguments;
use crate::failure::Failure;

/// What a command needs to know of its surroundings.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) language: Language,
    pub(crate) json: bool,
    /// Whether somebody watches standard error.
    pub(crate) terminal: bool,
    pub(crate) clock: SystemClock,
    /// The client file with which a broker is called.
    pub(crate) client_file: Option<std::path::PathBuf>,
}

/// The process's locale for messages; empty where none is set.
pub(crate) fn locale() -> String {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default()
}

impl Environment {
    pub(crate) fn of_process(arguments: &Arguments) -> Self {
        let language = arguments.lang.map_or_else(|| Language::of_locale(&locale()), Into::into);
        Self {
            language,
            json: arguments.json,
            terminal: std::io::stderr().is_terminal(),
            clock: SystemClock::start(),
            client_file: arguments.client_file.clone(),
        }
    }

    /// The text of the user's language.
    pub(crate) fn say<'a>(&self, english: &'a str, japanese: &'a str) -> &'a str {
        self.language.pick(english, japanese)
    }

    /// Tells what went wrong.
    pub(crate) fn error(&self, failure: &Failure) {
        let message = failure.message(self.language);
        eprintln!("{}: {message}", self.say("error", "エラー"));
    }

    /// Tells what deserves attention.
    pub(crate) fn warn(&self, english: &str, japanese: &str) {
        eprintln!("{}: {}", self.say("warning", "注意"), self.say(english, japanese));
    }

    /// Tells what was done.
    pub(crate) fn note(&self, english: &str, japanese: &str) {
        eprintln!("{}", self.say(english, japanese));
    }
}

/// The machine's clock: the only one in the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where a real clock is read")]
    fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}
