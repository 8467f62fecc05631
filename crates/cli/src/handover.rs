//! The lists that offices hand to each other for a benefit, as `data/handover_lists.tsv` has them.
//!
//! Each has a code (L1 to L12), who hands it to whom, what must reconcile, and its columns. Where a column is one that this
//! program reads, its header is one that is known, so that a file made from the template needs no schema.

/// The table.
const TABLE: &str = include_str!("../data/handover_lists.tsv");

/// A list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HandoverList {
    /// L1 to L12.
    pub(crate) code: &'static str,
    pub(crate) japanese: &'static str,
    pub(crate) english: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// What must add up when it is handed over.
    pub(crate) reconciles: &'static str,
    pub(crate) columns: Vec<HandoverColumn>,
}

/// One of its columns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct HandoverColumn {
    pub(crate) header: &'static str,
    /// Canonical name; nothing for what this program hands on without reading it.
    pub(crate) field: Option<&'static str>,
    pub(crate) needed: bool,
    pub(crate) note: &'static str,
}

/// Every list, in order.
pub(crate) fn lists() -> Vec<HandoverList> {
    let mut lists: Vec<HandoverList> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        match cell(0) {
            "list" => lists.push(HandoverList {
                code: cell(1),
                japanese: cell(2),
                english: cell(3),
                from: cell(4),
                to: cell(5),
                reconciles: cell(6),
                columns: Vec::new(),
            }),
            "column" => {
                if let Some(list) = lists.iter_mut().find(|list| list.code == cell(1)) {
                    list.columns.push(HandoverColumn {
                        header: cell(2),
                        field: Some(cell(3)).filter(|field| *field != "-"),
                        needed: cell(4) == "yes",
                        note: cell(5),
                    });
                }
            }
            _ => {}
        }
    }
    lists
}

/// The list of a code, in either case.
pub(crate) fn list(code: &str) -> Option<HandoverList> {
    lists().into_iter().find(|list| list.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use renkei_tables::built_in_column;

    use super::*;

    #[test]
    fn every_row_of_the_table_is_a_list_or_a_column_of_one() {
        let codes: Vec<&str> = lists().iter().map(|list| list.code).collect();
        let wanted: Vec<String> = (1..=12).map(|number| format!("L{number}")).collect();
        assert_eq!(codes, wanted);
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows, 12 + lists().iter().map(|list| list.columns.len()).sum::<usize>());
        for list in lists() {
            assert!(!list.columns.is_empty() && !list.reconciles.is_empty(), "{}", list.code);
            for column in &list.columns {
                assert!(!column.header.is_empty(), "{}", list.code);
            }
        }
    }

    #[test]
    fn a_header_of_a_template_is_known_for_what_it_is() {
        for list in lists() {
            let header: Vec<String> =
                list.columns.iter().map(|column| column.header.to_owned()).collect();
            for (at, column) in list.columns.iter().enumerate() {
                if let Some(field) = column.field {
                    let found = built_in_column(&header, field);
                    assert_eq!(found, Some(at), "{} {}", list.code, column.header);
                }
            }
        }
    }
}
