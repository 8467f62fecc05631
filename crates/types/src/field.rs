//! What a column means.

use std::fmt;
use std::str::FromStr;

/// What a column holds; decides how its values are normalised, compared and checked.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FieldKind {
    /// A whole name as written: kanji, Latin or mixed, with or without a space.
    PersonName,
    /// The given name alone.
    GivenName,
    /// The family name alone.
    FamilyName,
    /// A whole name as read: katakana, hiragana or half-width.
    KanaName,
    /// A calendar date, usually of birth.
    Date,
    /// Sex, as a code or a word.
    Sex,
    /// A postal code.
    PostalCode,
    /// An address or a part of one.
    Address,
    /// A telephone number.
    Phone,
    /// A number or code that names something.
    Identifier,
    /// An amount of money.
    Amount,
    /// One of a few values.
    Category,
    /// Anything else.
    FreeText,
}

impl FieldKind {
    /// Every kind, in the order of the manual.
    pub const ALL: [Self; 13] = [
        Self::PersonName,
        Self::GivenName,
        Self::FamilyName,
        Self::KanaName,
        Self::Date,
        Self::Sex,
        Self::PostalCode,
        Self::Address,
        Self::Phone,
        Self::Identifier,
        Self::Amount,
        Self::Category,
        Self::FreeText,
    ];

    /// The name used in schema files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PersonName => "person_name",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::KanaName => "kana_name",
            Self::Date => "date",
            Self::Sex => "sex",
            Self::PostalCode => "postal_code",
            Self::Address => "address",
            Self::Phone => "phone",
            Self::Identifier => "identifier",
            Self::Amount => "amount",
            Self::Category => "category",
            Self::FreeText => "free_text",
        }
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no field kind.
#[derive(Debug, thiserror::Error)]
#[error("not a field kind; the kinds are {}", FieldKind::ALL.map(FieldKind::as_str).join(", "))]
pub struct UnknownFieldKind;

impl FromStr for FieldKind {
    type Err = UnknownFieldKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownFieldKind)
    }
}

/// The order of year, month and day where a date's own shape does not tell (`01/02/1980`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DateOrder {
    /// Year, month, day.
    #[default]
    Ymd,
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

impl FromStr for DateOrder {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "YMD" => Ok(Self::Ymd),
            "DMY" => Ok(Self::Dmy),
            "MDY" => Ok(Self::Mdy),
            _ => Err(()),
        }
    }
}
