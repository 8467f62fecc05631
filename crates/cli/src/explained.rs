//! A pair laid open, as people and programs are shown it.
//!
//! `explain` on two files and `job explain` at a broker come here with the same plain numbers, so that both print one table
//! and one JSON object. A resident or a line is named by its id; values stand here only where the files are at hand.

mod words;

use renkei_linkage::{
    Explanation, MatchWeight, Miss, MissedRule, Obstacle, RuleSearch, Search, Thresholds,
};
use renkei_types::{Language, Localised as _};
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::text_table::text_table;
use crate::words as engine;

/// Rules that are listed for people; JSON has all.
const RULES_MAX: usize = 30;

/// A pair and what is said of it.
#[derive(Debug)]
pub(crate) struct ExplainedPair {
    pub(crate) list_id: String,
    pub(crate) register_id: String,
    pub(crate) explanation: Explanation,
    pub(crate) thresholds: Thresholds,
    /// Nothing stands against a pair that is linked.
    pub(crate) against: Vec<Obstacle<String>>,
}

/// With nine decimals.
fn probability(weight: MatchWeight) -> String {
    format!("{:.9}", weight.probability())
}

impl ExplainedPair {
    /// The keys of a pair; the caller may add its own.
    pub(crate) fn json(&self, language: Language) -> Value {
        let mut pair = explanation_json(&self.explanation);
        if let Some(pair) = pair.as_object_mut() {
            let obstacles = self.against.iter().map(obstacle_json).collect();
            let sentence = why_not_sentence(&self.against, language);
            pair.insert("register_id".to_owned(), json!(self.register_id));
            pair.insert("why_not".to_owned(), json!(sentence));
            pair.insert("obstacles".to_owned(), Value::Array(obstacles));
        }
        pair
    }

    pub(crate) fn print(&self, environment: &Environment) {
        print_waterfall(&self.explanation, self.thresholds, environment);
        print_line!("{}", why_not_sentence(&self.against, environment.language));
        print_obstacles(&self.against, environment);
        print_rules(&self.explanation, environment);
    }
}

/// The terms of a weight.
pub(crate) fn explanation_json(explanation: &Explanation) -> Value {
    let term = |term: &renkei_linkage::Term| {
        json!({
            "comparison": term.comparison,
            "view": term.view.as_str(),
            "level": term.level,
            "m": term.m,
            "u": term.u,
            "weight": term.weight.bits(),
            "frequency": term.frequency.bits(),
        })
    };
    json!({
        "prior": explanation.prior.bits(),
        "terms": explanation.terms.iter().map(term).collect::<Vec<_>>(),
        "relatives": explanation.relatives.bits(),
        "rivals": explanation.rivals.bits(),
        "lookalike": explanation.lookalike.map(renkei_linkage::Lookalike::as_str),
        "match_weight": explanation.weight.bits(),
        "probability": explanation.weight.probability(),
        "blocking_rules": explanation.rules,
    })
}

/// What stands against a link, in one sentence.
pub(crate) fn why_not_sentence(obstacles: &[Obstacle<String>], language: Language) -> String {
    if obstacles.is_empty() {
        return language
            .pick("linked: nothing stands against it", "リンク済み（妨げるものなし）")
            .to_owned();
    }
    let parts = obstacles.iter().map(|obstacle| sentence(obstacle, language));
    let parts = parts.collect::<Vec<_>>().join(language.pick("; ", "。"));
    language.pick(format!("not linked: {parts}"), format!("リンクなし: {parts}"))
}

/// What needs more than the sentence: which rules missed.
pub(crate) fn print_obstacles(obstacles: &[Obstacle<String>], environment: &Environment) {
    for obstacle in obstacles {
        if let Obstacle::NotCompared(rules) = obstacle {
            print_missed(rules, environment);
        }
    }
}

/// The rules that brought a pair together.
pub(crate) fn print_rules(explanation: &Explanation, environment: &Environment) {
    if !explanation.rules.is_empty() {
        print_line!("{}:", environment.say("found by", "候補にした規則"));
        for rule in &explanation.rules {
            print_line!("     {}", engine::rule(environment.language, rule));
        }
    }
}

