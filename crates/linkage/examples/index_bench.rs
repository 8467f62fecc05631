//! How long a register index takes to build, what memory it needs, and how fast it answers queries.
//!
//! `cargo run --release -p renkei-linkage --example index_bench -- residents.csv payments.csv`, the files as
//! `renkei generate` writes them, the list converted to UTF-8. The lines are asked one by one with the prior model.
#![allow(clippy::disallowed_methods, reason = "a measurement needs the real clock and opens files")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::time::{Duration, Instant};

use renkei_linkage::{Costs, Field, Fields, RegisterIntake, Rows, Serves, Unwatched};
use renkei_types::{FieldKind, FixedClock};

/// Field, kind, columns in the register, columns in the list.
type Column = (&'static str, FieldKind, &'static [usize], &'static [usize]);

const COLUMNS: [Column; 9] = [
    ("name_kanji", FieldKind::PersonName, &[2], &[1]),
    ("name_kana", FieldKind::KanaName, &[3], &[2]),
    ("birth_date", FieldKind::Date, &[4], &[3]),
    ("sex", FieldKind::Sex, &[5], &[4]),
    ("postal_code", FieldKind::PostalCode, &[6], &[5]),
    ("address", FieldKind::Address, &[7, 8], &[6]),
    ("account_holder_kana", FieldKind::KanaName, &[], &[8]),
    ("former_name", FieldKind::PersonName, &[9], &[]),
    ("alias", FieldKind::PersonName, &[10], &[]),
];

/// Some rows of a file, split at commas.
struct Batch {
    rows: Vec<Vec<String>>,
    of_list: bool,
}

impl Rows for Batch {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> &str {
        &self.rows[row][0]
    }

    fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str {
        let columns = if self.of_list { COLUMNS[field].3 } else { COLUMNS[field].2 };
        let cells: Vec<&str> = columns
            .iter()
            .map(|&column| self.rows[row][column].as_str())
            .filter(|cell| !cell.is_empty())
            .collect();
        *scratch = cells.join(" ");
        scratch
    }
}

fn next_batch(lines: &mut Lines<BufReader<File>>, of_list: bool) -> Result<Batch, Box<dyn Error>> {
    let split = |line: String| line.split(',').map(str::to_owned).collect();
    let rows = lines.take(4_096).map(|line| line.map(split)).collect::<Result<_, _>>()?;
    Ok(Batch { rows, of_list })
}

fn open(path: &str) -> Result<Lines<BufReader<File>>, Box<dyn Error>> {
    let mut lines = BufReader::new(File::open(path)?).lines();
    lines.next();
    Ok(lines)
}

/// Memory of the process now and at its peak, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines =
        status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.collect::<Vec<_>>().join(", ")
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (register, list) = arguments.next().zip(arguments.next()).ok_or("two files are needed")?;
    let field = |&(name, kind, register, list): &Column| Field {
        name: name.to_owned(),
        kind,
        in_register: !register.is_empty(),
        in_list: !list.is_empty(),
    };
    let fields = COLUMNS.iter().map(field).collect();
    let mut intake = RegisterIntake::new(Fields { fields, ..Fields::default() });
    let (start, mut lines, mut taking) = (Instant::now(), open(&register)?, Duration::ZERO);
    loop {
        let batch = next_batch(&mut lines, false)?;
        if batch.rows.is_empty() {
            break;
        }
        let before = Instant::now();
        intake.extend(&batch);
        taking += before.elapsed();
    }
    println!("read {:?}, of which the intake {taking:?}; {}", start.elapsed(), memory());
    let start = Instant::now();
    let index =
        intake.seal(&[], Serves::AnyLists, &FixedClock(jiff::Timestamp::UNIX_EPOCH), &Unwatched);
    println!("sealed {} records in {:?}; {}", index.records(), start.elapsed(), memory());
    let start = Instant::now();
    let model = index.prepare(index.prior_model(Costs::default()))?;
    println!("prepared in {:?}", start.elapsed());
    let mut lines = open(&list)?;
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..5 {
        for row in next_batch(&mut lines, true)?.rows {
            let query = Batch { rows: vec![row], of_list: true };
            let start = Instant::now();
            found += index.identify(&query, &model, 5).len();
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let share = |of: usize| times.get(times.len() * of / 1_000).copied().unwrap_or_default();
    println!(
        "{} queries, {found} candidates: p50 {:?}, p90 {:?}, p99 {:?}, p99.9 {:?}; {}",
        times.len(),
        share(500),
        share(900),
        share(990),
        share(999),
        memory()
    );
    Ok(())
}
