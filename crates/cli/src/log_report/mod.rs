//! What a month of the log shows: who looked up how much and when, and what was refused.
//!
//! ```text
//! leaves of the month > figures, exact > what may be passed on, small cells withheld > JSON, page with three plots
//! ```
//! Leaves hold no persons. So the report can say that somebody looked up two hundred people at night, and not whom; whether
//! a colleague or a neighbour was among them, only the agency can find out, and the page says so.

mod figures;
mod month;
mod page;
mod withheld;

pub(crate) use self::figures::Figures;
pub(crate) use self::month::{Month, OfficeHours};
pub(crate) use self::page::render;
pub(crate) use self::withheld::Published;
