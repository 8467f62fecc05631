//! Pairs that are shown to people: which, and with which values.

use renkei_linkage::{Decision, Linkable, Linkage, MatchWeight, Outcome};

use crate::arguments::InputArguments;
use crate::failure::Failure;
use crate::report::{Kind, Waterfall};
use crate::table_input::Loaded;

/// The files that the values stand in.
pub(super) struct Files<'a> {
    pub(super) input: &'a InputArguments,
    pub(super) register: &'a Loaded,
    pub(super) list: &'a Loaded,
    /// Whether values are hidden.
    pub(super) masked: bool,
}

/// The values of a pair by field: name, line, record.
pub(super) type FieldValues = Vec<(String, String, String)>;

impl Files<'_> {
    /// The values of some pairs of a line and a record.
    pub(super) fn values(&self, pairs: &[(u32, u32)]) -> Result<Vec<FieldValues>, Failure> {
        let lines: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        let residents: Vec<u32> = pairs.iter().map(|pair| pair.1).collect();
        let of_list = self.list.texts_of_rows(&self.input.list, &lines)?;
        let of_register = self.register.texts_of_rows(&self.input.register, &residents)?;
        let fields = &self.list.binding.fields;
        let value = |texts: Option<&Vec<String>>, field: usize| {
            let text = texts.and_then(|texts| texts.get(field)).map_or("", String::as_str);
            if self.masked { mask(text) } else { text.to_owned() }
        };
        let of_pair = |(line, resident): &(u32, u32)| {
            fields
                .iter()
                .enumerate()
                .map(|(field, bound)| {
                    let line = value(of_list.get(line), field);
                    (bound.name.clone(), line, value(of_register.get(resident), field))
                })
                .filter(|(_, line, record)| !line.is_empty() || !record.is_empty())
                .collect()
        };
        Ok(pairs.iter().map(of_pair).collect())
    }
}

/// The first letter of every word, and an asterisk for the rest: enough to see whether a value is there and begins alike.
fn mask(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let mut letters = word.chars();
        match (letters.next(), letters.next()) {
            (Some(first), Some(_)) => format!("{first}＊"),
            (Some(_), None) => "＊".to_owned(),
            (None, _) => String::new(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One clear, one doubtful and one refused pair, as far as there are such: the linked line of median weight, the line
/// for a clerk that lies closest to the middle of the review band, and the best of those that were not found.
pub(super) fn waterfalls(
    linkable: &Linkable,
    linkage: &Linkage,
    files: &Files<'_>,
) -> Result<Vec<Waterfall>, Failure> {
    let decisions = || (0u32..).zip(&linkage.decisions);
    let with_weight = |(line, decision): (u32, &Decision)| {
        let (resident, weight) = decision.best?;
        Some((weight, line, resident, decision.outcome))
    };
    let mut linked: Vec<_> = decisions()
        .filter(|(_, decision)| decision.outcome == Outcome::Linked)
        .filter_map(with_weight)
        .collect();
    linked.sort_unstable();
    let thresholds = linkage.model.thresholds;
    let middle = MatchWeight::from_bits((thresholds.link.bits() + thresholds.review.bits()) / 2.0);
    let from_middle = |weight: MatchWeight| (weight - middle).millibits().abs();
    let doubtful = decisions()
        .filter(|(_, decision)| matches!(decision.outcome, Outcome::Review | Outcome::Ambiguous))
        .filter_map(with_weight)
        .min_by_key(|&(weight, line, ..)| (from_middle(weight), line));
    let refused = decisions()
        .filter(|(_, decision)| decision.outcome == Outcome::NotFound)
        .filter_map(|(line, decision)| {
            let best = *linkage.candidates(linkable, line, MatchWeight::NEVER).first()?;
            Some((best.weight, line, best.resident, decision.outcome))
        })
        .max();
    let chosen: Vec<_> = [
        (Kind::Clear, linked.get(linked.len() / 2).copied()),
        (Kind::Doubtful, doubtful),
        (Kind::Refused, refused),
    ]
    .into_iter()
    .filter_map(|(kind, pair)| Some((kind, pair?)))
    .collect();
    let pairs: Vec<(u32, u32)> =
        chosen.iter().map(|(_, (_, line, resident, _))| (*line, *resident)).collect();
    let values = files.values(&pairs)?;
    let waterfall = |((kind, (_, line, resident, outcome)), values)| Waterfall {
        kind,
        outcome,
        explanation: linkage.inquire(linkable, line).explain(resident),
        values,
    };
    Ok(chosen.into_iter().zip(values).map(waterfall).collect())
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_masked_value_keeps_one_letter_a_word() {
        assert_eq!(mask("山田　太郎"), "山＊ 太＊");
        assert_eq!(mask("1980-04-24"), "1＊");
        assert_eq!(mask("1"), "＊");
        assert_eq!(mask(""), "");
    }
}
