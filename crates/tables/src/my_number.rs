//! The firewall that keeps My Numbers (個人番号) and resident record codes (住民票コード) out.
//!
//! It looks at **every** column of a file, named by a schema or not, and answers in two ways:
//!
//! * a column refuses the **file**: its name says so, or its cells do;
//! * a cell refuses its **line**: a fitting number that stands as, or inside, a text.
//!
//! False alarms. A My Number has twelve digits of which the last is a check digit, so about one random twelve-digit
//! number in ten fits. A column is taken for My Numbers where at least 60 % of its cells are fitting twelve-digit
//! numbers *and* chance would do that less than once in a thousand files: with three cells all must fit, with seven
//! five, with a hundred sixty (there chance is one in 10^30). A column of twelve-digit ids shows 10 % and passes. Serial
//! numbers may carry the same check digit (the rule for 宛名番号 has the same weights), but they are padded, and a My
//! Number is random: only one in a thousand begins with three zeros. So a number that begins with `000` is no evidence
//! in a column. What remains is a column of unpadded twelve-digit ids with that very check digit: it cannot be told from
//! My Numbers by anybody, and is refused. Our ids of fifteen digits, or with a letter, are never looked at.
//!
//! A single fitting cell says less, so it needs a second sign: it stands where a name, an address or a remark belongs,
//! or next to the words 個人番号 or マイナンバー. In a column without a known meaning it counts where twelve-digit
//! numbers are rare (less than one cell in ten), among ids, amounts and other codes where they are very rare (one in a hundred).
//!
//! Inside a longer text a number is a run of exactly twelve digits, or a chain of equal groups (three of four, four of three,
//! twelve single digits) with a hyphen or spaces between, or another mark between groups of three or four. One in ten of other
//! such runs, a parcel's number in a remark, fits by chance and rejects its line. Addresses,
//! telephone numbers (ten or eleven digits) and corporate numbers (thirteen) have no such runs. What is written out in words, or
//! cut over two cells, is not found. The example `my_number_firewall` measures both: what passes, and what is refused for nothing. In a column without a
//! known meaning only cells with words in them are searched, and none counts where runs that do not fit are common: ids
//! that carry a word, such as 第…号, would fit in one of ten lines.
//!
//! Nothing here keeps, hashes or shows a number: even a hash of a My Number is one.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use renkei_types::FieldKind;

use crate::batch::Batch;
use crate::binding::Binding;
use crate::columns::fold;
use crate::japanese::fits_my_number;

/// Watches all columns of a file.
#[derive(Clone, Debug)]
pub struct Firewall {
    columns: Vec<Watched>,
}

#[derive(Clone, Debug, Default)]
struct Watched {
    place: Place,
    filled: u64,
    twelve_digits: u64,
    fitting: u64,
    /// Rows of fitting cells in a column of codes or of unknown meaning.
    undecided: Vec<usize>,
    /// Cells of such a column with a run of twelve digits inside a text, none of which fits.
    unfitting_inside: u64,
    /// Rows of its cells in which one fits.
    undecided_inside: Vec<usize>,
}

/// What kind of value belongs into a column.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Place {
    /// Names, addresses, remarks: no number belongs here.
    Text,
    /// Numbers and codes.
    Code,
    /// Nobody said.
    #[default]
    Unknown,
}

/// Whether a column's name says that it holds My Numbers or resident record codes. Columns *about* the card or the
/// consent are no such columns; what they hold is still looked at.
pub fn names_my_number(name: &str) -> bool {
    const NUMBERS: [&str; 6] =
        ["個人番号", "マイナンバ", "mynumber", "individualnumber", "住民票コード", "juminhyocode"];
    const ABOUT: [&str; 11] = [
        "カード",
        "card",
        "有無",
        "同意",
        "希望",
        "確認",
        "区分",
        "フラグ",
        "flag",
        "提供",
        "状況",
    ];
    let folded = fold(name).replace('-', "");
    NUMBERS.iter().any(|number| folded.contains(number))
        && !ABOUT.iter().any(|about| folded.contains(about))
}

/// The first column whose name says that it holds My Numbers.
pub fn forbidden_column(header: &[String]) -> Option<usize> {
    header.iter().position(|name| names_my_number(name))
}

