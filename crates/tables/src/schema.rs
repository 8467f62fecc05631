//! What the columns of a file mean.
//!
//! A [`Schema`] names the id, the fields and, for each side, the columns that make a field; [`Schema::bind`] finds them
//! in a header and yields a [`Binding`] of column numbers. Built-in schemas know the names that municipal files use
//! (`columns.rs`); a schema file names its columns itself, and every column it names must be there.

use std::str::FromStr;

use renkei_types::{DateOrder, FieldKind};
use serde::Deserialize;

pub use crate::binding::{Binding, BoundField, Side};
pub use crate::columns::fold;
pub use crate::schema_error::SchemaError;

/// The meaning of the columns of a register and a list, or of one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Which column holds the id, by side.
    pub id: IdColumns,
    /// How dates are read whose own shape does not tell.
    pub date_order: DateOrder,
    /// The fields, in the order of the file.
    pub fields: Vec<Field>,
    /// Names stand for the built-in columns with all their other names, and absent columns are allowed.
    pub(crate) built_in: bool,
}

/// The id columns; a side without one cannot be bound.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IdColumns {
    /// Of the register.
    pub register: Option<String>,
    /// Of the list.
    pub list: Option<String>,
    /// Of the one input of `dedupe`.
    pub input: Option<String>,
}

/// One field and the columns that make it, joined by one space.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name in models, reports and explanations.
    pub name: String,
    /// How its values are read and compared.
    pub kind: FieldKind,
    /// Columns in the register; empty: the register does not have it.
    pub register: Vec<String>,
    /// Columns in the list.
    pub list: Vec<String>,
    /// Columns in the one input of `dedupe`.
    pub input: Vec<String>,
}

impl Field {
    /// The columns on one side.
    pub fn columns(&self, side: Side) -> &[String] {
        match side {
            Side::Register => &self.register,
            Side::List => &self.list,
            Side::Input => &self.input,
        }
    }
}

impl Schema {
    /// The built-in schema: a register of residents, a payment list, and for `dedupe` either of the two.
    pub fn resident_payment() -> Self {
        use FieldKind as K;
        let both = |name: &str, kind, columns: &[&str]| {
            let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
            Field {
                name: name.to_owned(),
                kind,
                register: columns.clone(),
                list: columns.clone(),
                input: columns,
            }
        };
        let register_only = |name, kind| Field { list: Vec::new(), ..both(name, kind, &[name]) };
        let list_only = |name, kind| Field { register: Vec::new(), ..both(name, kind, &[name]) };
        Self {
            id: IdColumns {
                register: Some("resident_id".to_owned()),
                list: Some("benefit_id".to_owned()),
                input: Some("resident_id".to_owned()),
            },
            date_order: DateOrder::Ymd,
            fields: vec![
                both("name_kanji", K::PersonName, &["name_kanji"]),
                both("name_kana", K::KanaName, &["name_kana"]),
                both("birth_date", K::Date, &["birth_date"]),
                both("sex", K::Sex, &["sex"]),
                both("postal_code", K::PostalCode, &["postal_code"]),
                both("address", K::Address, &["address", "building"]),
                list_only("account_holder_kana", K::KanaName),
                register_only("former_name", K::PersonName),
                register_only("alias", K::PersonName),
                register_only("previous_address", K::Address),
                list_only("amount", K::Amount),
            ],
            built_in: true,
        }
    }

