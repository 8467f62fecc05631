//! `renkei audit query`: leaves that fit a question, as a table for people or as they stand.
//!
//! A question is answered a page at a time, so that nobody waits for ten years of leaves; the index of the last leaf says where
//! the next page begins.

use std::fmt;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use comfy_table::Table;
use jiff::Timestamp;
use renkei_api::v1::QueryRequest;
use renkei_tlog::leaf::{LeafResult, Operation};
use renkei_types::{AgencyId, AgreementId, DatasetId, Identity, Language, Reason, Slug};
use serde_json::{Value, json};

use super::error::BrokerError;
use super::leaf_words::{operation_told, result_told};
use super::session::{Session, plain};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Args, Debug)]
pub(crate) struct QueryArguments {
    /// Only these operations, such as REVIEW_DECISION
    #[arg(long, value_name = "CODE,...", value_delimiter = ',')]
    pub(super) operations: Vec<String>,
    /// Only these results: OK, DENIED, REJECTED, FAILED, PARTIAL
    #[arg(long, value_name = "CODE,...", value_delimiter = ',')]
    pub(super) results: Vec<String>,
    /// Only these reason codes, such as NO_AGREEMENT
    #[arg(long, value_name = "CODE,...", value_delimiter = ',')]
    codes: Vec<String>,
    /// From this time on, such as 2026-11-21T00:00:00+09:00
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<Timestamp>,
    /// Only of this system or person
    #[arg(long, value_name = "IDENTITY", visible_alias = "system")]
    actor: Option<Identity>,
    /// Only of persons with these staff ids
    #[arg(long, value_name = "STAFF-ID,...", value_delimiter = ',')]
    person: Vec<Slug>,
    /// Only of these agencies, such as 131016/benefits, whether they acted or were the other side
    #[arg(long, value_name = "AGENCY,...", value_delimiter = ',')]
    pub(super) agency: Vec<AgencyId>,
    /// Only under or about these agreements
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(super) agreement: Vec<AgreementId>,
    /// Only for these purposes of agreements
    #[arg(long, value_name = "PURPOSE,...", value_delimiter = ',')]
    pub(super) purpose: Vec<Slug>,
    /// Only of these datasets
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(super) dataset: Vec<DatasetId>,
    /// Only about one person, by every id under which the register of --dataset knows or has known them. Takes the role of `audit
    /// subject`, and shows no more than that tells
    #[arg(long, value_name = "RESIDENT_ID", requires = "dataset", conflicts_with_all = ["actor", "person", "codes", "about"], value_parser = NonEmptyStringValueParser::new())]
    pub(super) subject: Vec<String>,
    /// Only about this list, job, dataset, agreement, programme or batch, and what belongs to it
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    about: Option<String>,
    /// Only from this leaf on: the next page of an earlier answer
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    pub(super) from_leaf: u64,
    /// Most leaves to show
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) max: u32,
}

/// Most codes that are offered in place of one that there is not.
const CLOSEST: usize = 3;

