//! Damage to names in kanji or Latin letters.

use super::Damage;
use crate::cp932::lost_letter_mark;
use crate::kana::hiragana;
use crate::letters::is_kanji;
use crate::names::{ForeignName, WrittenName};
use crate::person::{Alias, Extra};
use crate::rates::Class;

/// The name a form was filled in with.
pub(super) struct Signature {
    pub(super) name: WrittenName,
    /// Set for names in Latin letters.
    pub(super) latin: Option<ForeignName>,
    /// The alias behind the legal name, as the register writes it.
    bracket: Option<String>,
    /// Family name last.
    swapped: bool,
    gap: &'static str,
}

impl Damage<'_> {
    /// Name and kana as they stand on the line.
    pub(super) fn names(&mut self) -> (String, String) {
        let kanji_missing = self.strikes(Class::KanjiMissing, true);
        let kana_missing = self.strikes(Class::KanaMissing, true);
        let mut signature = self.signature();
        if !kana_missing {
            self.read_otherwise(&mut signature);
        }
        if !kanji_missing && signature.latin.is_none() {
            self.write_otherwise(&mut signature.name);
        }
        if !kana_missing {
            self.mishear(&mut signature.name);
        }
        if !kanji_missing && signature.latin.is_none() {
            self.spell_in_kana(&mut signature.name);
        }
        let anything = !(kanji_missing && kana_missing);
        signature.swapped = self.strikes(Class::NameSwapped, anything);
        if self.strikes(Class::NameTruncated, anything) {
            self.truncate(&mut signature.name, !(kanji_missing || kana_missing));
        }
        if self.strikes(Class::NameSpace, anything) {
            let gap = self.chance.weighted(&[(40, ""), (40, " "), (20, "　　")]);
            signature.gap = if gap == signature.gap { "" } else { gap };
        }
        let kana = if kana_missing { String::new() } else { self.kana_notation(&signature.kana()) };
        let name = match (kanji_missing, signature.latin) {
            (true, _) => String::new(),
            (false, Some(_)) => self.latin_notation(&signature),
            (false, None) => signature.letters(),
        };
        (name, kana)
    }

    /// Which of a person's names is used: legal name, alias, another surname.
    fn signature(&mut self) -> Signature {
        let (person, population) = (self.subject.person, self.population);
        let japanese = person.japanese_name(&population.books);
        let mut signature =
            Signature { name: japanese, latin: None, bracket: None, swapped: false, gap: "　" };
        match self.subject.extra {
            Some(Extra::Foreign { name, alias }) => {
                if self.strikes(Class::AliasUsed, alias != Alias::None) {
                    return signature;
                }
                if alias == Alias::InBrackets && self.chance.percent(33) {
                    let WrittenName { family, given, .. } = &signature.name;
                    signature.bracket = Some(format!("（{family}　{given}）"));
                }
                signature.name = name.written();
                signature.latin = name.is_latin().then_some(name);
                if name.is_latin() && !name.full_width {
                    signature.gap = " ";
                }
            }
            Some(Extra::FormerSurname(former)) => {
                if self.strikes(Class::SurnameChanged, true) {
                    let (family, family_kana) = population.books.family_name(former);
                    signature.name = WrittenName { family, family_kana, ..signature.name };
                }
            }
            None => {
                if self.strikes(Class::SurnameChanged, true) {
                    let other = population.books.surnames.draw(self.chance);
                    let surnames = &population.books.surnames;
                    signature.name.family = surnames.kanji(other).to_owned();
                    signature.name.family_kana = surnames.reading(other, 0).to_owned();
                }
            }
        }
        signature
    }

    /// Letters in another form, lost, confused or mistyped.
    fn write_otherwise(&mut self, name: &mut WrittenName) {
        let letters = &self.population.books.letters;
        let varied = letters.has_forms(&name.family) || letters.has_forms(&name.given);
        if self.strikes(Class::KanjiVariant, varied) {
            self.replace_letter(name, |damage, letter| {
                let forms = damage.population.books.letters.forms(letter);
                (!forms.is_empty()).then(|| damage.chance.pick(forms).to_string())
            });
        }
        let varied = letters.has_forms(&name.family) || letters.has_forms(&name.given);
        if self.strikes(Class::KanjiGaiji, varied) {
            self.replace_letter(name, |damage, letter| {
                let has_forms = !damage.population.books.letters.forms(letter).is_empty();
                has_forms.then(|| lost_letter_mark(damage.chance).to_owned())
            });
        }
        if self.strikes(Class::KanjiHomophone, letters.has_homophones(&name.given)) {
            let mut given =
                WrittenName { given: std::mem::take(&mut name.given), ..WrittenName::default() };
            self.replace_letter(&mut given, |damage, letter| {
                let others = damage.population.books.letters.homophones(letter);
                (!others.is_empty()).then(|| damage.chance.pick(others).to_string())
            });
            name.given = given.given;
        }
        let kanji = name
            .family
            .chars()
            .chain(name.given.chars())
            .filter(|letter| is_kanji(*letter))
            .count();
        if self.strikes(Class::KanjiTypo, kanji > 0) {
            let dropped = kanji > 2 && self.chance.percent(20);
            self.replace_letter(name, |damage, letter| {
                let typed = |damage: &mut Self| {
                    damage.population.books.letters.mistyped(letter, damage.chance).to_string()
                };
                is_kanji(letter).then(|| if dropped { String::new() } else { typed(damage) })
            });
        }
    }

    /// The given name in kana, sometimes the whole name.
    fn spell_in_kana(&mut self, name: &mut WrittenName) {
        let has_kanji = name.given.chars().any(is_kanji);
        if self.strikes(Class::GivenInKana, has_kanji) {
            let in_hiragana = self.chance.percent(45);
            let spelled = |kana: &str| if in_hiragana { hiragana(kana) } else { kana.to_owned() };
            name.given = spelled(&name.given_kana);
            if self.chance.percent(30) {
                name.family = spelled(&name.family_kana);
            }
        }
    }

    /// Cuts letters off the given name; one of the two spellings may stay whole if the other stands on the line.
    fn truncate(&mut self, name: &mut WrittenName, both_stand: bool) {
        let kanji_cut = self.chance.between(1, 3) as usize;
        let kana_cut = self.chance.between(1, 4) as usize;
        let shorten = |text: &mut String, cut: usize| {
            let kept = text.chars().count().saturating_sub(cut);
            *text = text.chars().take(kept).collect();
        };
        let spared = self.chance.below(10);
        if !both_stand || spared >= 2 {
            shorten(&mut name.given, kanji_cut);
        }
        if !both_stand || !(2..4).contains(&spared) {
            shorten(&mut name.given_kana, kana_cut);
        }
    }

    /// Replaces one letter of the name, drawn among those for which `replacement` has an answer.
    fn replace_letter(
        &mut self,
        name: &mut WrittenName,
        mut replacement: impl FnMut(&mut Self, char) -> Option<String>,
    ) {
        let family: Vec<char> = name.family.chars().collect();
        let letters: Vec<char> = family.iter().copied().chain(name.given.chars()).collect();
        let start = self.chance.index(letters.len());
        for step in 0..letters.len() {
            let at = (start + step) % letters.len();
            let Some(other) = replacement(self, letters[at]) else { continue };
            let part = |range: std::ops::Range<usize>| {
                range.fold(String::new(), |mut text, place| {
                    if place == at {
                        text.push_str(&other)
                    } else {
                        text.push(letters[place])
                    }
                    text
                })
            };
            name.family = part(0..family.len());
            name.given = part(family.len()..letters.len());
            return;
        }
    }
}

