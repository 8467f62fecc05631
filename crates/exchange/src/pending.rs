//! What waits for its turn at the ledger: commands and questions.
//!
//! Invariant: a caller is told what was decided only when the ledger answers, after the frame is durable; a repeated request
//! is told what was answered before, and decides nothing.

use jiff::Timestamp;
use renkei_types::{Digest, ListId, Reason};
use tokio::sync::oneshot;

use crate::book::BookChange;
use crate::books::seal_change;
use crate::command::{Answer, AnswerKey, Call, Command, Decision, Desk, Done, Receipt};
use crate::mark::Stamp;
use crate::refusal::Refusal;
use crate::sealed_parts;
use crate::store::Vault;
use crate::subject::SubjectSet;

/// A command that waits for its turn, whatever its type.
pub(crate) trait Pending: Send {
    /// Decides on the draft. Answers the frame's parts, or nothing where there is nothing to write; a refusal is kept
    /// until [`Pending::answer`].
    fn decide(
        &mut self,
        desk: &mut Desk<'_>,
        vault: &Vault,
        index: u64,
        time: Timestamp,
    ) -> Option<Staged>;

    /// Overrules what was decided.
    fn refuse(&mut self, refusal: Refusal);

    /// Tells the caller. An error here overrules what was decided.
    fn answer(self: Box<Self>, overruled: Option<Refusal>);
}

/// What goes into a frame, but for the facts.
pub(crate) struct Staged {
    pub(crate) leaf: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) book: Option<(ListId, BookChange)>,
    pub(crate) persons: Option<SubjectSet>,
}

/// A command with its caller.
pub(crate) struct Entry<C: Command> {
    pub(crate) call: Call,
    pub(crate) command: C,
    pub(crate) decided: Option<Result<Done<C::Reply>, Refusal>>,
    pub(crate) answer: oneshot::Sender<Result<Done<C::Reply>, Refusal>>,
}

impl<C: Command> Entry<C> {
    /// The ledger's own doing, whose answer nobody waits for.
    pub(crate) fn own(command: C) -> Self {
        let (answer, _) = oneshot::channel();
        Self { call: Call::own(), command, decided: None, answer }
    }

    fn stage(
        &self,
        desk: &mut Desk<'_>,
        vault: &Vault,
        index: u64,
        time: Timestamp,
    ) -> Result<(Done<C::Reply>, Option<Staged>), Refusal> {
        let key: Option<(AnswerKey, Digest)> = match &self.call {
            Call { caller: Some(caller), request: Some((request, body)) } => {
                Some(((caller.identity.clone(), *request), *body))
            }
            _ => None,
        };
        if let Some((key, body)) = &key
            && let Some(answer) = desk.state.answers.get(key)
        {
            let (reply, receipt) = answer.replay::<C>(*body)?;
            return Ok((Done { reply, receipt: Some(receipt) }, None));
        }
        if key.is_some() {
            desk.witnessed.check_change()?;
        }
        let Decision { reply, mark, book, persons } = self.command.decide(desk)?;
        let Some(mark) = mark else { return Ok((Done { reply, receipt: None }, None)) };
        let stamp = Stamp {
            event: desk.new_event(),
            time,
            caller: self.call.caller.as_ref(),
            request: self.call.request.as_ref().map(|(request, _)| *request),
        };
        let leaf = mark.leaf(&stamp).map_err(|error| Refusal::internal(&error))?;
        let receipt = Receipt { leaf_index: index, leaf_hash: leaf_digest(&leaf) };
        if let Some((key, body)) = key {
            let answer = Answer::new::<C>(body, &reply, receipt)
                .map_err(|error| Refusal::internal(&error))?;
            desk.state.answers.put(key, answer);
        }
        let (of_book, book) = match book {
            None => (Vec::new(), None),
            Some((list, key, change)) => {
                desk.state.add_book_frame(list, index + 1);
                let key = vault.key(key)?;
                (seal_change(&key, vault.entropy(), &change)?, Some((list, change)))
            }
        };
        let of_persons = persons.as_ref().map(|persons| persons.seal(vault)).transpose()?;
        let sealed = sealed_parts::joined(&of_book, &of_persons.unwrap_or_default())?;
        let staged = Staged { leaf, sealed, book, persons };
        Ok((Done { reply, receipt: Some(receipt) }, Some(staged)))
    }
}

impl<C: Command> Pending for Entry<C> {
    fn decide(
        &mut self,
        desk: &mut Desk<'_>,
        vault: &Vault,
        index: u64,
        time: Timestamp,
    ) -> Option<Staged> {
        match self.stage(desk, vault, index, time) {
            Ok((done, staged)) => {
                self.decided = Some(Ok(done));
                staged
            }
            Err(refusal) => {
                self.decided = Some(Err(refusal));
                None
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.decided = Some(Err(refusal));
    }

    fn answer(self: Box<Self>, overruled: Option<Refusal>) {
        let Self { decided, answer, .. } = *self;
        let answered = match (decided, overruled) {
            // A refusal stands; it changed nothing.
            (Some(Err(refusal)), _) => Err(refusal),
            (_, Some(refusal)) => Err(refusal),
            (Some(done), None) => done,
            (None, None) => Err(Reason::Stopping.into()),
        };
        // Who has gone away will ask again.
        let _ = answer.send(answered);
    }
}

/// A question, which leaves no mark.
pub(crate) struct Question<T, Q> {
    pub(crate) question: Q,
    pub(crate) found: Option<Result<T, Refusal>>,
    pub(crate) answer: oneshot::Sender<Result<T, Refusal>>,
}

impl<T, Q> Pending for Question<T, Q>
where
    T: Send + 'static,
    Q: Fn(&mut Desk<'_>) -> Result<T, Refusal> + Send + 'static,
{
    fn decide(&mut self, desk: &mut Desk<'_>, _: &Vault, _: u64, _: Timestamp) -> Option<Staged> {
        self.found = Some((self.question)(desk));
        None
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.found = Some(Err(refusal));
    }

    fn answer(self: Box<Self>, overruled: Option<Refusal>) {
        let Self { found, answer, .. } = *self;
        let answered = match (found, overruled) {
            (_, Some(refusal)) => Err(refusal),
            (Some(found), None) => found,
            (None, None) => Err(Reason::Stopping.into()),
        };
        let _ = answer.send(answered);
    }
}

pub(crate) fn leaf_digest(leaf: &[u8]) -> Digest {
    Digest::from_bytes(*renkei_tlog::hash::leaf_hash(leaf).as_bytes())
}