impl Firewall {
    /// Watches so many columns, of which `binding` knows some.
    pub fn new(columns: usize, binding: Option<&Binding>) -> Self {
        let mut watched = vec![Watched::default(); columns];
        if let Some(binding) = binding {
            let bound = binding.fields.iter().flat_map(|field| {
                field.columns.iter().map(move |&column| (column, place(field.kind)))
            });
            for (column, place) in bound.chain([(binding.id, Place::Code)]) {
                if let Some(watched) = watched.get_mut(column) {
                    watched.place = place;
                }
            }
        }
        Self { columns: watched }
    }

    /// Looks at a batch whose first row is row `first` of the file, and calls `found` with the row and column of each
    /// cell that refuses its line.
    pub fn observe(&mut self, batch: &Batch, first: usize, mut found: impl FnMut(usize, usize)) {
        for (index, (watched, column)) in self.columns.iter_mut().zip(&batch.columns).enumerate() {
            let mut may_be_named = false;
            for (row, cell) in column.iter().enumerate() {
                watched.filled += u64::from(!cell.is_empty());
                // Nearly every cell ends here: it has too few digits, or is one longer number.
                let digits = digits_if_many(cell);
                if digits < 12 || (digits > 12 && digits == cell.len()) {
                    continue;
                }
                may_be_named |= digits < cell.len();
                let Some(digits) = twelve_digits(cell) else {
                    watched.look_inside(cell, || found(first + row, index), first + row);
                    continue;
                };
                watched.twelve_digits += 1;
                if !fits_my_number(&digits) {
                    continue;
                }
                watched.fitting += u64::from(!digits.starts_with(b"000"));
                match watched.place {
                    Place::Text => found(first + row, index),
                    Place::Unknown | Place::Code => watched.undecided.push(first + row),
                }
            }
            if may_be_named && WORDS.iter().any(|word| word.find(column.text.as_bytes()).is_some())
            {
                for (row, cell) in column.iter().enumerate() {
                    if is_beside_its_name(cell) {
                        found(first + row, index);
                    }
                }
            }
        }
    }

    /// The verdict over the whole file: a column of My Numbers, or the rows and columns of single ones in columns of
    /// unknown meaning.
    pub fn finish(self) -> Result<Vec<(usize, usize)>, MyNumberColumn> {
        let mut single = Vec::new();
        for (column, watched) in self.columns.into_iter().enumerate() {
            if is_my_number_column(watched.filled, watched.fitting) {
                return Err(MyNumberColumn(column));
            }
            // An id is more often a number of twelve digits than a remark is: there it must be rarer still.
            let rare = if watched.place == Place::Code { 100 } else { 10 };
            if watched.twelve_digits * rare < watched.filled {
                single.extend(watched.undecided.into_iter().map(|row| (row, column)));
            }
            if watched.unfitting_inside * 10 < watched.filled {
                single.extend(watched.undecided_inside.into_iter().map(|row| (row, column)));
            }
        }
        Ok(single)
    }
}

impl Watched {
    /// Looks for a number inside a cell that is more than a number and has twelve digits or more.
    fn look_inside(&mut self, cell: &str, found: impl FnOnce(), row: usize) {
        if self.place == Place::Code {
            return;
        }
        match (self.place, inside(cell)) {
            (Place::Code, _) | (_, Inside::Nothing) | (Place::Text, Inside::Unfitting) => {}
            (Place::Text, Inside::Fitting) => found(),
            (Place::Unknown, _) if !has_words(cell) => {}
            (Place::Unknown, Inside::Fitting) => self.undecided_inside.push(row),
            (Place::Unknown, Inside::Unfitting) => self.unfitting_inside += 1,
        }
    }
}

/// The column that refuses the file, from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MyNumberColumn(pub usize);

fn place(kind: FieldKind) -> Place {
    match kind {
        FieldKind::PersonName
        | FieldKind::GivenName
        | FieldKind::FamilyName
        | FieldKind::KanaName
        | FieldKind::Address
        | FieldKind::FreeText => Place::Text,
        FieldKind::Date
        | FieldKind::Sex
        | FieldKind::PostalCode
        | FieldKind::Phone
        | FieldKind::Identifier
        | FieldKind::Amount
        | FieldKind::Category => Place::Code,
    }
}

/// At least 60 % fit, and chance (one number in ten) would do that less than once in a thousand files.
fn is_my_number_column(filled: u64, fitting: u64) -> bool {
    /// From here on 60 % is beyond chance anyway.
    const SMALL: u64 = 20;
    if fitting * 10 < filled * 6 || fitting == 0 {
        return false;
    }
    if filled > SMALL {
        return true;
    }
    // The binomial tail, term by term.
    let mut term = 0.9f64.powi(i32::try_from(filled).unwrap_or(i32::MAX));
    let mut below = 0.0;
    for k in 0..fitting {
        below += term;
        term *= (filled - k) as f64 / (k + 1) as f64 / 9.0;
    }
    1.0 - below <= 1.0e-3 + 1.0e-12
}

