//! Files as `renkei generate` writes them, as rows of the engine: what both measurements of an index read.

use renkei_linkage::{Field, Fields, Rows};
use renkei_types::FieldKind;

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

/// A row of a file, split at commas.
pub(crate) type Cells = Vec<String>;

/// Rows of one of the two files.
pub(crate) struct Batch<'a> {
    pub(crate) rows: &'a [Cells],
    pub(crate) of_list: bool,
}

impl Rows for Batch<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> &str {
        &self.rows[row][0]
    }

    fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str {
        let columns = if self.of_list { COLUMNS[field].3 } else { COLUMNS[field].2 };
        if let [column] = columns {
            return &self.rows[row][*column];
        }
        scratch.clear();
        let cells = columns.iter().map(|&column| self.rows[row][column].as_str());
        for cell in cells.filter(|cell| !cell.is_empty()) {
            if !scratch.is_empty() {
                scratch.push(' ');
            }
            scratch.push_str(cell);
        }
        scratch
    }
}

/// The fields of both files.
pub(crate) fn fields() -> Fields {
    let field = |&(name, kind, register, list): &Column| Field {
        name: name.to_owned(),
        kind,
        in_register: !register.is_empty(),
        in_list: !list.is_empty(),
    };
    Fields { fields: COLUMNS.iter().map(field).collect(), ..Fields::default() }
}
