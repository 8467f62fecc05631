//! Questions at the counter: who is this? Each is answered after its leaf is durable.

use std::time::Duration;

use renkei_api::v1::IdentifyRequest;
use renkei_types::Clock as _;

use super::city::City;
use super::data::Question;
use super::directory::{Directory, PURPOSE};
use crate::failure::Failure;

/// How the counter was answered.
pub(super) struct Answered {
    pub(super) questions: usize,
    /// Questions whose first candidate was the person.
    pub(super) right: usize,
    /// The middle one of the times that answers took.
    pub(super) median: Duration,
}

/// Asks about each, one after the other.
pub(super) async fn ask(
    city: &City<'_>,
    directory: &Directory,
    questions: &[Question],
) -> Result<Answered, Failure> {
    let client = city.connect("counter")?;
    let clock = city.environment.clock;
    let (mut times, mut right) = (Vec::with_capacity(questions.len()), 0);
    for question in questions {
        let call = IdentifyRequest {
            dataset_id: directory.dataset_id.clone(),
            purpose: PURPOSE.to_owned(),
            record: question.record.clone(),
            candidates_max: 5,
        };
        let start = clock.monotonic();
        let answer = client.ask(call).await?;
        times.push(clock.monotonic().saturating_sub(start));
        let first = answer.candidates.first();
        right += usize::from(first.is_some_and(|one| one.register_id == question.resident_id));
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok(Answered { questions: questions.len(), right, median })
}
