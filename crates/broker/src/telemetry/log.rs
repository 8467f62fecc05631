//! The log of the process, to stderr: one JSON object a line, or one sentence a line.

use renkei_types::{Classify, Kind, Language, Localised};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, TelemetryConfig};

/// Telemetry that cannot be set up.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TelemetryError {
    /// The level is none.
    #[error(
        "a log level is error, warn, info, debug or trace, or pairs like info,renkei_broker=debug"
    )]
    LogLevel,
    /// A process has one log.
    #[error("the log of this process is set up already")]
    LogInstalled,
    /// A process has one recorder of metrics.
    #[error("the metrics of this process are set up already")]
    MetricsInstalled,
}

impl Classify for TelemetryError {
    fn kind(&self) -> Kind {
        match self {
            Self::LogLevel => Kind::InvalidArgument,
            Self::LogInstalled | Self::MetricsInstalled => Kind::Internal,
        }
    }
}

impl Localised for TelemetryError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::LogLevel => {
                "ログレベルは error、warn、info、debug、trace のいずれかで書いてください"
            }
            Self::LogInstalled => "このプロセスのログはすでに設定されています",
            Self::MetricsInstalled => "このプロセスのメトリクスはすでに設定されています",
        }
        .to_owned()
    }
}

/// The filter of a log level such as `info` or `info,renkei_broker=debug`.
pub fn log_filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    if level.trim().is_empty() {
        return Err(TelemetryError::LogLevel);
    }
    // A bare word that is no level would count as the name of a module, and silence everything else.
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    let makes_sense = |part: &str| part.contains('=') || known.contains(&part.trim());
    if !level.split(',').all(makes_sense) {
        return Err(TelemetryError::LogLevel);
    }
    EnvFilter::builder().parse(level).map_err(|_| TelemetryError::LogLevel)
}

/// Sends the log of this process to stderr from now on.
pub fn install_log(config: &TelemetryConfig) -> Result<(), TelemetryError> {
    let filter = log_filter(&config.log_level)?;
    let stderr = BoxMakeWriter::new(std::io::stderr);
    subscriber(config.log_format, filter, stderr)
        .try_init()
        .map_err(|_| TelemetryError::LogInstalled)
}

fn subscriber(
    format: LogFormat,
    filter: EnvFilter,
    writer: BoxMakeWriter,
) -> Box<dyn tracing::Subscriber + Send + Sync> {
    // Colours would be noise in a file, and in JSON they would be escape sequences within strings.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    match format {
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
        LogFormat::Text => Box::new(builder.finish()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter = log_filter("info").expect("a level");
        let subscriber = subscriber(format, filter, BoxMakeWriter::new(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(job = "job_1", "a job began");
            tracing::debug!("not shown");
        });
        let bytes = lines.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_json_log_is_one_object_a_line_without_colours() {
        let text = logged(LogFormat::Json);
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with('{') && text.contains(r#""message":"a job began""#), "{text}");
        assert!(text.contains(r#""job":"job_1""#) && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_text_log_is_one_sentence_a_line() {
        let text = logged(LogFormat::Text);
        assert!(text.lines().count() == 1 && text.contains("a job began job=\"job_1\""), "{text}");
    }

    #[test]
    fn a_log_level_is_a_level_or_pairs() {
        for good in ["info", "off", "warn,renkei_broker=debug", "renkei_broker::transport=trace"] {
            assert!(log_filter(good).is_ok(), "{good}");
        }
        for bad in ["", "loud", "info,loud", "renkei_broker=loud"] {
            assert_eq!(log_filter(bad).err(), Some(TelemetryError::LogLevel), "{bad}");
        }
    }
}
