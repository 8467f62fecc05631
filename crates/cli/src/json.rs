//! JSON objects on standard output, as the machine contract names them.

use renkei_linkage::{Outcome, OutcomeTotals};
use serde_json::{Map, Value, json};

/// Prints one object on one line.
pub(crate) fn print(value: &Value) {
    print_line!("{value}");
}

/// Rounds for people who read JSON: six decimals.
pub(crate) fn rounded(value: f64) -> Value {
    json!((value * 1e6).round() / 1e6)
}

/// `{NAME: {lines, yen}}`, every outcome.
pub(crate) fn outcomes(totals: &OutcomeTotals) -> Value {
    let entry = |outcome: Outcome| {
        let total = totals.of(outcome);
        (outcome.as_str().to_owned(), json!({"lines": total.lines, "yen": total.yen.0}))
    };
    Value::Object(Outcome::ALL.into_iter().map(entry).collect::<Map<_, _>>())
}
