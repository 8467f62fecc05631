//! A doubtful line and its candidates side by side, with the differences marked.

use comfy_table::Table;
use renkei_api::outcome_text;
use renkei_api::v1::{CandidateRecord, Cell, ComparedCell, Difference, Task};
use serde_json::{Value, json};

use super::names::short;
use super::session::plain;
use crate::environment::Environment;
use crate::text_table::text_table;
use crate::words;

/// Fields down, the line and its candidates across. Candidates stay in the order in which they came, which is chance.
pub(super) fn candidates_table(
    line: &[Cell],
    candidates: &[CandidateRecord],
    environment: &Environment,
) -> Table {
    let mut header = vec![
        environment.say("field", "項目").to_owned(),
        environment.say("line", "リスト").to_owned(),
    ];
    header.extend(candidates.iter().map(|candidate| {
        let held = if candidate.held { " *" } else { "" };
        format!("{}{held}", plain(&candidate.register_id))
    }));
    let mut table = text_table(header, &[]);
    for field in fields(line, candidates) {
        let of_line = line.iter().find(|cell| cell.field == field);
        let mut row = vec![
            plain(&words::field(environment.language, field)),
            of_line.map(|cell| plain(&cell.value)).unwrap_or_default(),
        ];
        row.extend(candidates.iter().map(|candidate| {
            let cell = candidate.cells.iter().find(|cell| cell.field == field);
            cell.map(marked).unwrap_or_default()
        }));
        table.add_row(row);
    }
    table
}

/// The line's fields in its order, then those that only candidates have.
fn fields<'a>(line: &'a [Cell], candidates: &'a [CandidateRecord]) -> Vec<&'a str> {
    let of_line = line.iter().map(|cell| cell.field.as_str());
    let of_candidates =
        candidates.iter().flat_map(|candidate| &candidate.cells).map(|cell| cell.field.as_str());
    let mut fields = Vec::new();
    for field in of_line.chain(of_candidates) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

fn marked(cell: &ComparedCell) -> String {
    let mark = match cell.difference() {
        Difference::Unspecified => " ",
        Difference::Same => "=",
        Difference::Other => "≠",
        Difference::LineOnly => "-",
        Difference::CandidateOnly => "+",
    };
    format!("{mark} {}", plain(&cell.value))
}

/// A task as one object.
pub(super) fn task_json(task: &Task) -> Value {
    let line = task.line.iter().map(|cell| (cell.field.clone(), json!(cell.value)));
    json!({
        "task_id": task.task_id,
        "outcome": outcome_text(task.outcome()),
        "reason": task.reason,
        "line": line.collect::<serde_json::Map<_, _>>(),
        "candidates": task.candidates.iter().map(candidate_json).collect::<Vec<_>>(),
        "lease_until": task.lease_until,
        "version": task.version,
    })
}

/// A candidate as one object.
pub(super) fn candidate_json(candidate: &CandidateRecord) -> Value {
    let cell = |cell: &ComparedCell| {
        json!({
            "field": cell.field,
            "value": cell.value,
            "difference": short(cell.difference().as_str_name(), "DIFFERENCE_"),
        })
    };
    json!({
        "register_id": candidate.register_id,
        "held": candidate.held,
        "cells": candidate.cells.iter().map(cell).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(field: &str, value: &str) -> Cell {
        Cell { field: field.to_owned(), value: value.to_owned() }
    }

    fn compared(field: &str, value: &str, difference: Difference) -> ComparedCell {
        ComparedCell {
            field: field.to_owned(),
            value: value.to_owned(),
            difference: difference.into(),
        }
    }

    #[test]
    fn differences_are_marked_and_fields_of_the_line_come_first() {
        assert_eq!(marked(&compared("sex", "1", Difference::Same)), "= 1");
        assert_eq!(marked(&compared("sex", "2", Difference::Other)), "≠ 2");
        assert_eq!(marked(&compared("sex", "", Difference::LineOnly)), "- ");
        let line = [cell("name_kana", "ヤマダ"), cell("sex", "1")];
        let candidate = CandidateRecord {
            cells: vec![
                compared("alias", "x", Difference::CandidateOnly),
                compared("sex", "1", Difference::Same),
            ],
            ..CandidateRecord::default()
        };
        assert_eq!(fields(&line, &[candidate]), ["name_kana", "sex", "alias"]);
    }

    #[test]
    fn a_task_keeps_the_order_of_its_candidates() {
        let candidate =
            |id: &str| CandidateRecord { register_id: id.to_owned(), ..CandidateRecord::default() };
        let task = Task { candidates: vec![candidate("b"), candidate("a")], ..Task::default() };
        let object = task_json(&task);
        assert_eq!(object["candidates"][0]["register_id"], "b");
    }
}