/// The terms of a weight as a table, to the sum.
pub(crate) fn print_waterfall(
    explanation: &Explanation,
    thresholds: Thresholds,
    environment: &Environment,
) {
    let language = environment.language;
    let header = vec![
        environment.say("term", "項"),
        environment.say("compared", "比較したもの"),
        environment.say("level", "段階"),
        "m",
        "u",
        environment.say("bits", "ビット"),
        environment.say("sum", "累計"),
        "",
    ];
    let mut table = text_table(header, &[3, 4, 5, 6]);
    let mut sum = MatchWeight::ZERO;
    let mut add = |name: [&str; 3], chances: Option<(f64, f64)>, weight: MatchWeight| {
        let before = sum;
        sum += weight;
        let chance =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2e}"));
        let [name, view, level] = name.map(str::to_owned);
        table.add_row(vec![
            name,
            view,
            level,
            chance(chances.map(|chances| chances.0)),
            chance(chances.map(|chances| chances.1)),
            weight.to_string(),
            sum.to_string(),
            bar(before, sum),
        ]);
    };
    let prior = environment.say("before any evidence", "事前");
    add([prior, "", ""], None, explanation.prior);
    for term in &explanation.terms {
        let name = engine::comparison(language, &term.comparison);
        let level = engine::level(language, &term.level);
        let view = words::view(language, term.view);
        add([&name, view, &level], Some((term.m, term.u)), term.weight);
        if term.frequency != MatchWeight::ZERO {
            let frequency = environment.say("  frequency of the value", "  値の頻度");
            add(["", "", frequency], None, term.frequency);
        }
    }
    if explanation.relatives != MatchWeight::ZERO {
        let name = environment.say("relatives and namesakes", "家族・同姓同名");
        let who = explanation.lookalike.map_or("", |who| words::lookalike(language, who));
        add([name, "", who], None, explanation.relatives);
    }
    if explanation.rivals != MatchWeight::ZERO {
        add([environment.say("rivals", "他の候補"), "", ""], None, explanation.rivals);
    }
    print_line!("{table}");
    print_line!(
        "{} {} ({} {}), {} {}, {} {}\n",
        environment.say("match weight", "一致度"),
        explanation.weight,
        environment.say("probability", "確率"),
        probability(explanation.weight),
        environment.say("link at", "リンクしきい値"),
        thresholds.link,
        environment.say("review at", "確認しきい値"),
        thresholds.review,
    );
}

/// An obstacle by its code.
pub(crate) fn obstacle_json(obstacle: &Obstacle<String>) -> Value {
    match obstacle {
        Obstacle::NotCompared(rules) => {
            let rules = rules.iter().map(missed_json);
            json!({"code": "NOT_COMPARED", "rules": rules.collect::<Vec<_>>()})
        }
        Obstacle::Rival { resident: id, by, evidence_by } => json!({
            "code": "RIVAL", "register_id": id, "by": by.bits(),
            "evidence_by": evidence_by.bits(),
        }),
        Obstacle::Short { of_link, of_review } => json!({
            "code": "SHORT", "of_link": of_link.bits(),
            "of_review": of_review.map(MatchWeight::bits),
        }),
        Obstacle::Rivals { take, short } => {
            json!({"code": "RIVALS", "take": take.bits(), "short": short.bits()})
        }
        Obstacle::SmallMargin { resident: id, margin, short } => json!({
            "code": "SMALL_MARGIN", "register_id": id, "margin": margin.bits(),
            "short": short.bits(),
        }),
        Obstacle::HeldByLine { line: id } => json!({"code": "HELD_BY_LINE", "list_id": id}),
        Obstacle::Other(reason) => json!({"code": reason.as_str()}),
    }
}

fn sentence(obstacle: &Obstacle<String>, language: Language) -> String {
    let (english, japanese) = match obstacle {
        Obstacle::NotCompared(_) => {
            ("the two were never compared".to_owned(), "候補として比較されていません".to_owned())
        }
        Obstacle::Rival { resident: id, by, evidence_by } if *by == MatchWeight::ZERO => {
            if *evidence_by == MatchWeight::ZERO {
                (format!("{id} fits exactly as well"), format!("{id} が全く同程度に一致"))
            } else {
                (
                    format!("{id} weighs the same and has {evidence_by} bits more evidence"),
                    format!("{id} は同じ一致度で、根拠が {evidence_by} ビット多い"),
                )
            }
        }
        Obstacle::Rival { resident: id, by, .. } => {
            (format!("{id} fits better by {by} bits"), format!("{id} の方が {by} ビット良く一致"))
        }
        Obstacle::Short { of_link, of_review: None } => (
            format!("{of_link} bits short of the link threshold"),
            format!("リンクしきい値に {of_link} ビット不足"),
        ),
        Obstacle::Short { of_link, of_review: Some(of_review) } => (
            format!(
                "{of_link} bits short of the link threshold and {of_review} of the review threshold"
            ),
            format!("リンクしきい値に {of_link} ビット、確認しきい値に {of_review} ビット不足"),
        ),
        Obstacle::Rivals { take, short } => (
            format!(
                "other candidates take {take} bits, which leaves it {short} short of the link threshold"
            ),
            format!("他の候補の分 {take} ビットを引くと、リンクしきい値に {short} ビット不足"),
        ),
        Obstacle::SmallMargin { resident: id, margin, short } => (
            format!("{id} is too close: the margin is {margin} bits, {short} too few"),
            format!("{id} との差が {margin} ビットで、{short} ビット不足"),
        ),
        Obstacle::HeldByLine { line: id } => {
            (format!("line {id} holds the resident"), format!("{id} の行がこの住民にリンク済み"))
        }
        Obstacle::Other(reason) => {
            (reason.localised(Language::English), reason.localised(Language::Japanese))
        }
    };
    language.pick(english, japanese)
}