impl Signature {
    /// The name in letters.
    pub(super) fn letters(&self) -> String {
        let text = self.joined(&self.name.family, &self.name.given);
        match &self.bracket {
            Some(alias) => text + alias,
            None => text,
        }
    }

    /// The name in kana, in full width.
    pub(super) fn kana(&self) -> String {
        let text = self.joined(&self.name.family_kana, &self.name.given_kana);
        // Latin names leave a half-width gap in the letters only.
        if self.gap == " " && self.latin.is_some() { text.replace(' ', "　") } else { text }
    }

    /// The same signature in other letters of the same name.
    pub(super) fn spelled(&self, family: String, given: String) -> String {
        let (gap, swapped) = (self.gap, self.swapped);
        let name = WrittenName { family, given, ..WrittenName::default() };
        Self { name, latin: None, bracket: self.bracket.clone(), swapped, gap }.letters()
    }

    fn joined(&self, family: &str, given: &str) -> String {
        let (first, second) = if self.swapped { (given, family) } else { (family, given) };
        // Names of several words lose their inner spaces with the outer one.
        let inner = |text: &str| {
            if self.gap.is_empty() { text.replace(['　', ' '], "") } else { text.to_owned() }
        };
        format!("{}{}{}", inner(first), self.gap, inner(second))
    }
}
