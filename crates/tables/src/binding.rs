//! From a header to column numbers.

use std::fmt;

use renkei_types::{FieldKind, Language, Localised};

use crate::batch::Batch;
use crate::columns::{fold, is_known, names_of};
use crate::schema::{Schema, SchemaError};

/// Which part a file plays.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// Says who exists.
    Register,
    /// Its lines are to be linked.
    List,
    /// The one file of `dedupe`.
    Input,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Register => "register",
            Self::List => "list",
            Self::Input => "input",
        })
    }
}

impl Localised for Side {
    fn localised(&self, language: Language) -> String {
        match self {
            Self::Register => language.pick("register", "台帳").to_owned(),
            Self::List => language.pick("list", "リスト").to_owned(),
            Self::Input => language.pick("input", "入力").to_owned(),
        }
    }
}

/// Where a schema's columns stand in one file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binding {
    /// The part the file plays.
    pub side: Side,
    /// The id column.
    pub id: usize,
    /// The amount column, if the side has one.
    pub amount: Option<usize>,
    /// One for every field of the schema, in its order; without columns where the file does not have the field.
    pub fields: Vec<BoundField>,
}

/// The columns of one field in one file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BoundField {
    /// The field's name.
    pub name: String,
    /// The field's kind.
    pub kind: FieldKind,
    /// Column numbers from 0, in the order in which they are joined; empty where the file does not have the field.
    pub columns: Vec<usize>,
}

impl BoundField {
    /// The field's text in one row: its columns without surrounding white space, joined by one space, empty ones left
    /// out. Several columns are written to `scratch`; one column is borrowed from the batch.
    pub fn text<'a>(&self, batch: &'a Batch, row: usize, scratch: &'a mut String) -> &'a str {
        match self.columns.as_slice() {
            [] => "",
            [column] => batch.cell(*column, row).trim(),
            columns => {
                scratch.clear();
                for cell in columns.iter().map(|&column| batch.cell(column, row).trim()) {
                    if !cell.is_empty() {
                        if !scratch.is_empty() {
                            scratch.push(' ');
                        }
                        scratch.push_str(cell);
                    }
                }
                scratch
            }
        }
    }
}

/// The longest id, in bytes: many times what any system numbers its records with. Ids are repeated in every result, and the cell of
/// a workbook holds 32,767 letters.
pub const ID_BYTES_MAX: usize = 256;

/// Whether a text can be an id: a control character in it would be in every table, log and screen that shows it.
pub fn is_usable_id(text: &str) -> bool {
    // All control characters above ASCII begin with one byte; nearly no id has to be read letter by letter.
    let may_be_control = |byte: u8| byte < 0x20 || byte == 0x7F || byte == 0xC2;
    text.len() <= ID_BYTES_MAX
        && !(text.bytes().any(may_be_control) && text.chars().any(char::is_control))
}

impl Binding {
    /// The id of one row, without surrounding white space; empty where there is none, or where what stands there cannot be one.
    pub fn id<'a>(&self, batch: &'a Batch, row: usize) -> &'a str {
        let id = batch.cell(self.id, row).trim();
        if is_usable_id(id) { id } else { "" }
    }
}