/// What twelve-digit numbers a text has inside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Inside {
    Nothing,
    Unfitting,
    Fitting,
}

/// How many digits a cell has, half- or full-width; where they are fewer than twelve, any number below. Bytes are counted
/// before letters are looked at, because this is asked of every cell of a file.
fn digits_if_many(cell: &str) -> usize {
    /// The first byte of a full-width digit, and of other letters.
    const WIDE: u8 = 0xEF;
    let is_half = |byte: &u8| byte.is_ascii_digit();
    let is_wide = |bytes: &[u8]| matches!(bytes, [WIDE, 0xBC, 0x90..=0x99]);
    let bytes = cell.as_bytes();
    if bytes.len() < 12 || count_bytes(bytes, |byte| is_half(byte) || *byte == WIDE) < 12 {
        return 0;
    }
    let half = count_bytes(bytes, is_half);
    let wide =
        if half == bytes.len() { 0 } else { bytes.windows(3).filter(|b| is_wide(b)).count() };
    half + wide
}

/// How many bytes are of a kind, in sums so small that many fit into one register.
fn count_bytes(bytes: &[u8], is_wanted: impl Fn(&u8) -> bool) -> usize {
    let of_part = |part: &[u8]| part.iter().map(|byte| u8::from(is_wanted(byte))).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|part| usize::from(of_part(part))).sum()
}

/// Looks at every run of twelve digits, and at every chain of equal groups that has twelve and is no part of a longer one.
fn inside(cell: &str) -> Inside {
    let mut answer = Inside::Nothing;
    let mut judge = |digits: &[u8]| {
        if let Ok(digits) = <&[u8; 12]>::try_from(digits) {
            if fits_my_number(digits) && !digits.starts_with(b"000") {
                answer = Inside::Fitting;
            } else if answer == Inside::Nothing {
                answer = Inside::Unfitting;
            }
        }
    };
    // The digits since the last other letter, the groups of one length that they go on, and what stands between.
    let (mut run, mut chain, mut length) = (Vec::new(), Vec::new(), 0);
    let mut between = Between::default();
    for letter in cell.chars().filter(|&letter| !is_invisible(letter)).chain(['\0']) {
        if let Some(digit) = digit(letter) {
            run.push(digit);
            between = Between::default();
            continue;
        }
        if !run.is_empty() {
            judge(&run);
            if run.len() == length {
                chain.append(&mut run);
            } else {
                chains(&chain, length, &mut judge);
                length = run.len();
                chain = std::mem::take(&mut run);
            }
        }
        if !between.goes_on_with(letter, length) {
            chains(&chain, length, &mut judge);
            chain.clear();
            length = 0;
        }
    }
    answer
}

/// Judges a chain: as a whole; of groups of one or two digits every part too, for a date before them may belong to it.
fn chains(chain: &[u8], length: usize, judge: &mut impl FnMut(&[u8])) {
    if matches!(length, 1 | 2) {
        chain.windows(12).step_by(length).for_each(judge);
    } else {
        judge(chain);
    }
}

/// What stands between two groups: a hyphen with a space on either side at most.
#[derive(Clone, Copy, Debug, Default)]
struct Between {
    letters: u8,
    marks: u8,
}

impl Between {
    /// Whether a group of this length goes on behind one more letter.
    fn goes_on_with(&mut self, letter: char, length: usize) -> bool {
        self.letters = self.letters.saturating_add(1);
        self.marks = self.marks.saturating_add(u8::from(!letter.is_whitespace()));
        let separates = is_separator(letter) || (is_mark(letter) && is_usual_group(length));
        separates && self.letters <= 3 && self.marks <= 1
    }
}

/// How numbers are grouped with marks that otherwise stand between numbers: by fours, and by threes in a spreadsheet.
fn is_usual_group(length: usize) -> bool {
    matches!(length, 3 | 4)
}

/// Whether a cell is a text: Japanese, or with a space between letters and the rest.
fn has_words(cell: &str) -> bool {
    let is_latin =
        |letter: char| letter.is_ascii_alphabetic() || matches!(letter, 'Ａ'..='Ｚ' | 'ａ'..='ｚ');
    let is_word = |letter: char| letter.is_alphabetic() && !is_separator(letter);
    cell.chars().any(|letter| is_word(letter) && !is_latin(letter))
        || (cell.chars().any(is_latin) && cell.trim().contains(char::is_whitespace))
}

