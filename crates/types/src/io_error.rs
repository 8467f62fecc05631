//! What the operating system says, in the words of the reader.
//!
//! Its own words are English whatever the locale (`No such file or directory (os error 2)`), and they end many of our
//! sentences. So each of our errors tells the kind in Japanese; what is rare keeps the system's number, by which a manual
//! can be asked. Which file is meant is said by whoever tells the error, or by [`with_file`].

use std::io::{Error, ErrorKind};

use crate::language::{Language, Localised};

const WORDS: &[(ErrorKind, &str)] = &[
    (ErrorKind::NotFound, "ファイルまたはフォルダーがありません"),
    (ErrorKind::PermissionDenied, "アクセスする権限がありません"),
    (ErrorKind::AlreadyExists, "既に存在します"),
    (ErrorKind::IsADirectory, "ファイルではなくフォルダーです"),
    (ErrorKind::NotADirectory, "フォルダーではありません"),
    (ErrorKind::DirectoryNotEmpty, "フォルダーが空ではありません"),
    (ErrorKind::StorageFull, "空き容量がありません"),
    (ErrorKind::QuotaExceeded, "使用できる容量の上限に達しました"),
    (ErrorKind::FileTooLarge, "ファイルの大きさの上限を超えます"),
    (ErrorKind::ReadOnlyFilesystem, "書き込みできない場所です"),
    (ErrorKind::ResourceBusy, "別のプロセスが使用中です"),
    (ErrorKind::AddrInUse, "このアドレスは別のプロセスが使用中です"),
    (ErrorKind::AddrNotAvailable, "この機器にないアドレスです"),
    (ErrorKind::ConnectionRefused, "接続を拒否されました"),
    (ErrorKind::ConnectionReset, "接続が切れました"),
    (ErrorKind::TimedOut, "時間切れです"),
    (ErrorKind::UnexpectedEof, "途中で終わっています"),
    (ErrorKind::BrokenPipe, "出力先が閉じられました"),
    (ErrorKind::InvalidData, "内容を読み取れません（UTF-8の文字でないか、壊れています）"),
];

impl Localised for Error {
    fn localised(&self, language: Language) -> String {
        let words = WORDS.iter().find(|(kind, _)| *kind == self.kind());
        match (language, words, self.raw_os_error()) {
            (Language::English, ..) => self.to_string(),
            (_, Some((_, words)), _) => (*words).to_owned(),
            (_, None, Some(number)) => format!("読み書きできません（OSのエラー番号 {number}）"),
            (_, None, None) => format!("読み書きできません（{self}）"),
        }
    }
}

/// The same with the file that the error itself names between backquotes, for those who do not know which it was.
pub fn with_file(error: &Error, language: Language) -> String {
    let said = error.to_string();
    match (language, said.split('`').nth(1)) {
        (Language::Japanese, Some(file)) => format!("{file}: {}", error.localised(language)),
        (Language::English, _) | (Language::Japanese, None) => error.localised(language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_heard_in_japanese_and_in_its_own_words_in_english() {
        let missing = Error::from_raw_os_error(2);
        assert_eq!(missing.localised(Language::Japanese), "ファイルまたはフォルダーがありません");
        assert_eq!(missing.localised(Language::English), missing.to_string());
        // EXDEV, which is in no list of words here.
        let rare = Error::from_raw_os_error(18).localised(Language::Japanese);
        assert_eq!(rare, "読み書きできません（OSのエラー番号 18）");
    }

    #[test]
    fn an_error_that_knows_its_file_names_it() {
        let said = "failed to open file `keys/root.key`: No such file or directory";
        let error = Error::new(ErrorKind::NotFound, said);
        let japanese = with_file(&error, Language::Japanese);
        assert_eq!(japanese, "keys/root.key: ファイルまたはフォルダーがありません");
        assert_eq!(with_file(&error, Language::English), said);
        let nameless = with_file(&Error::from(ErrorKind::StorageFull), Language::Japanese);
        assert_eq!(nameless, "空き容量がありません");
    }
}
