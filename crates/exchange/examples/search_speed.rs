//! How long a clerk's search of the register takes: `cargo run --release -p renkei-exchange --example search_speed -- 100000 500`,
//! residents and searches.
//!
//! It prints one JSON object. A search is all that the broker does for `review search` below the network: both questions to
//! the index, the leaf that is durable before anything is shown, and reading and comparing the records that are. It is fast
//! enough to type into if 99 of 100 take less than 50 ms. Clerks type what they know: a name, a name and a birthday, or a part of
//! either.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/town/mod.rs"]
mod town;

use std::time::{Duration, Instant};

use renkei_exchange::command::Call;
use renkei_exchange::identify::Query;
use renkei_exchange::link_code::Naming;
use renkei_exchange::review::{Claim, Searched};
use renkei_exchange::shown::{self, CANDIDATES_MAX, Withheld};
use town::records::{column, table};
use town::{Town, caller};

/// So many letters of a text.
fn letters(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

fn main() {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse().expect("a number"));
    let (residents, searches) = (sizes.next().unwrap_or(20_000), sizes.next().unwrap_or(200));
    let lines = 500;
    let town = Town::of_size(residents, lines);
    let list = town.linked_list("wave-1", lines);
    let clerk = || town.permit_review("clerk-1", list);
    let claim = Claim {
        permit: clerk(),
        list,
        parked: false,
        duration: Duration::from_secs(24 * 3600),
        records_max: 10,
    };
    let claimed = town.exchange.execute_now(Call::read(caller("clerk-1")), claim);
    let place = claimed.expect("a claim").reply.expect("a task").place;

    let (header, records) = table(&town);
    let at = |name: &str| column(&header, name);
    let (kanji, kana, birth) = (at("氏名"), at("氏名カナ"), at("生年月日"));
    let step = (records.len() / searches).max(1);
    let mut taken: Vec<Duration> = Vec::with_capacity(searches);
    let mut shown_records = 0;
    for (number, record) in records.iter().step_by(step).take(searches).enumerate() {
        let (kanji, kana, birth) = (&record[kanji], &record[kana], &record[birth]);
        let values: Vec<(&str, String)> = match number % 5 {
            0 => vec![("name_kanji", kanji.clone())],
            1 => vec![("name_kana", letters(kana, 4))],
            2 => vec![("name_kana", kana.clone()), ("birth_date", birth.clone())],
            3 => vec![("name_kanji", letters(kanji, 2)), ("birth_date", letters(birth, 7))],
            _ => vec![("birth_date", birth.clone())],
        };
        let started = Instant::now();
        shown_records += search(&town, list, place, &values);
        taken.push(started.elapsed());
    }
    taken.sort_unstable();
    let quantile = |of: usize| {
        let place = (taken.len() * of / 1000).min(taken.len().saturating_sub(1));
        taken.get(place).map_or(0.0, |it| it.as_secs_f64() * 1000.0)
    };
    println!(
        "{{\"residents\": {residents}, \"searches\": {}, \"records_shown\": {shown_records}, \"p50_ms\": {:.2}, \"p99_ms\": {:.2}, \"max_ms\": {:.2}}}",
        taken.len(),
        quantile(500),
        quantile(990),
        quantile(1000),
    );
}

/// One search; answers how many records it shows.
fn search(
    town: &Town,
    list: renkei_types::ListId,
    place: renkei_exchange::review::TaskPlace,
    values: &[(&str, String)],
) -> usize {
    let (state, vault) = (town.exchange.state(), town.exchange.vault());
    let query = Query::new(values.iter().map(|(field, value)| (*field, value.as_str())));
    let snapshot = state.linked_list(list).expect("linked").1.snapshot;
    let indexed = town.indexes.get(snapshot).expect("an index");
    let protected = town.protected();
    let permit = town.permit_review("clerk-1", list);
    let may_be_shown = |field: &str| permit.allows_field(field);
    let query = query.expect("a question");
    let found = query.search(&indexed, &protected, may_be_shown, CANDIDATES_MAX).rows;
    let shown = town.answered(found.iter().map(|row| indexed.index.id(*row)));
    let searched = Searched { permit: permit.clone(), place, shown };
    town.exchange.execute_now(Call::read(caller("clerk-1")), searched).expect("a durable leaf");
    let book = town.exchange.ask_now(move |desk| desk.book(list)).expect("the book");
    let row = book.task_rows()[place.number as usize];
    let naming = Naming::under(&town.exchange, &permit, town.register).expect("names");
    let line = shown::line(vault, &state, place, row).expect("the line");
    let withheld = Withheld { naming: &naming, protected: &protected };
    let shown = shown::candidates(vault, &state, &permit, withheld, place, &line, &found);
    shown.expect("candidates").len()
}
