//! What spreadsheets, printers of letters and tired people do to files, as a closed list of classes.
//!
//! Excel drops the zeros of `0012345`, turns the house number `1-2-3` into a date and the number `123456789012` into
//! `1.23457E+11`, and a machine that lacks a letter writes `?`. Each of these has a [`Class`] here, a severity, and where
//! it can be undone without guessing, a `repaired_` twin.
//!
//! The detectors of single cells are in `cell_damage`, those that need a whole column or file in `check`.

use std::fmt;

use renkei_types::{Language, Localised};

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something was changed or lost, or may have been.
    Warning,
    /// The line or the file cannot be used as it is.
    Error,
}

impl Severity {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $severity:ident, $english:literal, $japanese:literal;)+) => {
        /// What is wrong with a cell, a line or a file.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Class { $($(#[$doc])* $variant,)+ }

        impl Class {
            /// Every class, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name used in reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }
        }

        impl Localised for Class {
            fn localised(&self, language: Language) -> String {
                match self { $(Self::$variant => language.pick($english, $japanese).to_owned(),)+ }
            }
        }
    };
}

classes! {
    /// Admission: the id is empty.
    IdMissing = "id_missing", Error, "the id is empty", "識別番号が空";
    /// Admission: the id has a control character or is too long.
    IdUnusable = "id_unusable", Error,
        "the id has a control character or is longer than 256 bytes", "識別番号に制御文字があるか、256バイトを超えている";
    /// Admission: the id stands on more than one line.
    IdRepeated = "id_repeated", Error, "the id stands on more than one line", "識別番号が重複";
    /// Admission: too few or too many fields.
    FieldCount = "field_count", Error, "the line has too few or too many fields", "項目数が違う";
    /// Admission: bytes that are no text.
    Undecodable = "undecodable", Error,
        "bytes that are no text in the file's encoding", "文字コードとして読めないバイト";
    /// Admission: the amount cannot be read.
    AmountUnreadable = "amount_unreadable", Error, "the amount cannot be read", "金額が読めない";
    /// A My Number or resident record code, as a column or in a cell.
    MyNumber = "my_number", Error,
        "a My Number or resident record code", "個人番号または住民票コード";
    /// A long number was saved as `1.23E+11`; its digits are gone.
    ScientificNotation = "scientific_notation", Error,
        "a long number was saved in scientific notation; its digits are lost", "指数表記で保存され、桁が失われた番号";
    /// A number beyond 15 digits: a spreadsheet turns the rest into zeros.
    DigitsLost = "digits_lost", Error,
        "a number beyond 15 digits, whose last digits a spreadsheet turns into zeros", "16桁以降が0になった番号";
    /// Leading zeros are lost: shorter than the column's other values.
    ZerosLost = "zeros_lost", Warning,
        "leading zeros are lost", "先頭の0が消えている";
    /// A house number became a date.
    AddressDate = "address_date", Warning,
        "a spreadsheet turned a house number into a date", "番地が日付に変わっている";
    /// A date became a number of days.
    DateSerial = "date_serial", Warning,
        "a date became a spreadsheet's number of days", "日付がシリアル値になっている";
    /// A day that does not exist.
    DateImpossible = "date_impossible", Warning, "a day that does not exist", "存在しない日付";
    /// A day that has not come yet, where only past days make sense.
    DateFuture = "date_future", Warning, "a date in the future", "未来の日付";
    /// A date that cannot be read.
    DateUnreadable = "date_unreadable", Info, "a date that cannot be read", "読めない日付";
    /// `#N/A` and its like.
    ErrorValue = "error_value", Error, "a spreadsheet's error value", "Excelのエラー値";
    /// `TRUE` or `FALSE` where text belongs.
    Boolean = "boolean", Info, "TRUE or FALSE", "TRUE・FALSE";
    /// A letter is lost: `?`, `●`, `〓` stands in its place.
    LetterLost = "letter_lost", Warning,
        "a letter was replaced by a mark", "文字が記号に置き換わっている(文字落ち)";
    /// A letter of a municipality's own making.
    Gaiji = "gaiji", Warning, "a letter of somebody's own making (private use)", "外字が含まれる";
    /// A letter was cut in half at the end of a fixed-length field.
    LetterCut = "letter_cut", Warning,
        "a letter was cut in half at the end of its field", "項目の末尾で文字が切れている";
    /// A line break inside a cell.
    LineBreak = "line_break", Warning, "a line break inside a cell", "セル内の改行";
    /// A control character inside a cell.
    ControlCharacter = "control_character", Warning,
        "a control character inside a cell", "制御文字が含まれる";
    /// White space at the start or the end of a cell.
    OuterSpace = "outer_space", Info, "white space around the value", "前後の空白";
    /// Full-width digits in a code or an amount.
    FullWidthDigits = "full_width_digits", Info, "full-width digits", "全角数字";
    /// Half-width and full-width kana or digits in one cell.
    MixedWidth = "mixed_width", Info, "half- and full-width letters in one cell", "全角・半角の混在";
    /// A cell that a spreadsheet would run as a formula.
    FormulaLike = "formula_like", Warning,
        "a cell that a spreadsheet would take for a formula", "数式と解釈されるセル";
    /// A line equal to an earlier one.
    RowRepeated = "row_repeated", Warning, "the line equals an earlier one", "同一内容の行";
    /// A line of totals below the data.
    FooterTotal = "footer_total", Error, "a line of totals below the data", "合計行";
    /// One amount is as large as all the others together.
    AmountIsTotal = "amount_is_total", Error,
        "one amount equals the sum of all others", "金額が他の行の合計と等しい";
    /// The kana column is empty although names are there: PHONETIC() has no reading for pasted text.
    KanaEmpty = "kana_empty", Warning,
        "the kana column is empty although the names are there", "氏名があるのにカナ列が空";
    /// As many rows as a spreadsheet can hold: the rest may be missing.
    RowLimit = "row_limit", Error,
        "as many rows as a spreadsheet can hold: more may have been cut off", "Excelの行数上限に達している";
    /// The sheet has merged cells.
    MergedCells = "merged_cells", Warning, "the sheet has merged cells", "結合セルがある";
    /// The workbook has sheets that are not read.
    OtherSheets = "other_sheets", Info, "the workbook has more sheets, which were not read", "読み込んでいないシートがある";
    /// A header cell is empty.
    HeaderEmpty = "header_empty", Warning, "a column has no name", "列名が空";
    /// Two header cells are equal.
    HeaderRepeated = "header_repeated", Warning, "two columns have the same name", "列名が重複";
    /// The first line holds no known column name.
    HeaderUnknown = "header_unknown", Warning,
        "the first line holds no known column name", "1行目に既知の列名がない";
    /// Leading zeros were put back.
    RepairedZeros = "repaired_zeros_lost", Info, "leading zeros were put back", "先頭の0を復元";
    /// A house number was made from a date again.
    RepairedAddressDate = "repaired_address_date", Info,
        "a house number was restored from a date", "日付から番地を復元";
    /// A date was made from a number of days.
    RepairedDateSerial = "repaired_date_serial", Info,
        "a date was restored from a number of days", "シリアル値から日付を復元";
    /// Full-width digits were made half-width.
    RepairedFullWidthDigits = "repaired_full_width_digits", Info,
        "full-width digits were made half-width", "全角数字を半角に変換";
    /// White space around a value was removed.
    RepairedOuterSpace = "repaired_outer_space", Info,
        "white space around the value was removed", "前後の空白を除去";
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
