//! Damage to sex and postal code.

use super::Damage;
use crate::city::hyphened;
use crate::names::full_width;
use crate::person::Sex;
use crate::rates::Class;

impl Damage<'_> {
    /// Sex as it stands on the line.
    pub(super) fn sex(&mut self) -> String {
        if self.strikes(Class::SexMissing, true) {
            return String::new();
        }
        let registered = self.subject.person.sex;
        let sex = if self.strikes(Class::SexWrong, true) { registered.other() } else { registered };
        if !self.strikes(Class::SexNotation, true) {
            return sex.code().to_owned();
        }
        let words = match sex {
            Sex::Male => ["男", "男性", "M", "１"],
            Sex::Female => ["女", "女性", "F", "２"],
        };
        self.chance.pick(&words).to_owned()
    }

    /// A postal code as it stands on the line; `postal` has seven digits.
    pub(super) fn postal(&mut self, postal: &str) -> String {
        if self.strikes(Class::PostalMissing, !postal.is_empty()) || postal.is_empty() {
            return String::new();
        }
        let mut digits: Vec<char> = postal.chars().collect();
        if self.strikes(Class::PostalTypo, true) {
            let at = self.chance.index(digits.len());
            let digit = digits[at].to_digit(10).unwrap_or(0);
            let other = (digit + self.chance.between(1, 9)) % 10;
            digits[at] = char::from_digit(other, 10).unwrap_or('0');
        }
        let digits: String = digits.into_iter().collect();
        if self.strikes(Class::PostalZeroLost, digits.starts_with('0')) {
            return digits.trim_start_matches('0').to_owned();
        }
        let registered = hyphened(&digits);
        if !self.strikes(Class::PostalNotation, true) {
            return registered;
        }
        match self.chance.below(100) {
            0..41 => digits,
            41..63 => full_width(&registered),
            63..82 => registered.replace('-', "ー"),
            _ => format!("〒{registered}"),
        }
    }
}
