//! A programme as it is shown: to people, and as JSON.

use renkei_api::v1::amount_rule::Rule;
use renkei_api::v1::{ChangeLimits, ListStop, PayeeStop, Programme, Stop, Unusual};
use renkei_types::Yen;
use serde_json::{Value, json};

use super::code_words::told;
use super::names::short;
use super::session::plain;
use crate::environment::Environment;

/// What was unusual about a list, in words.
fn unusual_text<'t>(found: Unusual, environment: &Environment) -> &'t str {
    let (english, japanese) = match found {
        Unusual::PayeesVanished => ("many lines are gone", "消えた行が多い"),
        Unusual::TotalMoved => ("the sum moved much", "合計が大きく変わった"),
        Unusual::LineIsTotal => {
            ("one line is as much as a whole list", "1行の金額がリスト全体に等しい")
        }
        Unusual::OneAccount => {
            ("most lines pay into one account", "過半の行が同じ口座に振り込まれる")
        }
        Unusual::Unspecified => ("?", "?"),
    };
    environment.language.pick(english, japanese)
}

/// The same of codes as a seal answers them; one that is not known stays as it is.
pub(super) fn unusual_codes_told(codes: &[String], environment: &Environment) -> String {
    let told = |code: &String| match Unusual::from_str_name(&format!("UNUSUAL_{code}")) {
        Some(found) => format!("{code}: {}", unusual_text(found, environment)),
        None => plain(code),
    };
    codes.iter().map(told).collect::<Vec<_>>().join(environment.say("; ", "、"))
}

/// A hold in words.
fn stop_text(stop: &Stop, environment: &Environment) -> String {
    let reasons: Vec<&str> = stop.unusual().map(|found| unusual_text(found, environment)).collect();
    let by = match stop.placed_by.as_str() {
        "" => environment.say("the broker", "連携サーバー").to_owned(),
        by => plain(by),
    };
    let mut text = format!("{} ({by})", environment.say("stopped", "停止中"));
    if !reasons.is_empty() {
        text = format!("{text}: {}", reasons.join(environment.say(", ", "、")));
    }
    if !stop.lifted_by.is_empty() {
        let first = plain(&stop.lifted_by);
        let signed = environment.say("lifting signed by", "解除の一人目");
        text = format!("{text}; {signed} {first}");
    }
    text
}

fn unit_name(programme: &Programme) -> &'static str {
    short(programme.unit().as_str_name(), "PAYEE_UNIT_")
}

pub(super) fn show(programme: &Programme, environment: &Environment) {
    let hold = match &programme.stop {
        Some(stop) => stop_text(stop, environment),
        None => environment.say("released when certified", "確定後に支払").to_owned(),
    };
    let amount = match programme.amount.as_ref().and_then(|amount| amount.rule.as_ref()) {
        None => environment.say("any", "定めなし").to_owned(),
        Some(Rule::FixedYen(yen)) => Yen(*yen).to_string(),
        Some(Rule::Each(each)) => {
            format!("{} × 1–{}", Yen(each.yen), each.most)
        }
    };
    // Who is named again is not one more.
    let added = programme.exclusions.iter().map(|one| one.payees.saturating_sub(one.known_before));
    let excluded: u64 = added.sum();
    let readmitted = programme.readmissions.iter().filter(|one| !one.second.is_empty());
    let readmitted: u64 = readmitted.map(|one| one.payees).sum();
    let rows = [
        (environment.say("programme", "給付事業"), plain(&programme.programme_id)),
        (environment.say("agency", "実施機関"), plain(&programme.agency)),
        (environment.say("name", "略称"), plain(&programme.name)),
        (environment.say("title", "名称"), plain(&programme.title)),
        (environment.say("base date", "基準日"), plain(&programme.base_date)),
        (environment.say("unit", "支給単位"), told(&programme.unit(), environment.language)),
        (
            environment.say("yen at most", "一件の上限（円）"),
            Yen(programme.line_yen_max).to_string(),
        ),
        (environment.say("yen of a line", "一件の金額（円）"), amount),
        (environment.say("may decline until", "辞退の期限"), plain(&programme.decline_until)),
        (environment.say("ids excluded", "除外した番号"), excluded.to_string()),
        (environment.say("of these readmitted", "うち除外取消"), readmitted.to_string()),
        (environment.say("transfer date", "振込日"), plain(&programme.transfer_date)),
        (environment.say("dataset", "データセット"), plain(&programme.dataset_id)),
        (environment.say("releases", "支払"), hold),
        (environment.say("lists", "リスト"), plain(&programme.list_ids.join(" "))),
    ];
    for (name, value) in rows {
        print_line!("{name}: {value}");
    }
    for ListStop { list_id, stop } in &programme.list_stops {
        let (name, list_id) = (environment.say("list on hold", "停止中のリスト"), plain(list_id));
        let hold = stop.as_ref().map_or_else(String::new, |stop| stop_text(stop, environment));
        print_line!("{name}: {list_id}: {hold}");
    }
    // Whom they stop the broker does not know; how many and who placed them is what lifts them again.
    for PayeeStop { stop, batch_ids } in &programme.payee_stops {
        let name = environment.say("a payee on hold", "停止中の支給先（一件）");
        let hold = stop.as_ref().map_or_else(String::new, |stop| stop_text(stop, environment));
        let waiting = environment.say("batches waiting", "待っている確定対象");
        print_line!("{name}: {hold}; {waiting} {}", batch_ids.len());
    }
}

