//! The job in words: what was linked, whether the sums hold, and what deserves attention.

use renkei_linkage::{Outcome, Total};
use renkei_types::{Language, Yen};

use super::number::grouped;
use super::{ReportInput, outcomes};

fn is_linked(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Linked | Outcome::LinkedByClerk)
}

fn needs_eyes(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Review | Outcome::Ambiguous)
}

/// Lines, and their yen where the list has any.
fn amount(total: Total, has_yen: bool, noun: &str, language: Language) -> String {
    let lines = grouped(total.lines);
    match (language, has_yen) {
        (Language::English, true) => format!("{lines}{noun} ({} yen)", total.yen),
        (Language::English, false) => format!("{lines}{noun}"),
        (Language::Japanese, true) => format!("{lines}件（{}円）", total.yen),
        (Language::Japanese, false) => format!("{lines}件"),
    }
}

/// The job in one sentence, for somebody who knows the list but not the engine.
pub(crate) fn sentence(input: &ReportInput<'_>) -> String {
    let language = input.language;
    let all = outcomes::sum(input.totals, |_| true);
    if all.lines == 0 {
        return language.pick("The list has no lines.", "リストに行がありません。").to_owned();
    }
    let has_yen = all.yen > Yen(0);
    let noun = if all.lines == 1 { " line" } else { " lines" };
    let received = amount(all, has_yen, noun, language);
    // The amount, and the verb that its number takes in English.
    let of = |wanted: fn(Outcome) -> bool, one: &'static str, many: &'static str| {
        let total = outcomes::sum(input.totals, wanted);
        (amount(total, has_yen, "", language), if total.lines == 1 { one } else { many })
    };
    let (linked, are) = of(is_linked, "is", "are");
    let (eyes, need) = of(needs_eyes, "needs", "need");
    let is_left = |outcome| !is_linked(outcome) && !needs_eyes(outcome);
    let (left, are_left) = of(is_left, "is", "are");
    language.pick(
        format!(
            "Of {received}, {linked} {are} linked to a resident, {eyes} {need} a person’s eyes and {left} {are_left} \
             not linked."
        ),
        format!(
            "全{received}のうち、住民と結び付いたものは{linked}、職員の確認が必要なものは{eyes}、\
             結び付かなかったものは{left}です。"
        ),
    )
}

/// That nothing got lost between the file and the table, or that something did.
pub(crate) fn received(input: &ReportInput<'_>) -> String {
    let lines = outcomes::sum(input.totals, |_| true).lines;
    if !is_complete(input) {
        let rows = input.list.rows as u64;
        return input.language.pick(
            format!(
                "The outcomes add up to {}, but {} lines were received.",
                grouped(lines),
                grouped(rows)
            ),
            format!(
                "結果の合計は{}件ですが、受け取ったのは{}件です。",
                grouped(lines),
                grouped(rows)
            ),
        );
    }
    input
        .language
        .pick(
            "Every line received has exactly one outcome: the totals in lines and yen equal what was received.",
            "受け取ったすべての行に結果が一つずつあり、件数・金額の合計は受け取ったものと一致しています。",
        )
        .to_owned()
}

fn is_complete(input: &ReportInput<'_>) -> bool {
    let lines = outcomes::sum(input.totals, |_| true).lines;
    lines == input.list.rows as u64
        && lines == input.decisions.len() as u64
        && input.totals.sum().is_ok()
}

/// What a clerk should know before relying on the result.
pub(crate) fn notices(input: &ReportInput<'_>) -> Vec<String> {
    let language = input.language;
    let all = outcomes::sum(input.totals, |_| true);
    let mut notices = Vec::new();
    let mut say = |is_so: bool, english: String, japanese: String| {
        if is_so {
            notices.push(language.pick(english, japanese));
        }
    };
    say(
        !is_complete(input),
        "The totals differ from what was received: do not use this result, and report it."
            .to_owned(),
        "合計が受け取ったものと一致しません。この結果は使わず、報告してください。".to_owned(),
    );
    let rejected = input.totals.of(Outcome::RejectedInput).lines;
    say(
        rejected > 0,
        format!(
            "Lines that could not be accepted: {}. The reasons are in the output file.",
            grouped(rejected)
        ),
        format!(
            "受け付けられなかった行が{}件あります。理由は出力ファイルにあります。",
            grouped(rejected)
        ),
    );
    let unreadable = grouped(input.totals.yen_unreadable());
    say(
        input.totals.yen_unreadable() > 0 && all.yen > Yen(0),
        format!("Lines whose amount cannot be read, counted without yen: {unreadable}."),
        format!("金額が読めないため金額に含めていない行が{unreadable}件あります。"),
    );
    say(
        all.lines > 0 && outcomes::sum(input.totals, is_linked).lines == 0,
        "Not one line is linked: are these the right files and columns?".to_owned(),
        "一件も結び付いていません。ファイルと列が正しいか確認してください。".to_owned(),
    );
    say(
        input.trained_lines == 0 && all.lines > 0,
        "The model was not trained on data of this kind; it uses general experience.".to_owned(),
        "モデルはこの種のデータで学習しておらず、一般的な値を使っています。".to_owned(),
    );
    say(
        !input.masked,
        "This page shows values of records: treat it as personal data.".to_owned(),
        "このページには記録の値が表示されています。個人情報として扱ってください。".to_owned(),
    );
    notices
}
