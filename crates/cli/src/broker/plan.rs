//! `renkei agreement plan`: which agreements a kind of benefit needs.
//!
//! The table is `crates/cli/data/agreement_plans.toml`, with its sources; whoever knows better edits it. Needs no broker.

use std::sync::LazyLock;

use renkei_api::v1::Operation;
use renkei_types::{Language, LegalBasis, Localised as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::code_words::Worded as _;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::text_table::text_table;

const TABLE: &str = include_str!("../../data/agreement_plans.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    plan: Vec<Plan>,
}

/// What one kind of benefit needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    unit: String,
    english: String,
    japanese: String,
    need: Vec<Need>,
}

/// One list that changes hands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Need {
    list: String,
    english: String,
    japanese: String,
    provider: String,
    consumer: String,
    through: Through,
    #[serde(default)]
    operations: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
    bases: Vec<LegalBasis>,
    #[serde(default)]
    english_note: String,
    #[serde(default)]
    japanese_note: String,
    sources: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Through {
    /// This broker carries it under an agreement.
    Broker,
    /// It goes another way.
    Beside,
}

// Unwrap safety: the table is compiled in, and a test reads it.
static PLANS: LazyLock<Vec<Plan>> =
    LazyLock::new(|| toml::from_str::<Table>(TABLE).expect("the table of plans is TOML").plan);

/// Prints a plan; without a name, the names.
pub(super) fn run(programme: Option<&str>, environment: &Environment) -> Result<Exit, Failure> {
    let Some(name) = programme else { return Ok(names(environment)) };
    let plan = PLANS.iter().find(|plan| plan.name == name).ok_or_else(|| {
        CommandError::Plain(environment.language.pick(
            format!("no plan is called {name}; `renkei agreement plan` lists them"),
            format!("{name} という計画はありません。`renkei agreement plan` で一覧を見られます"),
        ))
    })?;
    if environment.json {
        json::print(&plan_json(plan));
        return Ok(Exit::Done);
    }
    let language = environment.language;
    let header = vec![
        environment.say("list", "リスト"),
        environment.say("what", "内容"),
        environment.say("from → to", "提供元 → 提供先"),
        environment.say("through", "経路"),
        environment.say("operations", "操作"),
        environment.say("legal bases", "根拠"),
    ];
    let mut table = text_table(header, &[]);
    for need in &plan.need {
        let bases: Vec<&str> = need.bases.iter().map(|basis| basis.as_str()).collect();
        table.add_row(vec![
            need.list.clone(),
            language.pick(&need.english, &need.japanese).clone(),
            format!("{} → {}", need.provider, need.consumer),
            through(need.through, language).to_owned(),
            operations(&need.operations, language),
            bases.join(", "),
        ]);
    }
    print_line!("{}\n\n{table}", language.pick(&plan.english, &plan.japanese));
    for need in plan.need.iter().filter(|need| !need.fields.is_empty()) {
        print_line!("\n{} --fields {}", need.list, need.fields.join(","));
    }
    for need in &plan.need {
        let note = language.pick(&need.english_note, &need.japanese_note);
        if !note.is_empty() {
            print_line!("\n{}: {note}", need.list);
        }
    }
    environment.note(
        "the bases are a suggestion for your lawyers; `renkei agreement bases` says what the codes mean",
        "根拠は検討の出発点です。法務担当が確認してください。コードの意味は `renkei agreement bases` で見られます",
    );
    Ok(Exit::Done)
}

/// Prints the closed list of legal bases.
pub(super) fn bases(environment: &Environment) -> Exit {
    if environment.json {
        let bases = LegalBasis::ALL.iter().map(|basis| {
            json!({
                "code": basis.as_str(),
                "english": basis.localised(Language::English),
                "japanese": basis.localised(Language::Japanese),
                "within_municipality": basis.is_within_municipality(),
            })
        });
        json::print(&json!({"bases": bases.collect::<Vec<_>>()}));
        return Exit::Done;
    }
    let header = vec![environment.say("code", "コード"), environment.say("law", "法令")];
    let mut table = text_table(header, &[]);
    for basis in LegalBasis::ALL {
        table.add_row(vec![basis.as_str().to_owned(), basis.localised(environment.language)]);
    }
    print_line!("{table}");
    Exit::Done
}

fn names(environment: &Environment) -> Exit {
    if environment.json {
        let plans: Vec<Value> = PLANS.iter().map(plan_json).collect();
        json::print(&json!({"plans": plans}));
        return Exit::Done;
    }
    let header = vec![environment.say("plan", "計画"), environment.say("benefit", "給付")];
    let mut table = text_table(header, &[]);
    for plan in PLANS.iter() {
        let words = environment.language.pick(&plan.english, &plan.japanese);
        table.add_row(vec![plan.name.clone(), words.clone()]);
    }
    print_line!("{table}");
    Exit::Done
}

/// Operations as they are typed, with their words.
fn operations(names: &[String], language: Language) -> String {
    let japanese = |name: &String| {
        let known = Operation::from_str_name(&format!("OPERATION_{}", name.to_uppercase()));
        format!("{}（{name}）", known.unwrap_or_default().word())
    };
    match language {
        Language::English => names.join(","),
        Language::Japanese => names.iter().map(japanese).collect::<Vec<_>>().join("、"),
    }
}

fn through(through: Through, language: Language) -> &'static str {
    match through {
        Through::Broker => language.pick("broker", "本システム"),
        Through::Beside => language.pick("beside", "別の経路"),
    }
}

fn plan_json(plan: &Plan) -> Value {
    let need = |need: &Need| {
        json!({
            "list": need.list,
            "english": need.english,
            "japanese": need.japanese,
            "provider": need.provider,
            "consumer": need.consumer,
            "through": through(need.through, Language::English),
            "operations": need.operations,
            "fields": need.fields,
            "legal_bases": need.bases,
            "note": {"english": need.english_note, "japanese": need.japanese_note},
            "sources": need.sources,
        })
    };
    json!({
        "plan": plan.name,
        "unit": plan.unit,
        "english": plan.english,
        "japanese": plan.japanese,
        "needs": plan.need.iter().map(need).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plan_wants_of_this_broker_is_something_that_it_can_be_asked_for() {
        assert!(PLANS.len() >= 3);
        for plan in PLANS.iter() {
            assert!(["person", "household"].contains(&plan.unit.as_str()), "{}", plan.name);
            for need in &plan.need {
                let place = format!("{} {}", plan.name, need.list);
                assert!(!need.bases.is_empty() && !need.sources.is_empty(), "{place}");
                let carried = need.through == Through::Broker;
                assert_eq!(carried, !need.operations.is_empty(), "{place}");
                assert_eq!(carried, !need.fields.is_empty(), "{place}");
                for operation in &need.operations {
                    let name = format!("OPERATION_{}", operation.to_uppercase());
                    assert!(renkei_api::v1::Operation::from_str_name(&name).is_some(), "{place}");
                }
                for field in &need.fields {
                    let header = std::slice::from_ref(field);
                    let known = renkei_tables::built_in_column(header, field);
                    assert!(known.is_some(), "{place}: {field}");
                }
            }
        }
    }
}
