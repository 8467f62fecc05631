//! Beginnings of names: whom somebody may mean who has typed the first letters of one.
//!
//! Blocking finds people by whole values, since lists have whole values. A clerk types, and wants to see somebody after two or
//! three letters. The halves of names are few, so each that occurs is held against what was typed once, and then every record
//! against these:
//!
//! ```text
//! ヤマダタ ── family ヤマダ, given タ... ── ヤマダ　タロウ, ヤマダ　タエ
//!          └─ family ヤマダタ...
//! ```
//! Nothing is kept for it; a million residents are one pass over two numbers each. Invariant: who is found depends on names
//! alone, so it says nothing of where anybody lives.

use renkei_japanese::kana::{is_kana, kana_exact};
use renkei_japanese::name::{KanaName, WrittenName};

use crate::forms::NONE;
use crate::records::NameValues;
use crate::register_index::RegisterIndex;

/// Who was found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Beginnings {
    /// Rows of residents, in their order.
    pub rows: Vec<u32>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

impl RegisterIndex {
    /// Residents whose name begins so, as written and as read; what is empty says nothing. At most `most` of them.
    pub fn beginning_with(&self, written: &str, kana: &str, most: usize) -> Beginnings {
        let written = WrittenName::read(written).map(|name| name.full).unwrap_or_default();
        let kana = KanaName::read(kana).map(|name| name.exact).unwrap_or_default();
        // A name that is written in kana is its own reading, and is kept as that.
        let views = if written.chars().all(is_kana) {
            [Typed::new(self, View::Kana, &written), Typed::new(self, View::Kana, &kana)]
        } else {
            [Typed::new(self, View::Written, &written), Typed::new(self, View::Kana, &kana)]
        };
        let mut views: Vec<Typed<'_>> = views.into_iter().flatten().collect();
        let mut found = Beginnings::default();
        if views.is_empty() {
            return found;
        }
        let records = &self.register.records;
        for row in 0..u32::try_from(self.rows()).unwrap_or(u32::MAX) {
            let mut fits = |name: NameValues| views.iter_mut().all(|typed| typed.begins(name));
            let known = fits(records.name(row))
                || records.other_names(row).iter().any(|other| fits(other.name));
            if !known || records.is_forgotten(row) || self.row(self.id(row)) != Some(row) {
                continue;
            }
            if found.rows.len() == most {
                found.more = true;
                break;
            }
            found.rows.push(row);
        }
        found
    }

    /// A half of a name in one view.
    fn half(&self, view: View, joint: u32) -> &str {
        let names = &self.register.names;
        let views = names.joint.views(joint);
        let (parts, part) = match view {
            View::Written => (&names.written_parts, views.written),
            View::Kana => (&names.kana_parts, views.kana),
        };
        if part == NONE { "" } else { parts.text(part) }
    }
}

/// As written, or as read.
#[derive(Clone, Copy)]
enum View {
    Written,
    Kana,
}

impl View {
    /// Fewest letters that are a beginning. One letter of kana begins a twentieth of all names.
    fn letters_min(self) -> usize {
        match self {
            Self::Written => 1,
            Self::Kana => 2,
        }
    }
}

/// What was typed of a name in one view, without spaces.
struct Typed<'a> {
    index: &'a RegisterIndex,
    view: View,
    letters: &'a str,
    /// For each family name that was met: where in the letters the given name has to begin, or one of those below.
    families: Vec<u32>,
}

/// A family name that was not met yet.
const UNMET: u32 = u32::MAX;
/// A family name that is another.
const OTHER: u32 = u32::MAX - 1;

impl<'a> Typed<'a> {
    /// Nothing where too few letters were typed.
    fn new(index: &'a RegisterIndex, view: View, letters: &'a str) -> Option<Self> {
        if letters.chars().count() < view.letters_min() {
            return None;
        }
        let families = vec![UNMET; index.register.names.joint.len()];
        Some(Self { index, view, letters, families })
    }

    /// Whether a name begins with what was typed.
    fn begins(&mut self, name: NameValues) -> bool {
        let place = match self.families.get(name.family as usize).copied() {
            None => self.place(""),
            Some(UNMET) => {
                let place = self.place(self.index.half(self.view, name.family));
                self.families[name.family as usize] = place;
                place
            }
            Some(place) => place,
        };
        // Nothing stands at the place of another family name.
        let rest = self.letters.get(place as usize..);
        rest.is_some_and(|rest| rest.is_empty() || self.half_begins(name.given, rest))
    }

    /// Whether a given name begins so.
    fn half_begins(&self, joint: u32, rest: &str) -> bool {
        let half = self.index.half(self.view, joint);
        if !half.is_empty() || matches!(self.view, View::Kana) {
            return half.starts_with(rest);
        }
        let reading = self.index.half(View::Kana, joint);
        rest.chars().all(is_kana) && reading.starts_with(&kana_exact(rest))
    }

    /// Where behind a family name the given one has to begin.
    fn place(&self, family: &str) -> u32 {
        let place = if family.starts_with(self.letters) {
            Some(self.letters.len())
        } else {
            self.letters.starts_with(family).then_some(family.len())
        };
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or(OTHER)
    }
}
