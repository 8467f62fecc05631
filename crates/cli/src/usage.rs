//! Usage errors in Japanese. English ones are those of the argument parser, which knows no other language.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use renkei_types::{InvalidId, InvalidIdentity, InvalidSlug, Language};

/// The language that a command line asks for, though it cannot be parsed: `--lang`, or the locale.
pub(crate) fn language(arguments: &[OsString], locale: &str) -> Language {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let after = words.iter().position(|word| *word == "--lang").and_then(|at| words.get(at + 1));
    let joined = words.iter().find_map(|word| word.strip_prefix("--lang="));
    match joined.or(after.copied()) {
        Some("ja") => Language::Japanese,
        Some(_) => Language::English,
        None => Language::of_locale(locale),
    }
}

/// What is wrong with a command line, in Japanese; nothing where the parser did not fail but show help or its version.
#[allow(clippy::wildcard_enum_match_arm, reason = "the parser's lists may grow")]
pub(crate) fn in_japanese(error: &clap::Error) -> Option<String> {
    let context = |kind| error.get(kind).map(text).unwrap_or_default();
    let (argument, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    let sentence = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::MissingRequiredArgument => format!("次の引数が必要です: {argument}"),
        ErrorKind::UnknownArgument => format!("この引数はありません: {argument}"),
        ErrorKind::InvalidSubcommand => {
            format!("このコマンドはありません: {}", context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => "コマンドを指定してください".to_owned(),
        // A value may be somebody's: it is on the screen already, and goes nowhere else.
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} に値が必要です"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("{argument} の値が正しくありません: {value}")
        }
        ErrorKind::ArgumentConflict => {
            format!("{argument} は {} と同時に使えません", context(ContextKind::PriorArg))
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} の値の数が正しくありません")
        }
        ErrorKind::NoEquals => format!("{argument} は「=」に続けて値を書いてください"),
        ErrorKind::InvalidUtf8 => "引数の文字が読み取れません".to_owned(),
        _ => "コマンドの書き方が正しくありません".to_owned(),
    };
    let mut lines = vec![format!("エラー: {sentence}")];
    lines.extend(why(error).map(|why| format!("  {why}")));
    let choices = context(ContextKind::ValidValue);
    if !choices.is_empty() {
        lines.push(format!("  指定できる値: {choices}"));
    }
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let suggested: Vec<String> = suggested.into_iter().map(context).collect();
    if let Some(suggested) = suggested.iter().find(|suggested| !suggested.is_empty()) {
        lines.push(format!("  もしかして: {suggested}"));
    }
    let usage = context(ContextKind::Usage);
    if !usage.is_empty() {
        let words = [("Usage:", "使い方:"), ("OPTIONS", "オプション"), ("COMMAND", "コマンド")];
        lines.push(words.iter().fold(usage, |usage, (english, own)| usage.replace(english, own)));
    }
    lines.push("詳しくは --help を付けて実行してください".to_owned());
    Some(lines.join("\n"))
}

/// What a value must be like, where it was read and refused.
fn why(error: &clap::Error) -> Option<String> {
    let source = std::error::Error::source(error)?;
    let why = if source.is::<InvalidSlug>() {
        "名前は1～64文字の英小文字・数字・「-」・「_」で、先頭は英小文字か数字です".to_owned()
    } else if let Some(InvalidId { prefix }) = source.downcast_ref() {
        format!("この種類の番号は「{prefix}_」に英数字26文字が続きます")
    } else if source.is::<InvalidIdentity>() {
        "機関は「団体コード/機関名」（131016/benefits）、名義は「spiffe://ドメイン/団体コード/機関名/personまたはsystem/名前」です".to_owned()
    } else if source.is::<std::num::ParseIntError>() {
        "0以上の整数を指定してください".to_owned()
    } else if source.is::<jiff::Error>() {
        "日付は 2026-11-21、日時は 2026-11-21T09:00:00Z の形で指定してください".to_owned()
    } else {
        // Of a number out of its range the parser has nothing but a sentence.
        let sentence = source.to_string();
        let (_, range) = sentence.split_once(" is not in ")?;
        format!("指定できる範囲: {}", range.replace("..=", "～"))
    };
    Some(why)
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the parser's lists may grow")]
fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(one) => one.clone(),
        ContextValue::Strings(several) => several.join(" "),
        ContextValue::StyledStr(one) => one.to_string(),
        ContextValue::StyledStrs(several) => {
            several.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::Arguments;

    fn told(words: &[&str]) -> String {
        let error = Arguments::try_parse_from(words).expect_err("a usage error");
        in_japanese(&error).expect("no help was asked for")
    }

    #[test]
    fn what_is_wrong_is_said_in_japanese_with_the_word_that_is_wrong() {
        let missing = told(&["renkei", "link", "--register", "r.csv", "--list", "l.csv"]);
        assert!(missing.starts_with("エラー: 次の引数が必要です: --output"), "{missing}");
        assert!(missing.contains("使い方: renkei link"), "{missing}");
        let unknown = told(&["renkei", "lnik"]);
        assert!(unknown.starts_with("エラー: このコマンドはありません: lnik"), "{unknown}");
        assert!(unknown.contains("もしかして: link"), "{unknown}");
        let value = told(&["renkei", "--lang", "fr", "roles"]);
        assert!(value.contains("指定できる値: "), "{value}");
    }

    #[test]
    fn what_a_value_must_be_like_is_said_in_japanese_too() {
        for (words, why) in [
            ("renkei list open programme_1 --name november", "「programme_」に英数字26文字"),
            ("renkei list open programme_00000000000000000000000000 --name A", "英小文字"),
            ("renkei delivery ack programme_00000000000000000000000000 --number x", "整数"),
            ("renkei link --threads 0", "指定できる範囲: 1～1024"),
            ("renkei dataset state dataset_00000000000000000000000000 --on x", "2026-11-21"),
            ("renkei agency add 131016 --title x", "団体コード"),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            let told = told(&words);
            assert!(told.lines().nth(1).is_some_and(|line| line.contains(why)), "{told}");
            assert!(!told.contains("OPTIONS") && !told.contains("COMMAND"), "{told}");
        }
    }

    #[test]
    fn the_language_is_known_before_the_rest_can_be_parsed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(language(&words("renkei lnik --lang ja"), "C"), Language::Japanese);
        assert_eq!(language(&words("renkei --lang=en lnik"), "ja_JP.UTF-8"), Language::English);
        assert_eq!(language(&words("renkei lnik"), "ja_JP.UTF-8"), Language::Japanese);
    }

    #[test]
    fn help_is_shown_as_it_is() {
        let error = Arguments::try_parse_from(["renkei", "--help"]).expect_err("help");
        assert_eq!(in_japanese(&error), None);
    }
}
