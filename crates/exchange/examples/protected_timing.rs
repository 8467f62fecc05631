//! Whether the time of an answer tells who is protected: `cargo run --release -p renkei-exchange --example protected_timing -- 20000
//! 2000 docs/benchmarks/protected-timing.svg`, residents, questions and a plot.
//!
//! Single questions about protected persons and about others take turns. It prints one JSON object with both distributions, and
//! draws them as one plot: what share of the answers took at most so long. Nothing is asserted, for the times of a busy machine
//! prove nothing; that both take the same path is what tests hold. Where the curves part by more than two runs of the same do,
//! somebody should look.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/town/mod.rs"]
mod town;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use renkei_exchange::identify::Query;
use town::Town;
use town::records::{column, table};

/// Microseconds, sorted.
struct Times(Vec<f64>);

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    fn quantile(&self, of: usize) -> f64 {
        let place = (self.0.len() * of / 1000).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }

    fn json(&self) -> String {
        let [p10, p50, p90, p99] = [100, 500, 900, 990].map(|of| self.quantile(of));
        format!(
            "{{\"p10_us\": {p10:.1}, \"p50_us\": {p50:.1}, \"p90_us\": {p90:.1}, \"p99_us\": {p99:.1}}}"
        )
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut size = |usual| arguments.next().map_or(usual, |size| size.parse().expect("a number"));
    let (residents, questions) = (size(5_000), size(400));
    let plot = arguments.next();
    let town = Town::of_size(residents, 100);
    let (header, records) = table(&town);
    let at = |name: &str| column(&header, name);
    let (id, kanji, birth, address) = (at("宛名番号"), at("氏名"), at("生年月日"), at("住所"));
    let step = (records.len() / questions.max(1)).max(1);
    let asked: Vec<&Vec<String>> = records.iter().step_by(step).take(questions).collect();
    let mut report = "宛名番号,支援措置\n".to_owned();
    for record in asked.iter().step_by(2) {
        writeln!(report, "{},1", record[id]).expect("text");
    }
    town.report(2, &report).expect("a report");
    let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    let indexed = town.indexes.get(snapshot).expect("an index");
    let mut times = [Vec::new(), Vec::new()];
    // The first round warms up.
    for round in 0..5 {
        for (number, record) in asked.iter().enumerate() {
            let query = Query::new([
                ("name_kanji", record[kanji].as_str()),
                ("birth_date", record[birth].as_str()),
                ("address", record[address].as_str()),
            ]);
            let query = query.expect("a question");
            let started = Instant::now();
            black_box(query.ask_guarded(&indexed, &town.protected()));
            let taken = started.elapsed().as_secs_f64() * 1e6;
            if round > 0 {
                times[number % 2].push(taken);
            }
        }
    }
    let [protected, others] = times.map(Times::of);
    println!(
        "{{\"residents\": {residents}, \"answers\": {}, \"protected\": {}, \"others\": {}}}",
        protected.0.len() + others.0.len(),
        protected.json(),
        others.json()
    );
    if let Some(path) = plot {
        std::fs::write(path, drawn(&protected, &others)).expect("a file that can be written");
    }
}

/// Both distributions as curves from 0 to the time that 99 of 100 answers keep.
fn drawn(protected: &Times, others: &Times) -> String {
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 320.0;
    let most = protected.quantile(990).max(others.quantile(990)).max(1.0);
    let curve = |times: &Times| -> String {
        let point = |share: usize| {
            let x = 60.0 + (WIDTH - 80.0) * (times.quantile(share) / most).min(1.0);
            let y = HEIGHT - 40.0 - (HEIGHT - 80.0) * share as f64 / 1000.0;
            format!("{x:.1},{y:.1} ")
        };
        (0..=99).map(|share| point(share * 10)).collect()
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"60\" y=\"24\">Share of answers that took at most so long</text>\n"
    );
    let (left, right, bottom) = (60.0, WIDTH - 20.0, HEIGHT - 40.0);
    for part in 0..=4 {
        let share = f64::from(part) / 4.0;
        let (x, y) = (left + (right - left) * share, bottom - (HEIGHT - 80.0) * share);
        let (time, percent) = (most * share, share * 100.0);
        writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"{y}\" x2=\"{right}\" y2=\"{y}\" stroke=\"#ddd\"/>\n\
             <text x=\"52\" y=\"{y}\" text-anchor=\"end\">{percent:.0} %</text>\n\
             <text x=\"{x}\" y=\"{:.0}\" text-anchor=\"middle\">{time:.0} µs</text>",
            bottom + 18.0
        )
        .expect("text");
    }
    for (times, colour, name, y) in
        [(others, "#1f77b4", "others", 60.0), (protected, "#d62728", "protected", 78.0)]
    {
        writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>\n\
             <text x=\"80\" y=\"{y}\" fill=\"{colour}\">{name}</text>",
            curve(times).trim_end()
        )
        .expect("text");
    }
    svg + "</svg>\n"
}
