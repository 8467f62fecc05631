//! A name in a name field: kanji, Latin letters, kana, or some of each.

use std::borrow::Cow;

use super::{Forms, WILDCARD, is_accent, is_title, latin_letters, words};
use crate::kana::{is_kana, is_middle_dot};
use crate::kanji::fold_variant;
use crate::text;

/// The letters a name is written in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Script {
    /// Kanji only.
    Han,
    /// Kana only.
    Kana,
    /// Latin letters only.
    Latin,
    /// Several of these (`國部 めぐみ`), or other letters.
    Mixed,
}

/// A written name as keys, without spaces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WrittenName {
    /// The key that decides: variants folded, Latin letters in upper case without accents.
    pub full: String,
    /// The same before variant folding, with as many letters: equal here means the same letters were written.
    pub exact: String,
    /// Byte offset in `full` where the words after the first begin, when a separator stood there.
    pub split: Option<usize>,
    /// What the name is written in.
    pub script: Script,
    /// Whether a letter was lost; [`WILDCARD`] stands in its place.
    pub lost_letters: bool,
    /// Whether the name has private-use letters, which mean nothing outside one vendor's system.
    pub gaiji: bool,
    /// Further separators in `full`, for names of three and more words.
    more_breaks: Box<[usize]>,
}

impl WrittenName {
    /// Reads the main name of a field; `None` when the field says nothing.
    pub fn read(field: &str) -> Option<WrittenName> {
        let Some(mut reader) = Reader::read_plain(field) else { return Self::read_any(field) };
        reader.drop_title();
        let says_nothing = text::is_placeholder_key(&reader.exact);
        if says_nothing { None } else { Some(reader.finish()) }
    }

    /// The same for a field of any letters, plain ones among them.
    pub(super) fn read_any(field: &str) -> Option<WrittenName> {
        let text = prepared(field);
        let main = Forms::read(&text).main;
        let mut reader = Reader::read(&main);
        reader.drop_title();
        if text::is_placeholder_key(&reader.exact)
            || (reader.exact.starts_with('#') && text::is_placeholder(&main))
            || reader.exact.chars().all(|letter| letter == WILDCARD)
        {
            return None;
        }
        Some(reader.finish())
    }

    /// The words of `full` in written order; one word when nothing separated them.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        words(&self.full, self.split.into_iter().chain(self.more_breaks.iter().copied()))
    }
}

/// A text whose letters can be read one by one: as it is, where the letters are common ones, and else folded.
fn prepared(text: &str) -> Cow<'_, str> {
    if text.chars().all(|letter| text::simple(letter).is_some()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text::fold_marks(text))
    }
}

/// A written name under construction.
struct Reader {
    full: String,
    exact: String,
    /// Where separators stood, in `full` and in `exact`.
    breaks: Breaks,
    last: Option<char>,
    scripts: Scripts,
    lost_letters: bool,
    gaiji: bool,
}

/// The first and the further places where a separator stood.
#[derive(Default)]
struct Breaks {
    first: Option<(usize, usize)>,
    more: Vec<(usize, usize)>,
}

/// Which scripts have been met.
#[derive(Clone, Copy, Default)]
struct Scripts {
    han: bool,
    kana: bool,
    latin: bool,
    other: bool,
}

impl Reader {
    fn with_capacity(bytes: usize) -> Reader {
        Reader {
            full: String::with_capacity(bytes),
            exact: String::with_capacity(bytes),
            breaks: Breaks::default(),
            last: None,
            scripts: Scripts::default(),
            lost_letters: false,
            gaiji: false,
        }
    }

