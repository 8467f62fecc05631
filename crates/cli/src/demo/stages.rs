//! The stages of the tour: what was done, and how long it took.

use std::time::Duration;

use renkei_types::Clock as _;
use serde_json::{Map, Value};

use crate::environment::Environment;
use crate::json::rounded;

/// Stages with their keys in JSON and their names in both languages, in the order of the tour.
const STAGES: [(&str, &str, &str); 14] = [
    ("generate", "make data", "データの作成"),
    ("certificates", "issue certificates", "証明書の発行"),
    ("found", "found the broker", "連携サーバーの開設"),
    ("directory", "set up agreements", "取決めの登録"),
    ("register", "receive the register", "台帳の受付"),
    ("list", "receive the list", "リストの受付"),
    ("link", "link", "照合"),
    ("results", "read the results", "結果の取得"),
    ("review", "review", "職員による確認"),
    ("certify", "certify", "支給の確定"),
    ("deliver", "deliver", "配信"),
    ("transfer", "transfer file", "振込データ"),
    ("identify", "ask at the counter", "窓口での照会"),
    ("audit", "audit", "監査"),
];

/// Seconds by stage.
pub(super) struct Stages<'e> {
    environment: &'e Environment,
    start: Duration,
    last: Duration,
    seconds: Vec<(&'static str, f64)>,
}

impl<'e> Stages<'e> {
    pub(super) fn start(environment: &'e Environment) -> Self {
        let now = environment.clock.monotonic();
        Self { environment, start: now, last: now, seconds: Vec::new() }
    }

    /// What has passed since the last stage was this one; says what came of it.
    pub(super) fn done(&mut self, stage: &'static str, english: &str, japanese: &str) {
        let now = self.environment.clock.monotonic();
        let seconds = now.saturating_sub(self.last).as_secs_f64();
        self.last = now;
        self.seconds.push((stage, seconds));
        self.environment.note(
            &format!("{seconds:>6.2} s  {english}"),
            &format!("{seconds:>6.2} 秒 {japanese}"),
        );
    }

    /// Seconds since the start.
    pub(super) fn total(&self) -> f64 {
        self.environment.clock.monotonic().saturating_sub(self.start).as_secs_f64()
    }

    /// Seconds by key, and their total.
    pub(super) fn json(&self) -> Value {
        let entry = |(stage, seconds): &(&str, f64)| ((*stage).to_owned(), rounded(*seconds));
        let total = ("total".to_owned(), rounded(self.total()));
        Value::Object(self.seconds.iter().map(entry).chain([total]).collect::<Map<_, _>>())
    }

    /// Seconds by name in the user's language.
    pub(super) fn named(&self) -> Vec<(String, f64)> {
        let name = |key: &str| {
            let known = STAGES.iter().find(|(stage, _, _)| *stage == key);
            known
                .map_or(key, |(_, english, japanese)| self.environment.say(english, japanese))
                .to_owned()
        };
        self.seconds.iter().map(|(stage, seconds)| (name(stage), *seconds)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_of_the_tour_has_a_name() {
        let tour = include_str!("../demo.rs");
        let used: Vec<&str> =
            tour.split("stages.done(").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
        assert_eq!(used, STAGES.map(|(key, _, _)| key));
    }
}
