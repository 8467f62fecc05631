//! What is said of ids that no register has: a spreadsheet has eaten their zeros, or somebody mistyped them.

use renkei_api::v1::UnknownIds;
use serde_json::{Value, json};

use crate::environment::Environment;

/// Warns of ids that mean nobody, or that they were not looked up.
pub(super) fn warn(unknown: Option<&UnknownIds>, environment: &Environment) {
    match unknown {
        None => warn_not_compared(environment),
        Some(UnknownIds { ids: 0, .. }) => {}
        Some(UnknownIds { ids, zeros_differ }) => environment.warn(
            &format!("{ids} ids are not in the register; {zeros_differ} of them only differ in the zeros in front: they are taken for those of the register. Correct the others and send them again"),
            &format!("台帳にない番号が {ids} 件あります。うち {zeros_differ} 件は先頭の0だけが違い、台帳の番号とみなしました。それ以外は直して再度送ってください"),
        ),
    }
}

/// Says that ids could not be looked up.
pub(super) fn warn_not_compared(environment: &Environment) {
    environment.warn(
        "the ids were not compared with a register: there is none yet to compare them with",
        "比べられる台帳がまだないため、番号の照合はしていません",
    );
}

/// The same for programs: null where they were not looked up.
pub(super) fn to_json(unknown: Option<&UnknownIds>) -> Value {
    unknown.map_or(
        Value::Null,
        |unknown| json!({"ids": unknown.ids, "zeros_differ": unknown.zeros_differ}),
    )
}
