//! What to generate, and the whole way from a recipe to four files.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::list::PaymentList;
use crate::population::Population;
use crate::rates::ErrorRates;

/// How dirty the list is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mix {
    /// An ordinary export of a welfare system.
    #[default]
    Typical,
    /// Several hand-kept lists put together.
    Nasty,
}

impl Mix {
    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Typical => "typical",
            Self::Nasty => "nasty",
        }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Mix {
    type Err = RecipeError;

    fn from_str(text: &str) -> Result<Self, RecipeError> {
        match text {
            "typical" => Ok(Self::Typical),
            "nasty" => Ok(Self::Nasty),
            _ => Err(RecipeError::UnknownMix),
        }
    }
}

/// A recipe: the same recipe gives the same bytes on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Rows of the register.
    pub residents: usize,
    /// Rows of the payment list; at most as many as residents.
    pub lines: usize,
    /// How dirty the list is.
    pub mix: Mix,
    /// Other seeds, other people.
    pub seed: u64,
}

/// A recipe that cannot be followed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RecipeError {
    /// No residents, or more than a register can have.
    #[error("{residents} residents: a register has from 1 to {max}")]
    Residents {
        /// Asked for.
        residents: usize,
        /// The most there can be.
        max: usize,
    },
    /// A resident is on the list at most once, duplicates apart.
    #[error("{lines} lines from {residents} residents: a list has at most one line per resident")]
    Lines {
        /// Asked for.
        lines: usize,
        /// Residents of the register.
        residents: usize,
    },
    /// The mix is neither of the two.
    #[error("the mix is typical or nasty")]
    UnknownMix,
}

/// Why [`generate`] stopped.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The recipe cannot be followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A file cannot be written.
    #[error("cannot write {file}")]
    Write {
        /// Name of the file.
        file: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// What a progress function is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// People settle in the city.
    People,
    /// Lines are drawn.
    Lines,
    /// The register is written.
    Register,
}

/// Names of the four files, in the order of [`Files`].
pub const FILE_NAMES: [&str; 4] = ["residents.csv", "payments.csv", "truth.csv", "classes.csv"];

/// Where the four files go.
pub struct Files<'a> {
    /// `residents.csv`: UTF-8 with BOM.
    pub residents: &'a mut dyn Write,
    /// `payments.csv`: CP932.
    pub payments: &'a mut dyn Write,
    /// `truth.csv`: benefit_id, resident_id (empty: nobody).
    pub truth: &'a mut dyn Write,
    /// `classes.csv`: benefit_id, classes joined with `|`.
    pub classes: &'a mut dyn Write,
}

/// Totals of what was generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Rows of the register.
    pub residents: usize,
    /// Households among them.
    pub households: usize,
    /// Rows of the list.
    pub lines: usize,
    /// Lines of people who are not in the register.
    pub nonresidents: usize,
    /// Second applications of one person.
    pub duplicates: usize,
    /// Sum of all amounts.
    pub yen: u64,
}

/// Follows a recipe and writes the four files. Writers should be buffered no further: rows come in blocks.
pub fn generate(
    recipe: &Recipe,
    files: Files<'_>,
    progress: &mut dyn FnMut(Stage, usize, usize),
) -> Result<Totals, GenerateError> {
    if recipe.lines > recipe.residents {
        let Recipe { lines, residents, .. } = *recipe;
        return Err(RecipeError::Lines { lines, residents }.into());
    }
    let population = Population::settle(recipe.residents, recipe.seed, progress)?;
    let rates = ErrorRates::of(recipe.mix);
    let list = PaymentList::draw(&population, recipe.lines, &rates, recipe.seed, progress)?;
    let failed = |at: usize| move |source| GenerateError::Write { file: FILE_NAMES[at], source };
    population.write_register(files.residents, progress).map_err(failed(0))?;
    list.write_list(files.payments).map_err(failed(1))?;
    list.write_truth(&population, files.truth).map_err(failed(2))?;
    list.write_classes(files.classes).map_err(failed(3))?;
    Ok(list.totals(&population))
}
