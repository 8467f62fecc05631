//! The My Number firewall, measured: how many numbers pass, and what is refused for nothing.
//!
//! Run with `cargo run --release -p renkei-tables --example my_number_firewall`. Files of payments are made here, with numbers
//! in one field or with ordinary numbers alone, and go through the reader and the admission that every list goes through.
//! The numbers are drawn by a fixed generator, so two runs print the same.

use renkei_tables::{Admission, AdmissionError, ReadOptions, Schema, Side, TableReader};

/// Lines of a file, and lines of it that carry what is tried.
const LINES: usize = 1_000;
const TRIED: usize = 8;
/// Files for each way of writing a number, and for each kind of ordinary number.
const FILES: usize = 10;

/// A generator of numbers (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A My Number: eleven random digits and their check digit (総務省令85号 5条). One in a thousand begins with 000 and is
    /// no evidence; those are drawn again.
    fn my_number(&mut self) -> String {
        loop {
            let base = format!("{:011}", self.below(100_000_000_000));
            let weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
            let sum: u32 = base.bytes().zip(weights).map(|(c, w)| u32::from(c - b'0') * w).sum();
            let check = if sum % 11 <= 1 { 0 } else { 11 - sum % 11 };
            if !base.starts_with("000") {
                return format!("{base}{check}");
            }
        }
    }
}

fn grouped(number: &str, size: usize, between: &str) -> String {
    let groups: Vec<&str> = (0..12).step_by(size).map(|at| &number[at..at + size]).collect();
    groups.join(between)
}

fn wide(text: &str) -> String {
    let letter = |c: char| match c {
        '0'..='9' => char::from_u32(u32::from(c) - 0x30 + 0xFF10).unwrap_or(c),
        ' ' => '\u{3000}',
        other => other,
    };
    text.chars().map(letter).collect()
}

/// The ways in which a number is written.
fn notations(number: &str) -> Vec<String> {
    let mut all = vec![number.to_owned()];
    for between in ["-", "－", "‐", "–", "—", "−", "ー", " ", "\u{3000}", " - "] {
        all.extend([1, 2, 3, 4, 6].map(|size| grouped(number, size, between)));
    }
    for between in [".", "/", "・", "_"] {
        all.extend([3, 4].map(|size| grouped(number, size, between)));
    }
    all.extend(all.clone().iter().map(|text| wide(text)));
    all
}

const HEADER: [&str; 9] =
    ["申請番号", "氏名", "氏名カナ", "生年月日", "住所", "支給額", "電話番号", "口座番号", "備考"];
const NAME: usize = 1;
const ADDRESS: usize = 4;
const ID: usize = 0;
const PHONE: usize = 6;
const ACCOUNT: usize = 7;
const REMARK: usize = 8;

/// An ordinary line.
fn line(at: usize, chance: &mut Chance) -> [String; 9] {
    [
        format!("B{at:08}"),
        "山田　花子".to_owned(),
        "ヤマダ　ハナコ".to_owned(),
        format!("19{:02}-{:02}-{:02}", chance.below(90) + 10, chance.below(12) + 1, at % 28 + 1),
        format!("若葉市平和町{}-{}-{}", chance.below(9) + 1, chance.below(30) + 1, at % 20 + 1),
        "100000".to_owned(),
        format!("090-{:04}-{:04}", chance.below(10_000), chance.below(10_000)),
        format!("{:07}", chance.below(10_000_000)),
        if at.is_multiple_of(3) { "確認済".to_owned() } else { String::new() },
    ]
}

/// What became of a file: refused as a whole, or so many lines rejected.
enum Verdict {
    Refused,
    Rejected(usize),
}

fn judge(rows: &[[String; 9]]) -> Result<Verdict, Box<dyn std::error::Error>> {
    let quoted = |cells: &[String]| {
        let cells: Vec<String> =
            cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        cells.join(",")
    };
    let mut text = HEADER.join(",");
    for row in rows {
        text.push('\n');
        text.push_str(&quoted(row));
    }
    let options = ReadOptions::default();
    let mut reader = TableReader::from_bytes(text.into_bytes(), "made", &options)?;
    let binding = reader.bind(&Schema::resident_payment(), Side::List)?;
    let mut admission = Admission::of(&reader, &binding)?;
    while let Some(batch) = reader.next_batch()? {
        admission.observe(&batch)?;
    }
    Ok(match admission.finish() {
        Err(AdmissionError::MyNumberColumn { .. }) => Verdict::Refused,
        Err(error) => return Err(error.into()),
        Ok(admitted) => Verdict::Rejected(admitted.rejections().len()),
    })
}

/// Numbers in one field of some lines: how many were put in, how many passed.
fn passed(
    column: usize,
    cell: &dyn Fn(&str) -> String,
    chance: &mut Chance,
) -> Result<(usize, usize), Box<dyn std::error::Error>> {
    let (mut put, mut passed) = (0, 0);
    let ways = notations(&chance.my_number()).len();
    for file in 0..ways.div_ceil(TRIED) * FILES {
        let mut rows: Vec<[String; 9]> = (0..LINES).map(|at| line(at, chance)).collect();
        for at in 0..TRIED {
            let way = (file * TRIED + at) % ways;
            let written = notations(&chance.my_number()).swap_remove(way);
            rows[at * (LINES / TRIED)][column] = cell(&written);
        }
        put += TRIED;
        passed += match judge(&rows)? {
            Verdict::Refused => 0,
            Verdict::Rejected(lines) => TRIED.saturating_sub(lines),
        };
    }
    Ok((put, passed))
}

