//! What happens to families: moves, deaths, and other numbers for their households.

use super::Town;
use super::families::Record;
use super::records::{column, delta, table};

/// Somebody's record in another household since a day; without one nobody knows since when.
pub(crate) fn moved(
    header: &[String],
    records: &[Vec<String>],
    who: &Record,
    (household, day): (&str, &str),
) -> Vec<String> {
    let id = column(header, "宛名番号");
    let known = records.iter().find(|cells| cells[id] == who["宛名番号"]);
    let mut cells = known.expect("a record").clone();
    cells[column(header, "世帯番号")] = household.to_owned();
    cells[column(header, "異動日")] = day.to_owned();
    if day.is_empty() {
        cells[column(header, "処理日")].clear();
    }
    cells
}

/// The register's records after a change, as a file.
pub(crate) fn changed(town: &Town, change: impl Fn(&[String], &mut Vec<String>)) -> String {
    let (header, records) = table(town);
    let lines = records.into_iter().map(|mut cells| {
        change(&header, &mut cells);
        cells.join(",") + "\n"
    });
    header.join(",") + "\n" + &lines.collect::<String>()
}

/// A notice that comes late: to which households some people belonged before the base date, and who is gone since when.
pub(crate) fn notice(
    town: &Town,
    number: u64,
    moves: &[(&Record, &str)],
    gone: &[(&Record, &str)],
) {
    let (header, records) = table(town);
    let of = |operation, who: &Record, place| (operation, moved(&header, &records, who, place));
    let moves = moves.iter().map(|(who, number)| of("変更", who, (*number, "2026-08-20")));
    let gone = gone.iter().map(|(who, day)| of("削除", who, (&who["世帯番号"], *day)));
    town.apply(number, &delta(&header, &moves.chain(gone).collect::<Vec<_>>())).expect("a delta");
}

/// Everybody under one number.
pub(crate) fn all_to<'a>(people: &'a [Record], household: &'a str) -> Vec<(&'a Record, &'a str)> {
    people.iter().map(|one| (one, household)).collect()
}

/// Everybody in another household since a day after the base date.
pub(crate) fn move_after(town: &Town, number: u64, moves: &[(&Record, &str)], gone: &[&Record]) {
    let (header, records) = table(town);
    let of = |operation, who: &Record, household| {
        (operation, moved(&header, &records, who, (household, "2026-10-05")))
    };
    let moves = moves.iter().map(|(who, household)| of("変更", who, *household));
    let gone = gone.iter().map(|who| of("削除", who, &who["世帯番号"]));
    town.apply(number, &delta(&header, &moves.chain(gone).collect::<Vec<_>>())).expect("a delta");
}

/// The register sent anew: a family under another number, nobody knows since when.
pub(crate) fn renumber(town: &mut Town, family: &[Record], number: &str) {
    let (header, records) = table(town);
    let id = column(&header, "宛名番号");
    let mut text = header.join(",") + "\n";
    for cells in &records {
        let who = family.iter().find(|one| one["宛名番号"] == cells[id]);
        let cells = match who {
            Some(who) => moved(&header, &records, who, (number, "")),
            None => cells.clone(),
        };
        text.push_str(&(cells.join(",") + "\n"));
    }
    town.replace_register(text);
}
