//! Between messages and the domain: parsed once, here, with the field named that is wrong.

mod directory;
mod enrolment;
mod linkage;
mod money;

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use renkei_api::v1;
use renkei_exchange::Refusal;
use renkei_exchange::command::Receipt;
use renkei_exchange::disclosed::Disclosed;
use renkei_exchange::link_code::{FiscalYear, Naming};
use renkei_exchange::list::Totals;
use renkei_exchange::unknown_ids::UnknownIds;
use renkei_linkage::Outcome;
use renkei_types::{Digest, Reason};

pub(crate) use directory::*;
pub(crate) use enrolment::*;
pub(crate) use linkage::*;
pub(crate) use money::*;

/// An id, an identity, a name: whatever is written in a closed form.
pub(crate) fn parse<T: FromStr>(text: &str, field: &'static str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::field(field))
}

/// Several of these.
pub(crate) fn parse_each<'a, T: FromStr, C: FromIterator<T>>(
    texts: impl IntoIterator<Item = &'a String>,
    field: &'static str,
) -> Result<C, Refusal> {
    texts.into_iter().map(|text| parse(text, field)).collect()
}

/// The id of a thing that may not be there: what cannot be an id is answered as what is not permitted.
pub(crate) fn known<T: FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Reason::NoAgreement.into())
}

pub(crate) fn date(text: &str, field: &'static str) -> Result<Date, Refusal> {
    parse(text, field)
}

pub(crate) fn time(text: &str, field: &'static str) -> Result<Option<Timestamp>, Refusal> {
    if text.is_empty() { Ok(None) } else { parse(text, field).map(Some) }
}

pub(crate) fn digest(bytes: &[u8], field: &'static str) -> Result<Digest, Refusal> {
    Ok(Digest::from_bytes(bytes.try_into().map_err(|_| Refusal::field(field))?))
}

pub(crate) fn bytes(digest: Digest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}

pub(crate) fn receipt(receipt: Option<Receipt>) -> Option<v1::Receipt> {
    let receipt = receipt?;
    Some(v1::Receipt::of_leaf(receipt.leaf_index, *receipt.leaf_hash.as_bytes()))
}

pub(crate) fn totals(totals: Totals) -> v1::Totals {
    v1::Totals { lines: totals.lines, yen: totals.yen }
}

pub(crate) fn unknown_ids(unknown: UnknownIds) -> v1::UnknownIds {
    v1::UnknownIds { ids: unknown.ids, zeros_differ: unknown.zeros_differ }
}

pub(crate) fn totals_from(
    message: Option<v1::Totals>,
    field: &'static str,
) -> Result<Totals, Refusal> {
    let v1::Totals { lines, yen } = message.ok_or(Refusal::field(field))?;
    Ok(Totals { lines, yen })
}

pub(crate) fn outcome(outcome: Outcome) -> v1::Outcome {
    match outcome {
        Outcome::Linked => v1::Outcome::Linked,
        Outcome::LinkedByClerk => v1::Outcome::LinkedByClerk,
        Outcome::Review => v1::Outcome::Review,
        Outcome::Ambiguous => v1::Outcome::Ambiguous,
        Outcome::Duplicate => v1::Outcome::Duplicate,
        Outcome::NotFound => v1::Outcome::NotFound,
        Outcome::Unlinkable => v1::Outcome::Unlinkable,
        Outcome::RejectedInput => v1::Outcome::RejectedInput,
    }
}

/// A cell of a register or of a payment: nothing but what an agreement discloses becomes one.
pub(crate) fn disclosed(cell: &Disclosed) -> v1::Cell {
    v1::Cell { field: cell.field().to_owned(), value: cell.value().to_owned() }
}

/// The fiscal year of codes; 0 where residents are named by their ids.
pub(crate) fn code_year(naming: &Naming) -> u32 {
    naming.year().map_or(0, FiscalYear::begins_in)
}

/// A cell of the caller's own list.
pub(crate) fn cell(field: &str, value: &str) -> v1::Cell {
    v1::Cell { field: field.to_owned(), value: value.to_owned() }
}

/// A probability in billionths.
pub(crate) fn parts_per_billion(probability: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 1e9")]
    let parts = (probability.clamp(0.0, 1.0) * 1e9).round() as u32;
    parts
}
