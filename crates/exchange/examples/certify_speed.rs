//! How long certifying and reconciling a large list takes: `cargo run --release -p renkei-exchange --example certify_speed --
//! 1000000 300000`, residents and lines; with `households` behind them the programme pays households, stops one and excludes another,
//! and the register goes on between the signatures, so that the second asks again whom every line pays.
//!
//! It prints one JSON object. The seconds of the two signatures contain everything between call and durable frame: reading
//! register and list, drawing up, sealing and reading back the batch, and holding the books against what was declared. One
//! resident of a thousand is protected, so that the payments beside them have to be found.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/town/mod.rs"]
mod town;

use std::time::Instant;

use renkei_exchange::permit::SeeTotals;
use renkei_exchange::programme::{PayeeUnit, Rules};
use renkei_exchange::reconcile::{Sheet, look};
use town::Town;
use town::families::with_days;
use town::records::delta;
use town::stops::{hold, leave_out};

/// The column of the household's number.
const HOUSEHOLD: usize = 1;

/// The last residents who have a household.
fn last_records(town: &Town) -> Vec<Vec<String>> {
    let records = town.residents().lines().rev();
    let cells = records.map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    cells.filter(|cells| !cells[HOUSEHOLD].is_empty()).take(3).collect()
}

fn main() {
    let mut sizes = std::env::args().skip(1).take(2).map(|size| size.parse().expect("a number"));
    let (residents, lines) = (sizes.next().unwrap_or(20_000), sizes.next().unwrap_or(6_000));
    let of_households = std::env::args().nth(3).is_some_and(|word| word == "households");
    let town = match of_households {
        true => Town::of_size_and_rules((residents, lines), with_days, |rules| Rules {
            unit: PayeeUnit::Household,
            ..rules
        }),
        false => Town::of_size(residents, lines),
    };
    let list = town.linked_list("wave-1", lines);
    let ids =
        town.residents().lines().skip(1).step_by(1000).filter_map(|line| line.split(',').next());
    let protected: String = ids.map(|id| format!("{id},1\n")).collect();
    town.report(2, &format!("宛名番号,支援措置\n{protected}")).expect("a report");
    let last = last_records(&town);
    if of_households {
        hold(&town, &last[0][HOUSEHOLD]);
        leave_out(&town, &last[1][HOUSEHOLD]);
    }

    let started = Instant::now();
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    let first = started.elapsed();

    if of_households {
        let header: Vec<String> = town
            .residents()
            .lines()
            .next()
            .expect("a header")
            .split(',')
            .map(str::to_owned)
            .collect();
        let mut moved = last[2].clone();
        moved[HOUSEHOLD] = "900001".to_owned();
        town.apply(1, &delta(&header, &[("変更", moved)])).expect("a delta");
    }

    let started = Instant::now();
    town.sign("certifier-2", list, batch).expect("the second signature");
    let second = started.elapsed();

    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let permit = town.permit_own::<SeeTotals>("certifier-1");
    let started = Instant::now();
    let sheets = runtime.block_on(look(&town.exchange, permit, Sheet::Programme(town.programme)));
    let reconciled = started.elapsed();
    let sheets = sheets.expect("a sheet").reply;
    assert!(sheets.iter().all(|(_, sheet)| sheet.is_balanced()), "every sum is what was declared");

    let payees = town.exchange.state().batches.get(&batch).expect("the batch").totals.lines;
    println!(
        "{{\"residents\": {residents}, \"lines\": {lines}, \"payees\": {payees}, \"first_signature_seconds\": {:.3}, \
         \"second_signature_seconds\": {:.3}, \"reconcile_seconds\": {:.3}}}",
        first.as_secs_f64(),
        second.as_secs_f64(),
        reconciled.as_secs_f64()
    );
}
