//! Japanese names, dates, addresses and codes: normal forms for matching.
//!
//! Text in, keys out. Nothing here reads a file, a clock or chance, and nothing is ever displayed in a normal form: a
//! key is a copy, the text stays as it was written. Invariant: normal forms are idempotent, and no input panics.

pub mod text;

pub mod kana;
pub mod kanji;
pub mod name;
pub mod number;
pub mod zengin;

pub mod address;
pub mod code;
pub mod date;
pub mod postal;
pub mod sex;