    /// Reads a text of kanji, kana and spaces alone, as nearly all are: no letter of it has a rule of its own.
    fn read_plain(text: &str) -> Option<Reader> {
        let mut reader = Reader::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '\u{4e00}'..='\u{9fff}' | '々' => reader.scripts.han = true,
                'ぁ'..='ゖ' | 'ァ'..='ヺ' => reader.scripts.kana = true,
                ' ' | '\u{3000}' => {
                    reader.separate();
                    continue;
                }
                _ => return None,
            }
            reader.exact.push(letter);
            reader.full.push(fold_variant(letter));
        }
        Some(reader)
    }

    /// Reads a [`prepared`] text.
    fn read(text: &str) -> Reader {
        let mut reader = Reader::with_capacity(text.len());
        reader.letters(text);
        if let Some(changed) = text::unstable(&reader.exact) {
            reader = Reader::with_capacity(changed.len());
            reader.letters(&changed);
        }
        reader
    }

    fn letters(&mut self, text: &str) {
        let mut letters =
            text.chars().map(|letter| text::simple(letter).unwrap_or(letter)).peekable();
        let mut before = None;
        while let Some(letter) = letters.next() {
            self.letter(letter, before, letters.peek().copied());
            before = Some(letter);
        }
    }

    fn letter(&mut self, letter: char, before: Option<char>, after: Option<char>) {
        if is_han(letter) {
            return self.push(letter);
        }
        let after_latin = self.last.is_some_and(|last| last.is_ascii_alphabetic());
        match letter {
            ',' | '、' => self.separate(),
            '.' if after_latin => {}
            '.' if self.last.is_some_and(is_kana) => self.separate(),
            '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʻ' | '′'
                if after_latin || self.last.is_none() => {}
            _ if text::is_space(letter) => self.separate(),
            _ if is_middle_dot(letter) => {
                if is_lost_dot(before, after) {
                    self.lose();
                } else {
                    self.separate();
                }
            }
            _ if text::is_lost_letter(letter) || letter == WILDCARD => self.lose(),
            'ー' => self.push(letter),
            _ if text::is_dash(letter) => {
                if self.last.is_some_and(is_kana) {
                    self.push('ー');
                } else if !after_latin {
                    self.push('-');
                }
            }
            // A mark that composed with no letter changes none.
            _ if is_accent(letter) || text::Mark::read(letter).is_some() => {}
            _ => latin_letters(letter, |latin| self.push(latin)),
        }
    }

    fn lose(&mut self) {
        self.lost_letters = true;
        self.push(WILDCARD);
    }

    fn push(&mut self, letter: char) {
        self.exact.push(letter);
        self.full.push(fold_variant(letter));
        self.scripts.meet(letter);
        self.gaiji |= letter != WILDCARD && text::is_gaiji(letter);
        self.last = Some(letter);
    }

    /// Notes a separator, unless nothing has been read since the last.
    fn separate(&mut self) {
        let place = (self.full.len(), self.exact.len());
        let last = self.breaks.more.last().copied().or(self.breaks.first).unwrap_or_default();
        if last == place {
            return;
        }
        if self.breaks.first.is_none() {
            self.breaks.first = Some(place);
        } else {
            self.breaks.more.push(place);
        }
    }

    /// Drops a form of address that stands as the last of several words.
    fn drop_title(&mut self) {
        self.drop_final_break();
        let Some((full, exact)) = self.breaks.more.last().copied().or(self.breaks.first) else {
            return;
        };
        if self.full.get(full..).is_some_and(is_title) {
            self.full.truncate(full);
            self.exact.truncate(exact);
            self.drop_final_break();
        }
    }

    /// Forgets a separator behind the last word: it separates nothing.
    fn drop_final_break(&mut self) {
        let end = (self.full.len(), self.exact.len());
        if self.breaks.more.last() == Some(&end) {
            self.breaks.more.pop();
        } else if self.breaks.first == Some(end) {
            self.breaks.first = None;
        }
    }

    fn finish(self) -> WrittenName {
        WrittenName {
            full: self.full,
            exact: self.exact,
            split: self.breaks.first.map(|(full, _)| full),
            script: self.scripts.script(),
            lost_letters: self.lost_letters,
            gaiji: self.gaiji,
            more_breaks: self.breaks.more.into_iter().map(|(full, _)| full).collect(),
        }
    }
}

impl Scripts {
    fn meet(&mut self, letter: char) {
        match letter {
            _ if is_han(letter) => self.han = true,
            // The long mark follows letters of any script, often by mistake for 一; it tells nothing.
            'ー' => {}
            'A'..='Z' => self.latin = true,
            _ if is_kana(letter) => self.kana = true,
            _ if letter.is_alphabetic() => self.other = true,
            _ => {}
        }
    }

    fn script(self) -> Script {
        match self {
            Scripts { kana: false, latin: false, other: false, .. } => Script::Han,
            Scripts { han: false, latin: false, other: false, .. } => Script::Kana,
            Scripts { han: false, kana: false, other: false, .. } => Script::Latin,
            _ => Script::Mixed,
        }
    }
}

/// Whether a middle dot stands for a lost kanji (`渡・裕子`): it separates words only beside kana and Latin letters.
fn is_lost_dot(before: Option<char>, after: Option<char>) -> bool {
    let sides = [before, after];
    let foreign = |letter: char| is_kana(letter) || letter.is_ascii_alphanumeric();
    sides.into_iter().flatten().any(is_han) && !sides.into_iter().flatten().any(foreign)
}

/// Kanji, with 々, 〆 and 〇.
fn is_han(letter: char) -> bool {
    matches!(
        letter,
        '\u{4e00}'..='\u{9fff}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{2e80}'..='\u{2fd5}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}
