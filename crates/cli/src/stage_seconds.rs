//! How long each stage of a command took.

use std::time::Duration;

use renkei_linkage::{IndexTimes, StageTimes};
use renkei_types::Clock;
use serde_json::Value;

use crate::environment::Environment;
use crate::json::rounded;

/// Seconds of each stage, in the order in which they ran.
pub(crate) struct StageSeconds<'a> {
    environment: &'a Environment,
    start: Duration,
    last: Duration,
    seconds: Vec<(&'static str, f64)>,
}

impl<'a> StageSeconds<'a> {
    pub(crate) fn start(environment: &'a Environment) -> Self {
        let now = environment.clock.monotonic();
        Self { environment, start: now, last: now, seconds: Vec::new() }
    }

    /// What has passed since the last mark was this stage.
    pub(crate) fn mark(&mut self, stage: &'static str) {
        let now = self.environment.clock.monotonic();
        self.seconds.push((stage, now.saturating_sub(self.last).as_secs_f64()));
        self.last = now;
    }

    /// The register was normalised and indexed while the files were read, and what the list asks for was indexed while that was
    /// normalised.
    pub(crate) fn index(&mut self, register: IndexTimes, list: IndexTimes) {
        for (stage, seconds) in &mut self.seconds {
            match *stage {
                "read" => *seconds -= (register.normalise + register.index).as_secs_f64(),
                "normalise" => {
                    *seconds += register.normalise.as_secs_f64() - list.index.as_secs_f64();
                }
                _ => {}
            }
        }
        self.seconds.push(("index", (register.index + list.index).as_secs_f64()));
    }

    /// What the engine has measured of itself.
    pub(crate) fn stages(&mut self, times: &StageTimes) {
        let stages = [("train", times.train), ("compare", times.compare), ("assign", times.assign)];
        self.seconds.extend(stages.map(|(stage, time)| (stage, time.as_secs_f64())));
        self.last = self.environment.clock.monotonic();
    }

    fn total(&self) -> f64 {
        self.environment.clock.monotonic().saturating_sub(self.start).as_secs_f64()
    }

    pub(crate) fn json(&self) -> Value {
        let entry = |(stage, seconds): &(&str, f64)| ((*stage).to_owned(), rounded(*seconds));
        let total = ("total".to_owned(), rounded(self.total()));
        Value::Object(self.seconds.iter().map(entry).chain([total]).collect())
    }

    /// The stages by their names for people.
    pub(crate) fn named(&self, environment: &Environment) -> Vec<(String, f64)> {
        let name = |stage: &str| {
            match stage {
                "read" => environment.say("read", "読み込み"),
                "normalise" => environment.say("normalise", "正規化"),
                "index" => environment.say("index", "索引作成"),
                "train" => environment.say("train", "学習"),
                "compare" => environment.say("compare", "照合"),
                "assign" => environment.say("assign", "割当"),
                _ => environment.say("write", "書き出し"),
            }
            .to_owned()
        };
        self.seconds.iter().map(|(stage, seconds)| (name(stage), *seconds)).collect()
    }
}
