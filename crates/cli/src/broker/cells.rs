//! Records on the command line: `FIELD=VALUE`, or JSON from standard input.
//!
//! Arguments can be seen by everybody on the machine and stay in the shell's history; personal data is better piped in.

use std::collections::BTreeMap;
use std::io::Read;

use clap::Args;
use renkei_api::v1::Cell;

use super::error::BrokerError;
use crate::failure::Failure;

/// A record that is looked for.
#[derive(Args, Debug)]
pub(crate) struct RecordArguments {
    /// What is known, as FIELD=VALUE; without any, a JSON object of texts is read from standard input, where other
    /// people on this machine cannot see it
    #[arg(value_name = "FIELD=VALUE")]
    record: Vec<String>,
}

impl RecordArguments {
    /// The record.
    pub(super) fn cells(&self) -> Result<Vec<Cell>, Failure> {
        let cells = if self.record.is_empty() {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|_| BrokerError::Record)?;
            of_json(&text)
        } else {
            self.record.iter().map(|text| of_argument(text)).collect()
        };
        Ok(cells.filter(|cells| !cells.is_empty()).ok_or(BrokerError::Record)?)
    }
}

fn of_argument(text: &str) -> Option<Cell> {
    let (field, value) = text.split_once('=')?;
    (!field.is_empty()).then(|| Cell { field: field.to_owned(), value: value.to_owned() })
}

fn of_json(text: &str) -> Option<Vec<Cell>> {
    let record: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    Some(record.into_iter().map(|(field, value)| Cell { field, value }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_have_equals_signs_and_a_field_may_not_be_empty() {
        let cell = of_argument("address=東京都=1").expect("a cell");
        assert_eq!((cell.field.as_str(), cell.value.as_str()), ("address", "東京都=1"));
        assert_eq!(of_argument("=x"), None);
        assert_eq!(of_argument("name"), None);
    }

    #[test]
    fn a_record_in_json_is_an_object_of_texts() {
        assert_eq!(
            of_json(r#"{"sex":"1","name_kana":"ヤマダ"}"#).map(|cells| cells.len()),
            Some(2)
        );
        assert_eq!(of_json(r#"{"sex":1}"#), None);
        assert_eq!(of_json("[]"), None);
    }
}
