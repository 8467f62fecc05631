//! `renkei roles`: who may call what, as a table.
//!
//! The table is the one from which the broker decides. With `--markdown` it is the page docs/roles.md, which a test compares.

use clap::Args;
use renkei_broker::who_may::{CALL_RULES, CallRule, Second, role_names};
use renkei_types::{Language, Localised as _};
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Args, Debug)]
pub(crate) struct RolesArguments {
    /// Print the page docs/roles.md
    #[arg(long)]
    markdown: bool,
}

pub(crate) fn run(arguments: &RolesArguments, environment: &Environment) -> Result<Exit, Failure> {
    if environment.json {
        let calls: Vec<_> = CALL_RULES.iter().map(rule_json).collect();
        json::print(&json!({"calls": calls}));
    } else if arguments.markdown {
        print_line!("{}", page());
    } else {
        print_table(environment);
    }
    Ok(Exit::Done)
}

fn roles(rule: &CallRule) -> Vec<&'static str> {
    rule.roles.iter().map(|role| role.as_str()).collect()
}

fn operations(rule: &CallRule) -> Vec<&'static str> {
    rule.operations.iter().map(|operation| operation.as_str()).collect()
}

fn rule_json(rule: &CallRule) -> Value {
    json!({
        "call": name(rule),
        "roles": roles(rule),
        "agreement": operations(rule),
        "second_person": rule.second.map(|second| second.localised(Language::English)),
    })
}

fn name(rule: &CallRule) -> String {
    format!("{}/{}", rule.service, rule.method)
}

fn mark(rule: &CallRule, role: &str) -> &'static str {
    match (roles(rule).contains(&role), rule.second) {
        (false, _) => "",
        (true, None) => "●",
        (true, Some(_)) => "●●",
    }
}

fn second(rule: &CallRule, language: Language) -> String {
    rule.second.map(|second: Second| second.localised(language)).unwrap_or_default()
}

fn print_table(environment: &Environment) {
    let mut header = vec![environment.say("call", "呼び出し")];
    header.extend(role_names());
    header.push(environment.say("agreement", "取決め"));
    header.push(environment.say("second person", "二人目"));
    let mut table = text_table(header, &[]);
    for rule in CALL_RULES {
        let mut row = vec![name(rule)];
        row.extend(role_names().map(|role| mark(rule, role).to_owned()));
        row.push(operations(rule).join(" "));
        row.push(second(rule, environment.language));
        table.add_row(row);
    }
    print_line!("{table}");
}

/// The page, with a final newline left to whoever prints it.
fn page() -> String {
    let mut page = String::from(
        "# Who may call what (呼び出しと役割)\n\n\
         This page is printed by `renkei roles --markdown` from the table by which the broker decides \
         (`crates/broker/src/who_may.rs`); a test compares the two.\n\
         このページは、連携サーバーが判断に使う表を `renkei roles --markdown` で書き出したものです。\n\n\
         ● one of these roles is needed (いずれかの役割が必要). ●● it takes two people (二人が必要). A role is not enough: whose \
         thing it is, and under which agreement, is decided for each call (役割だけでは足りず、所管と取決めも毎回確かめます).\n\
         `Enrolment/Join` needs a one-time token and no role (登録用トークンだけが必要).\n\n",
    );
    let columns: Vec<_> = role_names().collect();
    page.push_str(&format!("| call | {} | agreement | second person |\n", columns.join(" | ")));
    page.push_str(&format!("|---|{}---|---|\n", "---|".repeat(columns.len())));
    for rule in CALL_RULES {
        let marks: Vec<_> = columns.iter().map(|role| mark(rule, role)).collect();
        let marks = marks.join(" | ");
        let both = [Language::English, Language::Japanese].map(|language| second(rule, language));
        let both = if both[0].is_empty() {
            String::new()
        } else {
            format!("{}（{}）", both[0], both[1])
        };
        let agreement = operations(rule).join(", ");
        page.push_str(&format!("| `{}` | {marks} | {agreement} | {both} |\n", name(rule)));
    }
    page.truncate(page.trim_end().len());
    page
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use renkei_api::v1::Role;

    use super::*;
    use crate::broker::short;

    #[test]
    fn the_page_in_the_documents_is_the_table_by_which_the_broker_decides() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles.md");
        let written = fs_err::read_to_string(file).expect("the page");
        assert!(
            written.trim_end() == page(),
            "write it anew: renkei roles --markdown > docs/roles.md"
        );
    }

    #[test]
    fn every_role_of_the_contract_has_a_column_and_every_call_a_role() {
        let known: Vec<String> = (1..)
            .map_while(|code| Role::try_from(code).ok())
            .map(|role| short(role.as_str_name(), "ROLE_").to_lowercase())
            .collect();
        assert_eq!(role_names().collect::<Vec<_>>(), known);
        for rule in CALL_RULES {
            assert!(!rule.roles.is_empty(), "{}", name(rule));
        }
    }
}
