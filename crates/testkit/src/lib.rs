//! Synthetic municipalities: a resident register, a payment list drawn from it with injected errors, and the truth.
//!
//! Nobody in it exists: names are put together from tables and parts, the city is invented. Everything depends on a
//! [`Recipe`] alone (size, mix, seed), so a measurement can be repeated by anybody:
//!
//! ```text
//! Recipe -> Population (register) -> PaymentList (lines, truth, classes of injected errors)
//! ```
//!
//! Invariant: the register depends on size and seed, never on the list; the same recipe gives the same bytes everywhere.
//! The crate opens no files and reads no clock; the caller passes writers.

mod chance;
mod city;
mod cp932;
mod damage;
mod date;
mod kana;
mod letters;
mod list;
mod names;
mod person;
mod place;
mod population;
mod rates;
mod recipe;
mod settlement;
mod subject;

pub use date::{Date, REFERENCE_DATE};
pub use list::{Line, PaymentList};
pub use population::Population;
pub use rates::{Class, ClassSet, ErrorRates, RatesError};
pub use recipe::{
    FILE_NAMES, Files, GenerateError, Mix, Recipe, RecipeError, Stage, Totals, generate,
};