pub(super) fn stop_json(stop: &Stop) -> Value {
    let who = |who: &String| if who.is_empty() { Value::Null } else { json!(who) };
    let unusual = stop.unusual().map(|found| short(found.as_str_name(), "UNUSUAL_"));
    json!({
        "placed_by": who(&stop.placed_by),
        "unusual": unusual.collect::<Vec<_>>(),
        "lifted_by": who(&stop.lifted_by),
    })
}

pub(super) fn programme_json(programme: &Programme) -> Value {
    let consignor = programme.consignor.as_ref().map(|consignor| {
        json!({
            "code": consignor.code,
            "name_kana": consignor.name_kana,
            "bank_code": consignor.bank_code,
            "branch_code": consignor.branch_code,
            "account_type": consignor.account_type,
            "account_number": consignor.account_number,
        })
    });
    json!({
        "programme_id": programme.programme_id,
        "agency": programme.agency,
        "name": programme.name,
        "title": programme.title,
        "base_date": programme.base_date,
        "unit": unit_name(programme),
        "line_yen_max": programme.line_yen_max,
        "transfer_date": programme.transfer_date,
        "consignor": consignor,
        "dataset_id": programme.dataset_id,
        "amount": programme.amount.as_ref().and_then(|amount| amount.rule.as_ref()).map(|rule| {
            match rule {
                Rule::FixedYen(yen) => json!({"fixed": yen}),
                Rule::Each(each) => json!({"each": each.yen, "at_most": each.most}),
            }
        }),
        "decline_until": Some(&programme.decline_until).filter(|day| !day.is_empty()),
        "change_limits": programme.change_limits.map(|limits| {
            let ChangeLimits { vanished_percent, total_percent } = limits;
            json!({"vanished_percent": vanished_percent, "total_percent": total_percent})
        }),
        "readmissions": programme
            .readmissions
            .iter()
            .map(|one| json!({"payees": one.payees, "first": one.first, "second": one.second}))
            .collect::<Vec<_>>(),
        "exclusions": programme
            .exclusions
            .iter()
            .map(|exclusion| {
                let reason = short(exclusion.reason().as_str_name(), "EXCLUSION_REASON_");
                json!({"reason": reason, "payees": exclusion.payees, "known_before": exclusion.known_before})
            })
            .collect::<Vec<_>>(),
        "stop": programme.stop.as_ref().map(stop_json),
        "list_stops": programme
            .list_stops
            .iter()
            .map(|one| json!({"list_id": one.list_id, "stop": one.stop.as_ref().map(stop_json)}))
            .collect::<Vec<_>>(),
        "payee_stops": programme
            .payee_stops
            .iter()
            .map(|one| json!({"batch_ids": one.batch_ids, "stop": one.stop.as_ref().map(stop_json)}))
            .collect::<Vec<_>>(),
        "on_hold": programme.on_hold,
        "list_ids": programme.list_ids,
    })
}