/// Refuses codes that a closed list does not have, and offers the closest: what cannot occur would be found nowhere, and an
/// empty answer looks like one.
fn require_known(
    option: &'static str,
    given: &[String],
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<(), BrokerError> {
    let unknown = given.iter().find(|code| !known.clone().any(|known| known == code.as_str()));
    let Some(unknown) = unknown else { return Ok(()) };
    let wanted = unknown.to_ascii_uppercase();
    let mut closest: Vec<&'static str> = known.collect();
    closest.sort_by_key(|code| strsim::osa_distance(code, &wanted));
    closest.truncate(CLOSEST);
    Err(BrokerError::UnknownCode { option, closest })
}

impl QueryArguments {
    /// Refuses what closed lists do not have.
    pub(super) fn check(&self) -> Result<(), BrokerError> {
        let operations = Operation::ALL.iter().map(|known| known.as_str());
        require_known("operations", &self.operations, operations)?;
        let results = LeafResult::ALL.iter().map(|known| known.as_str());
        require_known("results", &self.results, results)?;
        require_known("codes", &self.codes, Reason::ALL.iter().map(|known| known.as_str()))
    }

    fn request(&self) -> QueryRequest {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        QueryRequest {
            operations: self.operations.clone(),
            results: self.results.clone(),
            codes: self.codes.clone(),
            from: time(self.from),
            until: time(self.until),
            actor: self.actor.as_ref().map(ToString::to_string).unwrap_or_default(),
            staff: texts(&self.person),
            agencies: texts(&self.agency),
            agreements: texts(&self.agreement),
            purposes: texts(&self.purpose),
            datasets: texts(&self.dataset),
            about: self.about.clone().unwrap_or_default(),
            from_leaf: self.from_leaf,
            leaves_max: self.max,
        }
    }
}

fn texts(names: &[impl ToString]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

pub(super) async fn query(
    session: &Session<'_>,
    arguments: &QueryArguments,
) -> Result<Exit, Failure> {
    let environment = session.environment;
    arguments.check()?;
    let mut leaves = session.stream(arguments.request()).await?;
    let mut table = LeafTable::new(environment);
    let (mut count, mut last) = (0, 0);
    while let Some(answer) = leaves.next().await? {
        let leaf = leaf_value(&answer.leaf);
        (count, last) = (count + 1, answer.leaf_index);
        if environment.json {
            json::print(&json!({"leaf_index": answer.leaf_index, "leaf": leaf}));
        } else {
            table.add(answer.leaf_index, &leaf);
        }
    }
    if !environment.json && count > 0 {
        print_line!("{table}");
    }
    if count == arguments.max {
        let next = last + 1;
        environment.warn(
            &format!("there may be more leaves; go on with --from-leaf {next}"),
            &format!("続きがある可能性があります。--from-leaf {next} で続きを表示します"),
        );
    }
    Ok(Exit::Done)
}

/// The leaf as JSON where it is JSON, which it should be; else as text, so that nothing is hidden.
pub(super) fn leaf_value(leaf: &[u8]) -> Value {
    serde_json::from_slice(leaf).unwrap_or_else(|_| json!(String::from_utf8_lossy(leaf)))
}

/// Leaves for people: when in Japan, what, how it ended, who, and about what.
pub(super) struct LeafTable {
    table: Table,
    language: Language,
}

impl LeafTable {
    pub(super) fn new(environment: &Environment) -> Self {
        let header = [
            environment.say("leaf", "番号"),
            environment.say("time in Japan", "日時"),
            environment.say("operation", "操作"),
            environment.say("result", "結果"),
            environment.say("who", "だれが"),
            environment.say("about", "対象"),
        ];
        Self { table: text_table(header, &[0]), language: environment.language }
    }

    pub(super) fn add(&mut self, index: u64, leaf: &Value) {
        let text = |pointer: &str| leaf.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        let joined = |pointers: &[&str]| {
            let texts =
                pointers.iter().map(|pointer| text(pointer)).filter(|text| !text.is_empty());
            plain(&texts.collect::<Vec<_>>().join(" "))
        };
        let operation = operation_told(text("/op"), self.language);
        let ended = joined(&["/code"]);
        let ended = format!("{} {ended}", result_told(text("/res"), self.language));
        let who = text("/actor/sys");
        // The domain is the same for all of a broker's clients.
        let who = who
            .strip_prefix("spiffe://")
            .and_then(|who| who.split_once('/'))
            .map_or(who, |who| who.1);
        self.table.add_row([
            index.to_string(),
            leaf["t"].as_i64().and_then(japan_time).unwrap_or_default(),
            plain(&operation),
            plain(ended.trim()),
            plain(who),
            joined(&["/job", "/ds/id", "/snap/id", "/agr/id", "/peer"]),
        ]);
    }
}

impl fmt::Display for LeafTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}

/// A leaf's time on the clocks of Japan.
fn japan_time(millis: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(millis).ok()?;
    let japan = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    Some(time.to_zoned(japan).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_shown_as_json_and_one_that_is_none_as_text() {
        assert_eq!(leaf_value(b"{\"op\":\"SEAL\"}"), json!({"op": "SEAL"}));
        assert_eq!(leaf_value(b"\xffx"), "\u{fffd}x");
    }

    #[test]
    fn a_code_that_no_list_has_is_refused_with_the_closest() {
        let reasons = Reason::ALL.iter().map(|known| known.as_str());
        let given = |codes: &[&str]| codes.iter().map(|&code| code.to_owned()).collect::<Vec<_>>();
        assert!(require_known("codes", &given(&["NO_AGREEMENT"]), reasons.clone()).is_ok());
        let refused = require_known("codes", &given(&["OK", "NO_AGREMENT"]), reasons.clone());
        assert!(refused.is_err());
        let refused = require_known("codes", &given(&["no_agrement"]), reasons);
        let text = refused.expect_err("no such code").to_string();
        assert!(text.starts_with("--codes: ") && text.contains("are NO_AGREEMENT, "), "{text}");
    }

    #[test]
    fn people_see_when_in_japan_who_and_about_what() {
        let shown = |language| {
            let header = ["", "", "", "", "", ""];
            let mut table = LeafTable { table: text_table(header, &[]), language };
            table.add(
                7,
                &json!({
                    "actor": {"sys": "spiffe://kita.example/131016/benefits/person/c-1"},
                    "code": "NO_AGREEMENT", "op": "AUTHZ_DENIED", "res": "DENIED",
                    "job": "list_1", "agr": {"id": "agreement_2"}, "t": 1_795_186_800_000_i64,
                }),
            );
            table.add(8, &json!("no leaf"));
            table.to_string()
        };
        let english = shown(Language::English);
        for text in [
            "2026-11-21 00:00:00",
            " AUTHZ_DENIED",
            "DENIED NO_AGREEMENT",
            " 131016/benefits/person/c-1",
            "list_1 agreement_2",
        ] {
            assert!(english.contains(text), "{text}: {english}");
        }
        let japanese = shown(Language::Japanese);
        for text in ["権限なし（AUTHZ_DENIED）", "拒否（DENIED） NO_AGREEMENT"] {
            assert!(japanese.contains(text), "{text}: {japanese}");
        }
    }
}
