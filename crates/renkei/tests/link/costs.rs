//! What wrong links may cost, and what becomes of lists that cannot be linked as well as that.

use crate::linking::{link, link_some};
use crate::support::sample::payments;
use crate::support::{Folder, Run, Sheet, cp932, renkei};

/// The same list from a system that exports no dates of birth.
fn without_dates(mut list: Sheet) -> Sheet {
    let at = list.header.iter().position(|column| column == "生年月日").expect("a column");
    list.header.remove(at);
    list.rows.iter_mut().for_each(|row| {
        row.remove(at);
    });
    list
}

/// How many lines were linked.
fn links(run: &Run) -> u64 {
    run.json()["outcomes"]["LINKED"]["lines"].as_u64().expect("a number")
}

#[test]
fn lines_held_back_are_told_and_linked_at_the_cost_that_is_named() {
    let list = without_dates(Sheet::read(&payments()));
    let half = list.rows.len() as u64 / 2;
    let (_folder, strict) = link_some(&list, |run, _| run.option("--false-link-cost", "1000000"));
    let strict = strict.exits(0);
    assert!(links(&strict) < half, "{}", links(&strict));
    let told = &strict.stderr;
    let (_, advice) = told.split_once("--false-link-cost ").expect(told);
    let cost: String = advice.chars().take_while(char::is_ascii_digit).collect();
    let (_folder, advised) = link_some(&list, |run, _| run.option("--false-link-cost", &cost));
    let advised = advised.exits(0);
    assert!(links(&advised) > half, "{cost}: {}", links(&advised));
    assert!(!advised.stderr.contains("--false-link-cost"), "{}", advised.stderr);
}

#[test]
fn a_long_list_without_dates_of_birth_is_not_left_to_clerks() {
    let folder = Folder::new();
    let place = folder.path("");
    let size = ["--residents", "40000", "--lines", "12000", "--mix", "typical", "--seed", "7"];
    renkei(
        ["generate".as_ref(), "--dir".as_ref(), place.as_os_str()]
            .into_iter()
            .chain(size.iter().map(std::ffi::OsStr::new)),
    )
    .exits(0);
    let list = without_dates(Sheet::read(&folder.path("payments.csv")));
    let without = folder.write("without.csv", cp932(&list.csv()));
    let register = folder.path("residents.csv");
    let run = link(&place, "links.csv", &register, &without, |_| {}).exits(0);
    assert!(links(&run) > 9_600, "{}", links(&run));
    let truth = Sheet::read(&folder.path("truth.csv"));
    let persons = truth.map("benefit_id", "resident_id");
    let linked = Sheet::read(&folder.path("links.csv"));
    let is_wrong = |row: &usize| {
        linked.cell(*row, "outcome") == "LINKED"
            && persons[linked.cell(*row, "list_id")] != linked.cell(*row, "register_id")
    };
    let wrong = (0..linked.rows.len()).filter(is_wrong).count();
    assert!(wrong <= 12, "{wrong} of {}", links(&run));
}
