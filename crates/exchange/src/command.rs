//! Commands: what callers want done, decided against the state.

use std::sync::Arc;

use jiff::Timestamp;
use renkei_journal::Journal;
use renkei_types::{
    AgreementId, BatchId, DataKeyId, DatasetId, Digest, Entropy, EventId, Identity, LinkageJobId,
    ListId, ProgrammeId, Reason, RequestId, SnapshotId, TaskId, UploadId,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::book::{Book, BookChange};
use crate::books::{Books, Payees};
use crate::caller::Caller;
use crate::mark::Mark;
use crate::refusal::Refusal;
use crate::state::State;
use crate::subject::SubjectSet;
use crate::witnessed::Witnessed;

/// Something a caller wants done.
///
/// `decide` may run more than once, when another writer was first; only the last decision counts. So it must have no
/// effect but on the desk's draft.
pub trait Command: Send + 'static {
    /// What the caller is told. It is kept for a repeated request, so it may say nothing about a person.
    type Reply: DeserializeOwned + Send + Serialize + 'static;

    /// Its name in the log and in stored answers.
    const METHOD: &'static str;

    /// Changes the draft, or refuses.
    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Self::Reply>, Refusal>;
}

/// Does again what reads first and is decided later, as long as others come in between (`VERSION_OLD`): the caller has read nothing
/// that could be old. Gives up after some times, for the caller may have a better moment.
pub(crate) fn until_undisturbed<T>(work: impl Fn() -> Result<T, Refusal>) -> Result<T, Refusal> {
    const TIMES: usize = 5;
    let mut done = work();
    for _ in 1..TIMES {
        if done.as_ref().err().is_none_or(|refusal| refusal.reason != Reason::VersionOld) {
            break;
        }
        done = work();
    }
    done
}

/// What was decided.
#[derive(Debug)]
pub struct Decision<R> {
    /// The reply.
    pub reply: R,
    /// The leaf. Nothing where nothing happened and the state is as it was.
    pub mark: Option<Mark>,
    /// What changes in the book of a list. It stands in the frame, sealed with the key.
    pub book: Option<(ListId, DataKeyId, BookChange)>,
    /// Whom the leaf concerns, where it is few. It stands in the frame, sealed with a key of the year.
    pub persons: Option<SubjectSet>,
}

impl<R> Decision<R> {
    /// A decision that touches no book.
    pub fn new(reply: R, mark: Mark) -> Self {
        Self { reply, mark: Some(mark), book: None, persons: None }
    }

    /// Nothing to decide.
    pub fn nothing(reply: R) -> Self {
        Self { reply, mark: None, book: None, persons: None }
    }

    /// A decision that concerns these persons.
    pub fn concerning(reply: R, mark: Mark, persons: SubjectSet) -> Self {
        let mark = mark.concerning(&persons);
        Self { persons: Some(persons), ..Self::new(reply, mark) }
    }

    /// The same, with a change in a list's book.
    #[must_use]
    pub fn with_book(mut self, list: ListId, key: DataKeyId, change: BookChange) -> Self {
        self.book = Some((list, key, change));
        self
    }
}

/// What a command decides on: a draft of the state, and what it may use for it.
pub struct Desk<'a> {
    /// The draft.
    pub state: &'a mut State,
    /// The time of the decision.
    pub now: Timestamp,
    /// Today in Japan.
    pub today: jiff::civil::Date,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) books: &'a mut Books,
    pub(crate) journal: &'a dyn Journal,
    pub(crate) witnessed: &'a Witnessed,
}

macro_rules! new_ids {
    ($($method:ident: $id:ident,)+) => {
        impl Desk<'_> {
            $(/// A new id.
            pub fn $method(&self) -> $id {
                $id::new(self.now, self.entropy)
            })+
        }
    };
}

new_ids! {
    new_agreement: AgreementId,
    new_batch: BatchId,
    new_dataset: DatasetId,
    new_event: EventId,
    new_job: LinkageJobId,
    new_list: ListId,
    new_programme: ProgrammeId,
    new_snapshot: SnapshotId,
    new_upload: UploadId,
    new_task_series: TaskId,
}

impl Desk<'_> {
    /// The book of a linked list.
    pub fn book(&mut self, list: ListId) -> Result<Arc<Book>, Refusal> {
        self.books.of_list(self.state, self.journal, list)
    }

    /// Whom a programme pays already, by payee key.
    pub fn payees(&mut self, programme: ProgrammeId) -> Result<Arc<Payees>, Refusal> {
        self.books.payees(self.state, self.journal, programme)
    }

    /// A random byte string.
    pub fn chance<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

/// Who sends a command, and how it recognises a repetition.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who. The broker's own doings have no caller.
    pub caller: Option<Caller>,
    /// The client's name for the request, and a keyed digest of its body; see [`crate::ledger::Exchange::body_digest`].
    pub request: Option<(RequestId, Digest)>,
}

impl Call {
    /// The broker's own doing.
    pub const fn own() -> Self {
        Self { caller: None, request: None }
    }

    /// A call that changes nothing but the log.
    pub const fn read(caller: Caller) -> Self {
        Self { caller: Some(caller), request: None }
    }

    /// A call that may be repeated without harm.
    pub const fn mutation(caller: Caller, request: RequestId, body: Digest) -> Self {
        Self { caller: Some(caller), request: Some((request, body)) }
    }
}

/// Where a request left its mark.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Receipt {
    /// Index of the leaf.
    pub leaf_index: u64,
    /// RFC 6962 hash of the leaf.
    pub leaf_hash: Digest,
}

/// A reply whose frame is durable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Done<R> {
    /// What was decided.
    pub reply: R,
    /// Where it stands in the log; nothing where nothing happened.
    pub receipt: Option<Receipt>,
}

/// By what a repeated request is known.
pub type AnswerKey = (Identity, RequestId);

/// What a request was answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Answer {
    method: String,
    body: Digest,
    reply: Box<RawValue>,
    receipt: Receipt,
}

impl Answer {
    pub(crate) fn new<C: Command>(
        body: Digest,
        reply: &C::Reply,
        receipt: Receipt,
    ) -> Result<Self, serde_json::Error> {
        let reply = serde_json::value::to_raw_value(reply)?;
        Ok(Self { method: C::METHOD.to_owned(), body, reply, receipt })
    }

    /// The stored reply to the same request; refused where it was another.
    pub(crate) fn replay<C: Command>(&self, body: Digest) -> Result<(C::Reply, Receipt), Refusal> {
        if self.method != C::METHOD || self.body != body {
            return Err(Reason::RequestReused.into());
        }
        let reply =
            serde_json::from_str(self.reply.get()).map_err(|error| Refusal::internal(&error))?;
        Ok((reply, self.receipt))
    }
}
