//! The page of all reason codes, `docs/reasons.md`, written from the source.
//!
//! What a code means, what to do about it, with which status a broker refuses for it and how a command then ends are known
//! in three crates; a page written by hand would tell of yesterday's. So the page is made here, where all three are in
//! reach, and a test compares it with the file. After a change:
//!
//! ```sh
//! RENKEI_WRITE_PAGES=1 cargo test -p renkei-cli --lib reasons_page
//! ```

use std::path::Path;

use renkei_api::Rejection;
use renkei_types::{Classify as _, Language, Localised as _, Reason};

use crate::failure::Failure;

const HEAD: &str = "\
# Reason codes · 理由コード

<!-- Written by `RENKEI_WRITE_PAGES=1 cargo test -p renkei-cli --lib reasons_page` from crates/types/src/reason.rs. -->

A code is stable: programs may rely on it, and codes are only ever added. A message may name a file, a line, a column or a field, never a
value.

コードは変わりません。プログラムで判定に使えます。追加はありますが、既存のコードの変更はありません。メッセージはファイル・行・列・項目を示すことが
ありますが、値は示しません。
";

const OUTCOMES: &str = "
## Why a line got its outcome · 行の結果の理由

They stand in the column `reason` of results. Nothing is refused for them.

結果の`reason`列に入ります。これらを理由に断ることはありません。

| code | meaning | 意味 | what to do | すべきこと |
|---|---|---|---|---|
";

const REFUSALS: &str = "
## Why something is refused · 断る理由

`kind` is what sort of failure it is to the one who called, `gRPC` the code of the status with which a broker refuses, `exit` the exit code
of the command that is told so. Some of these codes also reject a single line of a file; then nothing is refused, and the line is `REJECTED_INPUT`.

`kind`は失敗の種類、`gRPC`は連携サーバーが断るときのステータス、`exit`はそれを受けたコマンドの終了コードです。ファイルの一行だけを受付不可（`REJECTED_INPUT`）にするとき
にも使うコードがあり、その場合は断りません。

| code | kind | gRPC | exit | meaning | 意味 | what to do | すべきこと |
|---|---|---|---|---|---|---|---|
";

fn page() -> String {
    let (outcomes, refusals): (Vec<Reason>, Vec<Reason>) =
        Reason::ALL.iter().partition(|reason| reason.is_of_an_outcome());
    let mut page = HEAD.to_owned();
    page.push_str(OUTCOMES);
    for reason in outcomes {
        page.push_str(&format!("| `{reason}` | {} |\n", words(reason)));
    }
    page.push_str(REFUSALS);
    for reason in refusals {
        let (kind, status, exit) = answered(reason);
        let words = words(reason);
        page.push_str(&format!("| `{reason}` | {kind} | `{status}` | {exit} | {words} |\n"));
    }
    page
}

/// Meaning and advice in both languages, as cells.
fn words(reason: Reason) -> String {
    let (english, japanese) = (Language::English, Language::Japanese);
    let meaning = [reason.localised(english), reason.localised(japanese)];
    let advice = [reason.advice(english), reason.advice(japanese)].map(str::to_owned);
    [meaning, advice].concat().join(" | ")
}

/// What kind of failure it is, the name of a broker's status, and the exit code of a command that gets it.
fn answered(reason: Reason) -> (String, String, u8) {
    let status = renkei_broker::refusal_status_of(reason);
    let mut name = String::new();
    for letter in format!("{:?}", status.code()).chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    let rejection = Rejection::from(status);
    (format!("{:?}", rejection.kind()), name, Failure::from(rejection).exit().code())
}

#[test]
fn the_page_of_reasons_is_what_the_source_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reasons.md");
    let page = page();
    if std::env::var_os("RENKEI_WRITE_PAGES").is_some() {
        fs_err::write(&path, &page).expect("the page is written");
    }
    let written = fs_err::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(old, new)| old != new);
    let same = written == page;
    assert!(
        same,
        "docs/reasons.md is not what the source says, see above how it is written: {differs:?}"
    );
}

#[test]
fn every_reason_says_what_to_do_in_both_languages_and_breaks_no_table() {
    for reason in Reason::ALL {
        for language in [Language::English, Language::Japanese] {
            let cells = [reason.localised(language), reason.advice(language).to_owned()];
            for cell in cells {
                assert!(!cell.trim().is_empty(), "{reason} says nothing");
                assert!(!cell.contains(['|', '\n']), "{reason} breaks the table");
            }
        }
        assert!(!reason.advice(Language::Japanese).is_ascii(), "{reason}: no Japanese");
    }
}