    /// Whether this is the built-in schema.
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }

    /// Whether a register and a list are taken to have a field, given which of them have a column for it.
    ///
    /// Of the built-in schema, a column that one has and the other lacks is a column without values, so what is believed of
    /// residents holds all the same. In any other schema a field that one side lacks says nothing.
    pub fn stands(&self, field: &Field, register: bool, list: bool) -> (bool, bool) {
        let either = self.built_in && (register || list);
        (register || either && !field.register.is_empty(), list || either && !field.list.is_empty())
    }

    /// Reads a schema file. `file` names it in errors.
    pub fn parse(text: &str, file: &str) -> Result<Self, SchemaError> {
        let parsed: SchemaFile =
            toml::from_str(text).map_err(|error| SchemaError::syntax(file, text, &error))?;
        let wrong = |what: &str, name: &str| SchemaError::Meaning {
            file: file.to_owned(),
            what: format!("{what} `{name}`"),
        };
        let id = IdColumns {
            register: parsed.id.register,
            list: parsed.id.list,
            input: parsed.id.input,
        };
        let two_sided = id.register.is_some() && id.list.is_some();
        let one_sided = id.input.is_some();
        if !two_sided && !one_sided {
            return Err(SchemaError::Meaning {
                file: file.to_owned(),
                what: "id needs `register` and `list`, or `input`".to_owned(),
            });
        }
        let mut fields: Vec<Field> = Vec::with_capacity(parsed.field.len());
        for field in parsed.field {
            if fields.iter().any(|other| other.name == field.name) {
                return Err(wrong("two fields are named", &field.name));
            }
            let field = Field {
                name: field.name,
                kind: field.kind.0,
                register: field.register.0,
                list: field.list.0,
                input: field.column.0,
            };
            if [Side::Register, Side::List, Side::Input]
                .iter()
                .all(|&side| field.columns(side).is_empty())
            {
                return Err(wrong(
                    "no `register`, `list` or `column` is named for field",
                    &field.name,
                ));
            }
            fields.push(field);
        }
        if fields.is_empty() {
            return Err(SchemaError::Meaning {
                file: file.to_owned(),
                what: "there is no [[field]]".to_owned(),
            });
        }
        for side in [Side::Register, Side::List, Side::Input] {
            let mut amounts = fields
                .iter()
                .filter(|field| field.kind == FieldKind::Amount && !field.columns(side).is_empty());
            if let (Some(_), Some(second)) = (amounts.next(), amounts.next()) {
                return Err(wrong(
                    "only one field may be of kind `amount`, not also",
                    &second.name,
                ));
            }
            if let Some(field) = fields
                .iter()
                .find(|field| field.kind == FieldKind::Amount && field.columns(side).len() > 1)
            {
                return Err(wrong("an amount is one column, not several:", &field.name));
            }
        }
        Ok(Self { id, date_order: parsed.date_order.0, fields, built_in: false })
    }

    /// Reads a schema from a file on disk.
    pub fn read(path: &std::path::Path) -> Result<Self, SchemaError> {
        let file = path.display().to_string();
        let text = fs_err::read_to_string(path)
            .map_err(|source| SchemaError::Unreadable { file: file.clone(), source })?;
        Self::parse(&text, &file)
    }

    /// The id column's name on one side.
    pub fn id_column(&self, side: Side) -> Option<&str> {
        match side {
            Side::Register => self.id.register.as_deref(),
            Side::List => self.id.list.as_deref(),
            Side::Input => self.id.input.as_deref(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    id: IdFile,
    #[serde(default)]
    date_order: DateOrderText,
    #[serde(default)]
    field: Vec<FieldFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdFile {
    register: Option<String>,
    list: Option<String>,
    input: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    name: String,
    kind: KindText,
    #[serde(default)]
    register: Names,
    #[serde(default)]
    list: Names,
    #[serde(default)]
    column: Names,
}

#[derive(Default, Deserialize)]
#[serde(try_from = "String")]
struct DateOrderText(DateOrder);

impl TryFrom<String> for DateOrderText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        DateOrder::from_str(&text)
            .map(Self)
            .map_err(|()| "not a date order; it is \"YMD\", \"DMY\" or \"MDY\"")
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct KindText(FieldKind);

impl TryFrom<String> for KindText {
    type Error = renkei_types::UnknownFieldKind;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// One column name or several.
#[derive(Default, Deserialize)]
#[serde(from = "OneOrMany")]
struct Names(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a column name, or a list of column names")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Names {
    fn from(names: OneOrMany) -> Self {
        match names {
            OneOrMany::One(name) => Self(vec![name]),
            OneOrMany::Many(names) => Self(names),
        }
    }
}

#[cfg(test)]
mod tests;
