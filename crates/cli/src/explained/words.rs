//! Words for views, lookalikes and misses, in both languages.

use renkei_linkage::{Lookalike, Miss, Search, TermView};
use renkei_types::Language;

use crate::words as engine;

pub(super) fn view(language: Language, view: TermView) -> &'static str {
    let (english, japanese) = match view {
        TermView::Missing | TermView::Value => ("", ""),
        TermView::Written => ("as written", "表記"),
        TermView::Read => ("as read", "読み"),
        TermView::Both => ("as written and as read", "表記と読み"),
        TermView::Registered => ("registered name", "登録された氏名"),
        TermView::Exchanged => ("family and given name exchanged", "姓と名を入れ替えた氏名"),
        TermView::FormerOrAlias => ("former name or alias", "旧氏・通称名"),
        TermView::AccountHolder => ("account holder", "口座名義"),
        TermView::FormerPlace => ("former address", "転入前住所"),
    };
    language.pick(english, japanese)
}

pub(super) fn lookalike(language: Language, who: Lookalike) -> &'static str {
    let (english, japanese) = match who {
        Lookalike::Relative => ("somebody of the household", "同じ世帯の人"),
        Lookalike::Namesake => ("a stranger of the same name", "同姓同名の別人"),
        Lookalike::Elder => ("an elder of the same name", "同名の親など"),
    };
    language.pick(english, japanese)
}

/// Names of parts of rules, one after the other.
fn parts(language: Language, parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| engine::rule(language, part)).collect();
    parts.join(language.pick(", ", "、"))
}

pub(super) fn miss(language: Language, miss: &Miss) -> String {
    match miss {
        Miss::LineHasNone(missing) => {
            let parts = parts(language, missing);
            language.pick(format!("the line has no {parts}"), format!("リストに{parts}がない"))
        }
        Miss::ResidentHasNone(missing) => {
            let parts = parts(language, missing);
            language.pick(format!("the resident has no {parts}"), format!("台帳に{parts}がない"))
        }
        Miss::ValuesDiffer(differing) => {
            let parts = parts(language, differing);
            language.pick(format!("another {parts}"), format!("{parts}が異なる"))
        }
        Miss::BlockTooLarge { residents, most } => too_many(language, *residents, *most),
        Miss::NotAsked => not_asked(language),
    }
}

pub(super) fn found(language: Language, search: Search) -> String {
    match search {
        Search::NoValue => {
            language.pick("the line has no value for it", "リストに値がない").to_owned()
        }
        Search::Nobody => language.pick("nobody", "該当なし").to_owned(),
        Search::TooMany { residents, most } => too_many(language, residents, most),
        Search::Residents(residents) => {
            language.pick(format!("{residents} compared"), format!("{residents} 人を比較"))
        }
        Search::NotAsked => not_asked(language),
    }
}

fn not_asked(language: Language) -> String {
    let (english, japanese) = (
        "not asked: the line agrees with somebody in name, date of birth and house",
        "照会せず（氏名・生年月日・番地まで一致する住民がいる）",
    );
    language.pick(english, japanese).to_owned()
}

fn too_many(language: Language, residents: u64, most: u64) -> String {
    language.pick(
        format!("{residents} residents share it, at most {most} are compared"),
        format!("{residents} 人が同じ値を持ち、比較の上限 {most} 人を超える"),
    )
}
