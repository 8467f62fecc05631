//! Two clerks at work, who know the truth: each takes task after task over a connection of their own.
//!
//! ```text
//! the person is among the candidates       -> link; duplicate where another line holds them
//! the line is really nobody                -> nobody
//! the person is not among the candidates   -> search with the line's own values; still not found: set aside
//! ```
//! A real clerk who cannot find somebody asks them; such a line stays open and is certified in a later batch.

use std::cell::Cell as Counter;

use renkei_api::v1::{
    CandidateRecord, Cell, ClaimRequest, DecideRequest, ParkReason, ParkRequest, SearchRequest,
    Task, Verdict, verdict,
};
use renkei_linkage::evaluation::Truth;
use renkei_types::Reason;

use super::city::{City, Client};
use super::error::DemoError;
use crate::failure::Failure;
use crate::progress::Progress;

/// The fields that a search may name.
const SEARCHED: [&str; 6] =
    ["name_kanji", "name_kana", "birth_date", "sex", "postal_code", "address"];

/// What clerks did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Decided {
    pub(super) linked: u64,
    pub(super) nobody: u64,
    pub(super) duplicate: u64,
    pub(super) set_aside: u64,
}

impl Decided {
    pub(super) fn total(self) -> u64 {
        self.linked + self.nobody + self.duplicate + self.set_aside
    }

    fn plus(self, other: Self) -> Self {
        Self {
            linked: self.linked + other.linked,
            nobody: self.nobody + other.nobody,
            duplicate: self.duplicate + other.duplicate,
            set_aside: self.set_aside + other.set_aside,
        }
    }
}

/// Lets both clerks work until no task is open.
pub(super) async fn review(
    city: &City<'_>,
    list_id: &str,
    truth: &Truth,
    tasks: u64,
) -> Result<Decided, Failure> {
    let progress = Progress::lines(city.environment, "reviewing", "確認", tasks);
    let done = Counter::new(0);
    let (first, second) = (city.connect("clerk-1")?, city.connect("clerk-2")?);
    let work = |client| Clerk { client, list_id, truth, done: &done, progress: &progress };
    let (first, second) = (work(&first), work(&second));
    let (first, second) = tokio::try_join!(first.work(), second.work())?;
    Ok(first.plus(second))
}

/// A clerk who knows the truth.
struct Clerk<'a> {
    client: &'a Client,
    list_id: &'a str,
    truth: &'a Truth,
    done: &'a Counter<u64>,
    progress: &'a Progress,
}

impl Clerk<'_> {
    async fn work(&self) -> Result<Decided, Failure> {
        let mut decided = Decided::default();
        while let Some(task) = self.claim().await? {
            decided = decided.plus(self.decide(&task).await?);
            self.done.set(self.done.get() + 1);
            self.progress.set(self.done.get());
        }
        Ok(decided)
    }

    async fn claim(&self) -> Result<Option<Task>, Failure> {
        let call = ClaimRequest {
            request_id: self.client.request_id(),
            list_id: self.list_id.to_owned(),
            parked: false,
        };
        Ok(self.client.ask(call).await?.task)
    }

    async fn decide(&self, task: &Task) -> Result<Decided, Failure> {
        let line = task.line.iter().find(|cell| cell.field == "benefit_id");
        let line = line.ok_or(DemoError::Answer { what: "a task without its line's id" })?;
        let Some(Some(person)) = self.truth.get(&line.value) else {
            self.say(task, verdict::Verdict::Nobody(true)).await?;
            return Ok(Decided { nobody: 1, ..Decided::default() });
        };
        match find(&task.candidates, person) {
            Some(candidate) => self.settle(task, candidate).await,
            None => match find(&self.search(task).await?, person) {
                Some(candidate) => self.settle(task, candidate).await,
                None => self.set_aside(task).await,
            },
        }
    }

    async fn settle(&self, task: &Task, candidate: &CandidateRecord) -> Result<Decided, Failure> {
        let duplicate = Decided { duplicate: 1, ..Decided::default() };
        if !candidate.held {
            let person = verdict::Verdict::RegisterId(candidate.register_id.clone());
            let call = self.decision(task, person);
            match self.client.connection.call(call).await {
                Ok(_) => return Ok(Decided { linked: 1, ..Decided::default() }),
                // The other clerk was quicker with another line of the same person.
                Err(rejection) if rejection.reason() == Some(Reason::HeldByLine) => {}
                Err(rejection) => return Err(rejection.into()),
            }
        }
        self.say(task, verdict::Verdict::Duplicate(true)).await?;
        Ok(duplicate)
    }

    async fn say(&self, task: &Task, verdict: verdict::Verdict) -> Result<(), Failure> {
        self.client.ask(self.decision(task, verdict)).await.map(drop)
    }

    fn decision(&self, task: &Task, verdict: verdict::Verdict) -> DecideRequest {
        DecideRequest {
            request_id: self.client.request_id(),
            task_id: task.task_id.clone(),
            version: task.version,
            verdict: Some(Verdict { verdict: Some(verdict) }),
        }
    }

    async fn search(&self, task: &Task) -> Result<Vec<CandidateRecord>, Failure> {
        let asked =
            |cell: &&Cell| SEARCHED.contains(&cell.field.as_str()) && !cell.value.trim().is_empty();
        let record: Vec<Cell> = task.line.iter().filter(asked).cloned().collect();
        let call = SearchRequest { task_id: task.task_id.clone(), record };
        Ok(self.client.ask(call).await?.candidates)
    }

    async fn set_aside(&self, task: &Task) -> Result<Decided, Failure> {
        let call = ParkRequest {
            request_id: self.client.request_id(),
            task_id: task.task_id.clone(),
            reason: ParkReason::AskingPerson.into(),
        };
        self.client.ask(call).await?;
        Ok(Decided { set_aside: 1, ..Decided::default() })
    }
}

fn find<'a>(candidates: &'a [CandidateRecord], person: &str) -> Option<&'a CandidateRecord> {
    candidates.iter().find(|candidate| candidate.register_id == person)
}