fn missed_json(missed: &MissedRule) -> Value {
    let (code, parts, sizes) = match &missed.miss {
        Miss::LineHasNone(parts) => ("LINE_HAS_NONE", parts.as_slice(), None),
        Miss::ResidentHasNone(parts) => ("RESIDENT_HAS_NONE", parts.as_slice(), None),
        Miss::ValuesDiffer(parts) => ("VALUES_DIFFER", parts.as_slice(), None),
        Miss::BlockTooLarge { residents, most } => {
            ("BLOCK_TOO_LARGE", &[][..], Some((residents, most)))
        }
        Miss::NotAsked => ("NOT_ASKED", &[][..], None),
    };
    let mut object = json!({"rule": missed.rule, "why": code, "parts": parts});
    if let (Some((residents, most)), Some(object)) = (sizes, object.as_object_mut()) {
        object.insert("residents".to_owned(), json!(residents));
        object.insert("most".to_owned(), json!(most));
    }
    object
}

fn print_missed(rules: &[MissedRule], environment: &Environment) {
    let header = vec![
        environment.say("blocking rule", "ブロッキング規則"),
        environment.say("why it missed", "候補にならなかった理由"),
    ];
    let mut table = text_table(header, &[]);
    for missed in rules.iter().take(RULES_MAX) {
        table.add_row(vec![
            engine::rule(environment.language, &missed.rule),
            words::miss(environment.language, &missed.miss),
        ]);
    }
    print_line!("{table}");
    print_more(rules.len(), environment);
}

/// Whom each rule finds for a line that was compared with nobody.
pub(crate) fn search_json(search: &[RuleSearch]) -> Value {
    let rule = |search: &RuleSearch| {
        let (code, residents, most) = match search.found {
            Search::NoValue => ("NO_VALUE", None, None),
            Search::Nobody => ("NOBODY", None, None),
            Search::TooMany { residents, most } => ("TOO_MANY", Some(residents), Some(most)),
            Search::Residents(residents) => ("RESIDENTS", Some(residents), None),
            Search::NotAsked => ("NOT_ASKED", None, None),
        };
        json!({"rule": search.rule, "found": code, "residents": residents, "most": most})
    };
    Value::Array(search.iter().map(rule).collect())
}

/// The same for people.
pub(crate) fn print_search(search: &[RuleSearch], environment: &Environment) {
    let header = vec![
        environment.say("blocking rule", "ブロッキング規則"),
        environment.say("whom it finds", "見つかった住民"),
    ];
    let mut table = text_table(header, &[]);
    for search in search.iter().take(RULES_MAX) {
        table.add_row(vec![
            engine::rule(environment.language, &search.rule),
            words::found(environment.language, search.found),
        ]);
    }
    print_line!("{table}");
    print_more(search.len(), environment);
}

fn print_more(rules: usize, environment: &Environment) {
    if rules > RULES_MAX {
        let more = rules - RULES_MAX;
        print_line!(
            "     {}",
            environment.language.pick(format!("and {more} more"), format!("ほか {more} 件"))
        );
    }
}

/// From one sum to the next on a line from -40 to +40 bits.
fn bar(from: MatchWeight, to: MatchWeight) -> String {
    const WIDTH: i32 = 40;
    let place = |weight: MatchWeight| {
        let bits = (weight.millibits() / 2_000 + WIDTH / 2).clamp(0, WIDTH);
        usize::try_from(bits).unwrap_or(0)
    };
    let (low, high) = (place(from.min(to)), place(from.max(to)));
    let letter = if to >= from { '█' } else { '░' };
    let filled: String = std::iter::repeat_n(letter, (high - low).max(1)).collect();
    format!("{}{filled}", " ".repeat(low))
}
