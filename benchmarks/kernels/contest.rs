//! Contests: the same work done in several ways, in turn, so that whatever else the machine does slows all of them.

use std::hint::black_box;
use std::time::Instant;

/// One way to do the work. Its answer keeps the work from being left out by the compiler.
type Run<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// One kernel and what stands beside it.
pub(crate) struct Contest<'a> {
    what: String,
    /// The work of one round.
    items: usize,
    /// What they take in memory, where a kernel goes over all of it.
    bytes: Option<usize>,
    /// Ours first.
    entrants: Vec<Entrant<'a>>,
}

struct Entrant<'a> {
    name: &'static str,
    run: Run<'a>,
    /// The fastest round, in seconds.
    fastest: f64,
}

const OURS: &str = "ours";

impl<'a> Contest<'a> {
    /// A kernel that goes over so many items in a round.
    pub(crate) fn new(
        what: impl Into<String>,
        items: usize,
        ours: impl FnMut() -> u64 + 'a,
    ) -> Self {
        Self { what: what.into(), items, bytes: None, entrants: Vec::new() }.beside(OURS, ours)
    }

    /// The items have so many bytes together.
    pub(crate) fn over_bytes(self, bytes: usize) -> Self {
        Self { bytes: Some(bytes), ..self }
    }

    /// The same in another way, or the floor beneath it.
    pub(crate) fn beside(mut self, name: &'static str, run: impl FnMut() -> u64 + 'a) -> Self {
        self.entrants.push(Entrant { name, run: Box::new(run), fastest: f64::INFINITY });
        self
    }

    pub(crate) fn measure(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for entrant in &mut self.entrants {
                let started = Instant::now();
                black_box((entrant.run)());
                entrant.fastest = entrant.fastest.min(started.elapsed().as_secs_f64());
            }
        }
    }

    fn fastest(&self, name: &str) -> Option<f64> {
        self.entrants.iter().find(|entrant| entrant.name == name).map(|entrant| entrant.fastest)
    }

    /// Nanoseconds of an entrant for an item, and how many times those of ours, or which part.
    fn cell(&self, name: &str) -> String {
        let (Some(seconds), Some(ours)) = (self.fastest(name), self.fastest(OURS)) else {
            return "-".to_owned();
        };
        let nanoseconds = digits(seconds * 1e9 / self.items as f64);
        if name == OURS {
            format!("{nanoseconds} ns")
        } else {
            let (times, parts) = (seconds / ours, ours / seconds);
            let beside =
                if times >= 1.0 { digits(times) + "x" } else { "1/".to_owned() + &digits(parts) };
            format!("{nanoseconds} ns ({beside})")
        }
    }

    /// Bytes of an item, and how many million of them ours takes in a second.
    fn throughput(&self) -> Option<[String; 2]> {
        let (bytes, seconds) = (self.bytes? as f64, self.fastest(OURS)?);
        Some([digits(bytes / self.items as f64), format!("{:.0}", bytes / seconds / 1e6)])
    }
}

/// Three digits, so that a figure says no more than a measurement can.
fn digits(value: f64) -> String {
    let decimals = if value < 1.0 {
        3
    } else if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.decimals$}")
}

/// One row for each kernel, one column for each who stands beside some of them.
pub(crate) fn table(contests: &[Contest<'_>]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for entrant in contests.iter().flat_map(|contest| &contest.entrants) {
        if !names.contains(&entrant.name) {
            names.push(entrant.name);
        }
    }
    let told = contests.iter().any(|contest| contest.bytes.is_some());
    let mut columns = Vec::from(if told { &["bytes each", "MB/s"][..] } else { &[] });
    columns.extend(&names);
    let mut rows = vec![row("", columns.iter().map(|&column| column.to_owned()))];
    rows.push(row("---", columns.iter().map(|_| "---:".to_owned())));
    for contest in contests {
        let throughput = contest.throughput().into_iter().flatten();
        let cells = names.iter().map(|name| contest.cell(name));
        rows.push(row(&contest.what, throughput.chain(cells)));
    }
    rows.join("\n")
}

fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    format!("| {first} | {} |", cells.collect::<Vec<_>>().join(" | "))
}
