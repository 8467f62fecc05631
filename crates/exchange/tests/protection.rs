//! Protected persons: what says where they live is withheld, whatever the register said when, and of everybody where it
//! is not known who they are.

mod town;

use renkei_exchange::book::{DecidedLine, outcome, read_result_chunk};
use renkei_exchange::identify::Query;
use renkei_exchange::link_code::Naming;
use renkei_exchange::results::{thresholds, told_weights};
use renkei_exchange::shown::{self, Candidate, Withheld};
use renkei_exchange::unknown_ids::UnknownIds;
use renkei_linkage::{Identification, Outcome};
use renkei_types::{ListId, Reason};
use town::Town;

const PLACES: &[&str] = &["address", "building", "postal_code", "previous_address"];

fn id_and<'a>(town: &'a Town, columns: &[&str]) -> Vec<(String, Vec<&'a str>)> {
    let mut lines = town.residents().lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').map(str::trim).collect();
    let at = |name: &str| header.iter().position(|known| *known == name).expect("a column");
    lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| cells.len() == header.len())
        .map(|cells| {
            let told = columns.iter().map(|name| cells[at(name)]).collect();
            (cells[at("宛名番号")].to_owned(), told)
        })
        .collect()
}

/// What a clerk is shown of everybody whom the tasks of a list could mean.
fn shown_candidates(town: &Town, list: ListId) -> Vec<Candidate> {
    let book = town.exchange.ask_now(move |desk| desk.book(list)).expect("the book");
    let state = town.exchange.state();
    let (vault, permit) = (town.exchange.vault(), town.permit_review("clerk-1", list));
    let protected = town.protected();
    let naming = Naming::under(&town.exchange, &permit, town.register).expect("names");
    let withheld = Withheld { naming: &naming, protected: &protected };
    let places = state.tasks(list).map(|(place, _)| place);
    let of_task = |place: renkei_exchange::review::TaskPlace| {
        let row = book.task_rows()[place.number as usize];
        shown::task(vault, &state, &permit, withheld, place, row).expect("a task").candidates
    };
    places.flat_map(of_task).collect()
}

fn has_place(candidate: &Candidate) -> bool {
    let place = |cell: &&shown::ComparedCell| PLACES.contains(&cell.cell.field());
    candidate.cells.iter().filter(place).any(|cell| !cell.cell.value().is_empty())
}

fn fields(candidate: &Candidate) -> Vec<&str> {
    candidate.cells.iter().map(|cell| cell.cell.field()).collect()
}

/// D16. What fails without `named` in `shown::candidates`: the register of the list knows nothing of it.
#[test]
fn a_report_withholds_where_somebody_lives_at_once_also_in_lists_that_were_linked_before() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let before = shown_candidates(&town, list);
    let someone = before.iter().find(|candidate| has_place(candidate)).expect("an address");
    let report = format!("宛名番号,支援措置\n{},1\n", someone.name);
    assert_eq!(town.report(2, &report).expect("a report").persons, 1);
    let after = shown_candidates(&town, list);
    assert_eq!(after.len(), before.len());
    for (then, now) in before.iter().zip(&after) {
        assert_eq!(fields(now), fields(then), "the same fields for everybody");
        assert_eq!(has_place(now), has_place(then) && now.name != someone.name);
        assert!(now.cells.iter().all(|cell| cell.cell.field() != "protected"));
    }
}

/// Without `without_zeros` in `Protected::covers` a spreadsheet that has eaten the zeros takes the protection away.
#[test]
fn a_report_without_the_zeros_of_its_ids_protects_all_the_same_and_ids_of_nobody_are_counted() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let someone = shown_candidates(&town, list).into_iter().find(has_place).expect("an address");
    let eaten = someone.name.trim_start_matches('0');
    assert_ne!(eaten, someone.name);
    let report = format!("宛名番号,支援措置\n{eaten},1\nnobody,1\n");
    let reported = town.report(2, &report).expect("a report");
    assert_eq!(reported.unknown, Some(UnknownIds { ids: 2, zeros_differ: 1 }));
    let shown = shown_candidates(&town, list);
    assert!(shown.iter().filter(|one| one.name == someone.name).all(|one| !has_place(one)));
    let over = format!("宛名番号,支援措置\n{},0\n", someone.name);
    assert_eq!(town.report(3, &over).expect("it is over").persons, 1);
    assert!(
        shown_candidates(&town, list).iter().any(|one| one.name == someone.name && has_place(one))
    );
}

/// What fails without `is_stale` in `Protected::covers`, or without the age in `protection_is_stale`.
#[test]
fn what_is_missing_or_too_old_protects_everybody() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let (state, now) = (town.exchange.state(), town.exchange.clock().now());
    let at = |town: &Town, now| {
        let (state, vault) = (town.exchange.state(), town.exchange.vault());
        town.indexes.protected(&state, vault, town.register, now)
    };
    assert!(!at(&town, now).is_stale && shown_candidates(&town, list).iter().any(has_place));
    let days = |days: i64| now + jiff::SignedDuration::from_hours(24 * days);
    assert!(!at(&town, days(7)).is_stale);
    assert!(at(&town, days(8)).is_stale && at(&town, days(8)).covers("anybody"));
    // An empty report is enough: nothing has changed.
    town.report(2, "宛名番号,支援措置\n").expect("nothing has changed");
    // What is not loaded is not known either.
    let empty = renkei_exchange::index::Indexes::default();
    assert!(empty.protected(&state, town.exchange.vault(), town.register, now).is_stale);
}

