//! The two languages in which clerks, operators and auditors are spoken to.

/// A language of messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// The text of this language out of a pair.
    pub fn pick<T>(self, english: T, japanese: T) -> T {
        match self {
            Self::English => english,
            Self::Japanese => japanese,
        }
    }

    /// The language of a locale name such as `ja_JP.UTF-8`; English where it is neither.
    pub fn of_locale(locale: &str) -> Self {
        if locale == "ja"
            || locale.starts_with("ja_")
            || locale.starts_with("ja-")
            || locale.starts_with("ja.")
        {
            Self::Japanese
        } else {
            Self::English
        }
    }
}

/// Something that can be said in both languages. Never contains a value that says something about a person.
pub trait Localised {
    /// The sentence in `language`.
    fn localised(&self, language: Language) -> String;
}