/// Whether a cell is, or has inside, a number that fits.
pub(crate) fn holds_my_number(cell: &str) -> bool {
    twelve_digits(cell).is_some_and(|digits| fits_my_number(&digits))
        || (digits_if_many(cell) >= 12 && inside(cell) == Inside::Fitting)
}

/// The digits of a cell that is nothing but twelve of them, half- or full-width, with spaces and hyphens between, or with
/// other marks between usual groups.
fn twelve_digits(cell: &str) -> Option<[u8; 12]> {
    /// Twelve full-width digits with full-width marks and spaces between.
    const BYTES_MAX: usize = 160;
    if cell.len() < 12 || cell.len() > BYTES_MAX {
        return None;
    }
    if let Ok(digits) = <[u8; 12]>::try_from(cell.as_bytes()) {
        return digits.iter().all(u8::is_ascii_digit).then_some(digits);
    }
    let mut digits = [0; 12];
    let (mut count, mut group, mut marked, mut usual) = (0, 0, false, None);
    for letter in cell.chars().filter(|&letter| !is_invisible(letter)) {
        match digit(letter) {
            Some(digit) => {
                *digits.get_mut(count)? = digit;
                count += 1;
                group += 1;
            }
            None if is_separator(letter) => {}
            None if is_mark(letter) => {
                marked = true;
                if !is_usual_group(group) || usual.is_some_and(|usual| usual != group) {
                    return None;
                }
                usual = Some(group);
                group = 0;
            }
            None => return None,
        }
    }
    let grouped = !marked || usual == Some(group);
    (count == 12 && grouped).then_some(digits)
}

fn digit(letter: char) -> Option<u8> {
    match letter {
        '0'..='9' => u8::try_from(letter).ok(),
        '０'..='９' => u8::try_from(u32::from(letter) - u32::from('０')).ok().map(|d| d + b'0'),
        _ => None,
    }
}

/// What stands between the digits of one number: spaces, and whatever looks like a hyphen.
fn is_separator(letter: char) -> bool {
    matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '−' | '－' | '﹣' | 'ー' | 'ｰ')
        || letter.is_whitespace()
}

/// What stands between numbers, and sometimes between the groups of one.
fn is_mark(letter: char) -> bool {
    matches!(
        letter,
        '.' | '．'
            | ','
            | '，'
            | '、'
            | '/'
            | '／'
            | '_'
            | '＿'
            | '・'
            | '･'
            | '\''
            | '’'
            | '~'
            | '〜'
            | '～'
    )
}

/// What nobody sees: it neither separates nor ends a number.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

static WORDS: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| {
    let words = [
        "個人番号",
        "マイナンバ",
        "ﾏｲﾅﾝﾊﾞ",
        "マイナ番号",
        "ﾏｲﾅ番号",
        "y number",
        "y Number",
        "Y NUMBER",
        "ynumber",
        "yNumber",
    ];
    words.iter().map(|word| Finder::new(word.as_bytes())).collect()
});

/// Whether a text has a fitting number and one of the words that name it.
fn is_beside_its_name(cell: &str) -> bool {
    if !WORDS.iter().any(|word| word.find(cell.as_bytes()).is_some()) {
        return false;
    }
    let mut groups: Vec<Vec<u8>> = vec![Vec::new()];
    for letter in cell.chars().filter(|&letter| !is_invisible(letter)) {
        match digit(letter) {
            Some(digit) => {
                if let Some(group) = groups.last_mut() {
                    group.push(digit);
                }
            }
            None if is_separator(letter) || is_mark(letter) => groups.push(Vec::new()),
            None => {
                if has_fitting_groups(&groups) {
                    return true;
                }
                groups = vec![Vec::new()];
            }
        }
    }
    has_fitting_groups(&groups)
}

/// Whether groups that follow each other are a fitting number: a date may stand right behind it.
fn has_fitting_groups(groups: &[Vec<u8>]) -> bool {
    (0..groups.len()).any(|first| {
        let mut digits = Vec::new();
        for group in &groups[first..] {
            digits.extend_from_slice(group);
            if digits.len() >= 12 {
                break;
            }
        }
        <&[u8; 12]>::try_from(digits.as_slice()).is_ok_and(fits_my_number)
    })
}

#[cfg(test)]
mod tests;