/// Ordinary numbers in one field of every line: files refused, and lines rejected.
fn false_alarms(
    column: usize,
    cell: &dyn Fn(usize, &mut Chance) -> String,
    chance: &mut Chance,
) -> Result<(usize, usize), Box<dyn std::error::Error>> {
    let (mut refused, mut rejected) = (0, 0);
    for file in 0..FILES * 4 {
        let mut rows: Vec<[String; 9]> = (0..LINES).map(|at| line(at, chance)).collect();
        for (at, row) in rows.iter_mut().enumerate() {
            row[column] = cell(file * LINES + at, chance);
        }
        match judge(&rows)? {
            Verdict::Refused => refused += 1,
            Verdict::Rejected(lines) => rejected += lines,
        }
    }
    Ok((refused, rejected))
}

type Written = dyn Fn(&str) -> String;
type Ordinary = dyn Fn(usize, &mut Chance) -> String;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut chance = Chance(5);
    println!(
        "My Numbers, each in one of {} notations: how many pass",
        notations("123456789018").len()
    );
    let places: [(&str, usize, &Written); 11] = [
        ("as a name", NAME, &str::to_owned),
        ("behind a name", NAME, &|number| format!("山田 花子 {number}")),
        ("as an address", ADDRESS, &str::to_owned),
        ("behind an address", ADDRESS, &|number| format!("若葉市平和町1-2-3 {number}")),
        ("as a remark", REMARK, &str::to_owned),
        ("inside a remark", REMARK, &|number| format!("転入。{number} 確認済")),
        ("beside its name, in a remark", REMARK, &|number| format!("個人番号 {number} 4/1届")),
        ("beside its name, as a telephone number", PHONE, &|number| {
            format!("マイナンバー{number}")
        }),
        ("beside its name, as an id", ID, &|number| format!("個人番号:{number}")),
        ("alone, as a telephone number", PHONE, &str::to_owned),
        ("alone, among ids of another length", ID, &str::to_owned),
    ];
    for (what, column, cell) in places {
        let (put, passed) = passed(column, cell, &mut chance)?;
        println!("  {what:42} {passed:>6} of {put}");
    }
    let files = FILES * 4;
    let lines = files * LINES;
    println!(
        "Ordinary numbers on every line of {files} files: files refused, lines rejected of {lines}"
    );
    let phones: &Ordinary = &|_, chance| {
        let (a, b) = (chance.below(10_000), chance.below(10_000));
        match chance.below(4) {
            0 => format!("090{a:04}{b:04}"),
            1 => format!("03-{a:04}-{b:04}"),
            2 => format!("０９０（{a:04}）{b:04}"),
            _ => format!("+81 90 {a:04} {b:04}"),
        }
    };
    let kinds: [(&str, usize, &Ordinary); 13] = [
        ("telephone numbers, in their column", PHONE, phones),
        ("telephone numbers, in remarks", REMARK, phones),
        ("account numbers of 7 digits", ACCOUNT, &|_, chance| {
            format!("{:07}", chance.below(10_000_000))
        }),
        ("bank, branch and account (4-3-7)", ACCOUNT, &|_, chance| {
            let number = chance.below(10_000_000);
            format!("{:04}-{:03}-{number:07}", chance.below(10_000), chance.below(1_000))
        }),
        ("ids of 12 random digits", ID, &|at, chance| {
            // Unlike by their last digits, so that no id stands twice.
            format!("{:06}{at:06}", 100_000 + chance.below(900_000))
        }),
        ("ids of 12 digits in sequence", ID, &|at, _| format!("{}", 300_000_000_000 + at as u64)),
        ("12 random digits, in an unknown column", ACCOUNT, &|_, chance| {
            format!("{:012}", chance.below(1_000_000_000_000))
        }),
        ("corporate numbers of 13 digits, in remarks", REMARK, &|_, chance| {
            format!("法人番号 {:013}", chance.below(10_000_000_000_000))
        }),
        ("ids of 15 digits", ID, &|at, _| format!("{at:015}")),
        ("two dates, in remarks", REMARK, &|at, _| {
            format!("2026/{:02}/{:02}-2027/03/31", at % 12 + 1, at % 28 + 1)
        }),
        ("parcel numbers (4-4-4), in addresses", ADDRESS, &|_, chance| {
            let number = format!("{:012}", chance.below(1_000_000_000_000));
            format!("若葉市平和町1-2-3 {}", grouped(&number, 4, "-"))
        }),
        ("parcel numbers (4-4-4), in every remark", REMARK, &|_, chance| {
            let number = format!("{:012}", chance.below(1_000_000_000_000));
            format!("不在票 {}", grouped(&number, 4, "-"))
        }),
        ("the same, in one remark of fifty", REMARK, &|at, chance| {
            let number = format!("{:012}", chance.below(1_000_000_000_000));
            if at.is_multiple_of(50) {
                format!("不在票 {number}")
            } else {
                "確認済".to_owned()
            }
        }),
    ];
    for (what, column, cell) in kinds {
        let (refused, rejected) = false_alarms(column, cell, &mut chance)?;
        let share = 100.0 * rejected as f64 / lines as f64;
        println!("  {what:42} {refused:>6} {rejected:>8} {share:>7.2} %");
    }
    Ok(())
}