#[test]
fn a_period_that_has_ended_protects_and_is_counted_until_it_is_said_to_be_over() {
    let mut town = Town::new();
    let id = id_and(&town, &[])[0].0.clone();
    let header = "宛名番号,支援措置,支援措置期限";
    town.report(2, &format!("{header}\n{id},1,2026-10-31\n")).expect("a report");
    let today = town.exchange.clock().today();
    assert!(town.protected().covers(&id));
    assert_eq!(town.protected().overdue(today), 1);
    // Who is not named again stays protected, also over a restart.
    town.report(3, &format!("{header}\n")).expect("nothing has changed");
    town.restart();
    town.follow();
    assert!(town.protected().covers(&id) && !town.protected().covers("somebody"));
    town.report(4, &format!("{header}\n{id},0,\n")).expect("it is over");
    assert!(!town.protected().covers(&id));
    assert_eq!(town.protected().overdue(today), 0);
}

#[test]
fn the_end_of_a_period_is_told_before_and_after_it_without_names() {
    let town = Town::new();
    let ids: Vec<String> = id_and(&town, &[]).into_iter().map(|(id, _)| id).collect();
    // The town's day is 2026-11-21.
    let days = ["2026-11-20", "2026-11-21", "2026-12-22", "2026-12-23", ""];
    let lines = ids.iter().zip(days).map(|(id, day)| format!("{id},1,{day}\n"));
    let report = format!("宛名番号,支援措置,支援措置期限\n{}", lines.collect::<String>());
    assert_eq!(town.report(2, &report).expect("a report").overdue, 1);
    let outlook = |day: &str| town.protected().outlook(day.parse().expect("a day"));
    let told = outlook("2026-11-21");
    assert_eq!((told.overdue, told.ending_soon), (1, 2));
    assert_eq!(told.next_end, "2026-11-21".parse().ok());
    assert!(told.is_warning() && !told.is_stale);
    assert_eq!(outlook("2027-06-01").overdue, 4);
    assert_eq!(outlook("2027-06-01").next_end, None);
}

/// What fails without `told_weights`: a list with guesses at an address shows by its weights which of them is right.
#[test]
fn the_weight_of_a_protected_person_is_that_of_another_line_with_the_same_outcome() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let state = town.exchange.state();
    let (vault, linked) = (town.exchange.vault(), state.linked_list(list).expect("linked").1);
    let mut lines = read_result_chunk(vault, linked, 0).expect("lines");
    let thresholds = thresholds(vault, linked);
    assert!(thresholds.is_some(), "the job has kept its model");
    let is_linked = |line: &DecidedLine| outcome(line.outcome) == Outcome::Linked;
    let at = lines.iter().position(is_linked).expect("a linked line");
    let hidden = lines[at].register_row.expect("a resident");
    let told = |lines: &[DecidedLine], all: bool| {
        told_weights(vault, linked, 0, lines, thresholds, |row| all || row == hidden)
            .expect("weights")
    };
    let before = told(&lines, false);
    let others: Vec<i32> = lines
        .iter()
        .filter(|line| is_linked(line) && line.register_row != Some(hidden))
        .map(|line| line.weight)
        .collect();
    assert!(others.contains(&before[at]));
    for (line, told) in lines.iter().zip(&before) {
        assert!(line.register_row == Some(hidden) || *told == line.weight);
    }
    // However well the address fits, the same is told.
    lines[at].weight += 5_000;
    assert_eq!(told(&lines, false), before);
    // Of everybody nothing is told but the outcome.
    let link = thresholds.map(|it| it.link.millibits());
    assert_eq!(Some(told(&lines, true)[at]), link);
}

/// What fails without the match on `before` in `Report::decide`.
#[test]
fn reports_are_numbered_like_deltas() {
    let town = Town::new();
    let nobody = "宛名番号,支援措置\n";
    let gap = town.report(3, nobody).expect_err("a gap");
    assert_eq!((gap.reason, gap.expected), (Reason::DeltaGap, Some(2)));
    let second = town.report(2, nobody).expect("the second");
    assert_eq!(town.report(2, nobody).expect("again"), second);
    let other = town.report(2, "宛名番号,支援措置\nx,1\n").expect_err("another file");
    assert_eq!((other.reason, other.expected), (Reason::DeltaDiffers, Some(3)));
    let twice = town.report(3, "宛名番号,支援措置\nx,1\nx,0\n").expect_err("yes and no");
    assert_eq!((twice.reason, twice.line), (Reason::IdRepeated, Some(3)));
}

/// What fails without `without_places` in `Query::ask_guarded`.
#[test]
fn a_guessed_address_of_a_protected_person_weighs_the_same_right_or_wrong() {
    let town = Town::new();
    let people = id_and(&town, &["氏名", "生年月日", "住所", "郵便番号"]);
    let ask = |name: &str, birth: &str, address: &str, postal: &str| -> Identification {
        let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a register");
        let indexed = town.indexes.get(snapshot).expect("an index");
        let query = Query::new([
            ("name_kanji", name),
            ("birth_date", birth),
            ("address", address),
            ("postal_code", postal),
        ]);
        query.expect("a question").ask_guarded(&indexed, &town.protected())
    };
    let (id, told) = &people[0];
    let elsewhere = people.iter().find(|(_, other)| other[3] != told[3]).expect("elsewhere");
    let right = || ask(told[0], told[1], told[2], told[3]);
    let wrong = || ask(told[0], told[1], elsewhere.1[2], elsewhere.1[3]);
    let weights = |found: &Identification| -> Vec<_> {
        found.candidates.iter().map(|one| (one.resident, one.weight)).take(1).collect()
    };
    assert_ne!(weights(&right()), weights(&wrong()), "an address is evidence");
    town.report(2, &format!("宛名番号,支援措置\n{id},1\n")).expect("a report");
    assert_eq!(weights(&right()), weights(&wrong()));
    assert_eq!(right().decision.outcome, wrong().decision.outcome);
}
