//! The several names in one name field.
//!
//! `REYES JOHN PAUL（槙原　達也）` is a residence-card name with its registered Japanese-style name; `山田（旧姓田中）花子`
//! carries a former family name; `ZHANG YULIN 張 玉蓮` is one name in two scripts. A person may be on the other list
//! under any of them. Invariant: neither the main form nor an other form contains a bracket.

use std::borrow::Cow;

use crate::kana::is_kana;
use crate::text;

/// A name field taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Forms<'a> {
    /// The name outside brackets; when everything is in brackets, what the first pair holds.
    pub main: Cow<'a, str>,
    /// The other names, in written order.
    pub others: Vec<OtherForm<'a>>,
}

/// A further name in a name field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OtherForm<'a> {
    /// What the field says about it.
    pub kind: FormKind,
    /// The name without its label.
    pub text: &'a str,
}

/// The label in front of a name in brackets.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FormKind {
    /// None: commonly the registered Japanese-style name or a reading.
    Unlabelled,
    /// 通称: the registered Japanese-style name.
    Alias,
    /// 旧姓, 旧氏: a family name without a given name.
    FormerFamilyName,
    /// 本名, 氏名: the legal name.
    Legal,
}

impl<'a> Forms<'a> {
    /// Takes a field apart; a plain name becomes its own main form without a copy.
    pub fn read(field: &'a str) -> Forms<'a> {
        if !field.chars().any(|letter| bracket(letter).is_some()) {
            return Forms::read_scripts(field);
        }
        let mut main: Vec<&'a str> = Vec::new();
        let mut others = Vec::new();
        let mut depth = 0_usize;
        let mut start = 0;
        for (offset, letter) in field.char_indices().chain([(field.len(), ')')]) {
            let Some(opens) = bracket(letter) else { continue };
            let part = field.get(start..offset).unwrap_or_default().trim();
            if !part.is_empty() {
                if depth == 0 {
                    main.push(part);
                } else {
                    others.extend(OtherForm::read(part));
                }
            }
            depth = if opens { depth + 1 } else { depth.saturating_sub(1) };
            start = offset + letter.len_utf8();
        }
        if main.is_empty() && !others.is_empty() {
            main.push(others.remove(0).text);
        }
        match main.as_slice() {
            [] => Forms { main: Cow::Borrowed(""), others },
            [only] => {
                let mut forms = Forms::read_scripts(only);
                forms.others.append(&mut others);
                forms
            }
            // A bracket within the name stands between the family and the given name.
            several => Forms { main: Cow::Owned(several.join(" ")), others },
        }
    }

    /// Parts `ZHANG YULIN 張 玉蓮`: two or more Latin words, then only other words.
    fn read_scripts(name: &'a str) -> Forms<'a> {
        let whole = Forms { main: Cow::Borrowed(name), others: Vec::new() };
        let starts_latin = name.trim_start().chars().next().is_some_and(is_latin);
        if !starts_latin || !name.chars().any(is_japanese) {
            return whole;
        }
        let mut latin_words = 0;
        let mut after = None;
        let mut offset = 0;
        for word in name.split_inclusive(text::is_space) {
            let latin = word.chars().any(is_latin);
            let japanese = word.chars().any(is_japanese);
            match (latin, japanese, after) {
                (true, false, None) => latin_words += 1,
                (false, true, None) => after = Some(offset),
                (false, _, _) => {}
                _ => return whole,
            }
            offset += word.len();
        }
        match after.and_then(|after| name.split_at_checked(after)) {
            Some((latin, other)) if latin_words >= 2 => {
                let other = OtherForm { kind: FormKind::Unlabelled, text: other.trim() };
                Forms { main: Cow::Borrowed(latin.trim()), others: vec![other] }
            }
            _ => whole,
        }
    }
}

impl<'a> OtherForm<'a> {
    /// A labelled or bare name; `None` when there is a label and nothing else.
    fn read(part: &'a str) -> Option<OtherForm<'a>> {
        const LABELS: [(&str, FormKind); 9] = [
            ("通称名", FormKind::Alias),
            ("通称", FormKind::Alias),
            ("通名", FormKind::Alias),
            ("旧姓", FormKind::FormerFamilyName),
            ("旧氏", FormKind::FormerFamilyName),
            ("本名", FormKind::Legal),
            ("氏名", FormKind::Legal),
            ("併記名", FormKind::Unlabelled),
            ("漢字氏名", FormKind::Unlabelled),
        ];
        let labelled = LABELS.into_iter().find_map(|(label, kind)| {
            part.strip_prefix(label).map(|text| OtherForm { kind, text })
        });
        let mut form = labelled.unwrap_or(OtherForm { kind: FormKind::Unlabelled, text: part });
        form.text = form
            .text
            .trim_start_matches(|letter| matches!(letter, ':' | '：') || text::is_space(letter));
        if form.text.is_empty() { None } else { Some(form) }
    }
}

/// Whether a letter is a bracket, and whether it opens.
fn bracket(letter: char) -> Option<bool> {
    match letter {
        '(' | '（' | '[' | '［' | '〔' | '【' | '〈' | '《' => Some(true),
        ')' | '）' | ']' | '］' | '〕' | '】' | '〉' | '》' => Some(false),
        _ => None,
    }
}

/// Latin letters of either width, with or without accents.
fn is_latin(letter: char) -> bool {
    letter.is_ascii_alphabetic()
        || matches!(letter, 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

fn is_japanese(letter: char) -> bool {
    is_kana(letter)
        || matches!(letter, '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}
