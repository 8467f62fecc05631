//! The values that kernels are given: columns of a generated register and of a list with many errors.

use anyhow::{Context as _, Result};
use renkei_tables::{ReadOptions, TableReader};
use renkei_testkit::{Files, Mix, Recipe, generate};

/// Lines for each thousand residents.
const LINES_PER_THOUSAND: usize = 300;

/// A generated city, as files and as columns.
pub(crate) struct People {
    /// `residents.csv`: UTF-8.
    pub(crate) register: Vec<u8>,
    /// `payments.csv`: CP932.
    pub(crate) list: Vec<u8>,
    of_register: Columns,
    of_list: Columns,
}

/// The columns of a file by name.
struct Columns(Vec<(String, Vec<String>)>);

/// Whose values.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    Register,
    List,
}

impl People {
    pub(crate) fn generate(residents: usize) -> Result<Self> {
        let lines = residents * LINES_PER_THOUSAND / 1_000;
        let recipe = Recipe { residents, lines, mix: Mix::Nasty, seed: 11 };
        let (mut register, mut list) = (Vec::new(), Vec::new());
        let (mut truth, mut classes) = (Vec::new(), Vec::new());
        let files = Files {
            residents: &mut register,
            payments: &mut list,
            truth: &mut truth,
            classes: &mut classes,
        };
        generate(&recipe, files, &mut |_, _, _| {})?;
        let (of_register, of_list) = (Columns::read(&register)?, Columns::read(&list)?);
        Ok(Self { register, list, of_register, of_list })
    }

    /// The values of a column that are not empty, as they stand in the file.
    pub(crate) fn values(&self, of: Of, column: &str) -> Vec<&str> {
        let Columns(columns) = match of {
            Of::Register => &self.of_register,
            Of::List => &self.of_list,
        };
        let values = columns.iter().find(|(name, _)| name == column).map(|(_, values)| values);
        let values = values.into_iter().flatten();
        values.map(String::as_str).filter(|value| !value.is_empty()).collect()
    }

    /// The distinct values of a column, in the order of their first places.
    pub(crate) fn distinct(&self, of: Of, column: &str) -> Vec<&str> {
        let mut seen = hashbrown::HashSet::new();
        self.values(of, column).into_iter().filter(|value| seen.insert(*value)).collect()
    }
}

impl Columns {
    fn read(file: &[u8]) -> Result<Self> {
        let mut reader =
            TableReader::from_bytes(file.to_vec(), "generated", &ReadOptions::default())?;
        let header = reader.header().to_vec();
        let names = ["name_kanji", "name_kana", "birth_date", "postal_code", "address"];
        let mut columns = Vec::new();
        for name in names {
            let at = renkei_tables::built_in_column(&header, name).context("a generated column")?;
            columns.push((at, (name.to_owned(), Vec::new())));
        }
        while let Some(batch) = reader.next_batch()? {
            for (at, (_, values)) in &mut columns {
                values.extend((0..batch.rows()).map(|row| batch.cell(*at, row).to_owned()));
            }
        }
        Ok(Self(columns.into_iter().map(|(_, column)| column).collect()))
    }
}
