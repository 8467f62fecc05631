//! Outcomes as text and as numbers on the wire.

use crate::v1::Outcome;

/// The name of an outcome as it stands in files, such as `LINKED`.
pub fn outcome_text(outcome: Outcome) -> &'static str {
    // The generated name is that of the enum and that of the file.
    let name = outcome.as_str_name();
    name.strip_prefix("OUTCOME_").unwrap_or(name)
}

impl Outcome {
    /// Every outcome that is sent, in the order of the contract.
    pub const ALL: [Self; 8] = [
        Self::Linked,
        Self::LinkedByClerk,
        Self::Review,
        Self::Ambiguous,
        Self::Duplicate,
        Self::NotFound,
        Self::Unlinkable,
        Self::RejectedInput,
    ];

    /// The outcome that a file's text names.
    pub fn of_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome_text(*outcome) == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_written_as_the_contract_names_it_and_read_back() {
        let names = Outcome::ALL.map(outcome_text);
        let fixed = [
            "LINKED",
            "LINKED_BY_CLERK",
            "REVIEW",
            "AMBIGUOUS",
            "DUPLICATE",
            "NOT_FOUND",
            "UNLINKABLE",
            "REJECTED_INPUT",
        ];
        assert_eq!(names, fixed);
        assert!(Outcome::ALL.iter().all(|one| Outcome::of_text(outcome_text(*one)) == Some(*one)));
        assert_eq!(Outcome::of_text("UNSPECIFIED"), None);
        assert_eq!(Outcome::of_text("linked"), None);
    }
}