impl Schema {
    /// Finds this schema's columns in a header. The error names no file; see [`SchemaError::in_file`] and
    /// `TableReader::bind`.
    ///
    /// Of a schema file, every named column must be there. Of the built-in schema: the id, the amount of a list, and a
    /// name or its kana. A name that stands twice is an error only where it is wanted.
    pub fn bind(&self, header: &[String], side: Side) -> Result<Binding, SchemaError> {
        let lookup = Header::new(header, self);
        let id_column = self.id_column(side).ok_or(SchemaError::NoIdColumn { side })?;
        let mut id_names = self.names(id_column);
        if self.built_in && side == Side::Input {
            id_names.extend(self.names("benefit_id"));
        }
        let id = lookup.find(&id_names)?.ok_or_else(|| lookup.missing("id", id_names))?;

        let mut fields = Vec::with_capacity(self.fields.len());
        let mut amount = None;
        for field in &self.fields {
            let mut columns = Vec::new();
            for column in field.columns(side) {
                let names = self.names(column);
                match lookup.find(&names)? {
                    Some(found) => columns.push(found),
                    None if self.may_be_absent(field.kind, side) => {}
                    None => return Err(lookup.missing(&field.name, names)),
                }
            }
            if field.kind == FieldKind::Amount {
                amount = columns.first().copied().or(amount);
            }
            fields.push(BoundField { name: field.name.clone(), kind: field.kind, columns });
        }
        let named = |field: &BoundField| {
            matches!(field.name.as_str(), "name_kanji" | "name_kana") && !field.columns.is_empty()
        };
        if self.built_in && !fields.iter().any(named) {
            let names = self.names("name_kanji").into_iter().chain(self.names("name_kana"));
            return Err(lookup.missing("name", names.collect()));
        }
        Ok(Binding { side, id, amount, fields })
    }

    fn may_be_absent(&self, kind: FieldKind, side: Side) -> bool {
        self.built_in && !(kind == FieldKind::Amount && side == Side::List)
    }

    fn names(&self, column: &str) -> Vec<String> {
        let known = if self.built_in { names_of(column) } else { None };
        match known {
            Some(names) => names.map(str::to_owned).collect(),
            None => vec![column.to_owned()],
        }
    }
}

struct Header<'a> {
    names: &'a [String],
    folded: Vec<String>,
    /// At least one cell is a name that the schema or the built-in columns know. Where none is, the line may be data,
    /// and its cells must not be shown.
    is_header: bool,
}

impl<'a> Header<'a> {
    fn new(names: &'a [String], schema: &Schema) -> Self {
        let folded: Vec<String> = names.iter().map(|name| fold(name)).collect();
        let sides = [Side::Register, Side::List, Side::Input];
        let wanted: Vec<String> = sides
            .iter()
            .flat_map(|&side| {
                let of_fields = schema.fields.iter().flat_map(move |field| field.columns(side));
                of_fields.map(String::as_str).chain(schema.id_column(side))
            })
            .map(fold)
            .collect();
        let is_header = names.iter().any(|name| is_known(name))
            || folded.iter().any(|name| wanted.contains(name));
        Self { names, folded, is_header }
    }

    /// The column under the first of `wanted` that is there: as written, else with width, space and case made equal.
    fn find(&self, wanted: &[String]) -> Result<Option<usize>, SchemaError> {
        for name in wanted {
            let found = self.only(name, |column| self.names[column].trim() == name)?;
            let found = match found {
                Some(column) => Some(column),
                None => {
                    let folded = fold(name);
                    self.only(name, |column| self.folded[column] == folded)?
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn only(&self, name: &str, fits: impl Fn(usize) -> bool) -> Result<Option<usize>, SchemaError> {
        let mut found = (0..self.names.len()).filter(|&column| fits(column));
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => {
                Err(SchemaError::ColumnRepeated { file: String::new(), name: name.to_owned() })
            }
        }
    }

    fn missing(&self, what: &str, wanted: Vec<String>) -> SchemaError {
        /// A header longer than this is cut in the message.
        const NAMES_MAX: usize = 40;
        let mut found = Vec::new();
        if self.is_header {
            found.extend(self.names.iter().take(NAMES_MAX).map(|name| shorten(name)));
            if self.names.len() > NAMES_MAX {
                found.push("…".to_owned());
            }
        }
        SchemaError::ColumnMissing {
            file: String::new(),
            what: what.to_owned(),
            wanted,
            found,
            header_may_be: None,
        }
    }
}

fn shorten(name: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut short: String = name.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
    if name.chars().count() > CHARS_MAX {
        short.push('…');
    }
    short
}
