//! How a ledger starts: cache, journal, keys and log become one state, and the log tells that the broker began, and what an
//! operator has accepted before it did.
//!
//! ```text
//! cache ─┐
//! journal┴─> state ──> keys that were decided on or destroyed ──> log, witnesses' disputes ──> threads ──> first leaves
//! ```
//! Invariant: whatever was decided and not completed when the process ended is completed before anybody is served.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use renkei_journal::{Journal, Seq};
use renkei_types::Digest;
use tokio::sync::watch;

use super::deciding::{Last, Ledger, catch_up};
use super::{Exchange, QUEUE, Shared, Threads, tell_of_dispute};
use crate::books::Books;
use crate::cache::{self, Cache, Projection};
use crate::command::Call;
use crate::dispute::{Disputes, NoteDispute};
use crate::founding::{Charter, Found};
use crate::log::{Log, LogKeeping, Started};
use crate::log_head::LostHead;
use crate::pending::leaf_digest;
use crate::rotation::BrokerKey;
use crate::running::{Began, ClockWatch, Equipment, NoteEquipment, RollbackSuspected};
use crate::store::{OpenError, Store};
use crate::subject_index::Waiting;
use crate::upload::UploadState;
use crate::witnessed::Witnessed;

impl Exchange {
    /// Opens a ledger: reads the cache and what the journal has beyond it, founds the broker where it is new, notes the
    /// start in the log.
    pub fn open(store: Store, charter: &Charter) -> Result<(Self, Threads), OpenError> {
        let Store { journal, vault, paths, clock, entropy } = store;
        let belongs = |seq: Seq, leaf: Digest| {
            let mut frames = journal.read(seq).into_iter().flatten();
            frames
                .next()
                .is_some_and(|frame| frame.is_ok_and(|(_, frame)| leaf_digest(&frame.leaf) == leaf))
        };
        let opened = Cache::open(&paths.cache(), belongs);
        let (cache, mut state, at) = opened.map_err(|error| OpenError::Cache(error.to_string()))?;
        let mut last = Last { seq: at, time: Timestamp::MIN };
        catch_up(journal.as_ref(), &mut state, &mut last)?;
        let changes = state.take_changes().map_err(|error| OpenError::Cache(error.to_string()))?;
        let (projector, cache_thread) = cache::start(cache)?;
        if last.seq > at {
            let leaf = last_leaf(journal.as_ref())?;
            let _ = projector.send(Projection { changes, applied: (last.seq, leaf) });
        }
        if let Some(decided) = state.keys_in_use.get(&BrokerKey::Root) {
            vault.complete_root(*decided)?;
        }
        let destroyed = state
            .uploads
            .iter()
            .filter(|(_, upload)| upload.state == UploadState::Destroyed)
            .map(|(_, upload)| upload.key)
            .chain(state.destroyed_year_keys());
        vault.sweep(destroyed, |id| {
            state.uploads.get(&id).is_some_and(|upload| upload.state != UploadState::Open)
        })?;
        let request_key = match state.founding.get(&0) {
            Some(founding) => founding.request_key,
            None => vault.create_key(clock.now())?,
        };
        let founded = state.founding.get(&0).is_some();
        let origin = state.founding.get(&0).map_or(&charter.log_origin, |known| &known.log_origin);
        let disputes = Disputes::read(&paths)?;
        let witnessed =
            Arc::new(Witnessed::begin(charter.witnesses.clone(), disputes.open.is_some()));
        let Started { log, threads: log_threads, lost } = Log::start(
            &paths,
            journal.as_ref(),
            entropy.as_ref(),
            LogKeeping {
                origin,
                decided: state.keys_in_use.get(&BrokerKey::Log).copied(),
                ended: state.year_ended_last(&paths),
                interval: charter.checkpoint_interval,
                clock: Arc::clone(&clock),
                witnessed: Arc::clone(&witnessed),
            },
        )?;
        let subjects = Waiting::recover(journal.as_ref(), &state, &vault)?;
        let (durable, _) = watch::channel(last.seq.0);
        let shared = Arc::new(Shared {
            state: ArcSwap::from_pointee(state.clone()),
            durable,
            request_key: vault.key(request_key)?,
            vault: Arc::clone(&vault),
            clock: Arc::clone(&clock),
            log: log.clone(),
            paths,
            subjects,
            witnessed: Arc::clone(&witnessed),
        });
        let (queue, commands) = sync_channel(QUEUE);
        let books = Books::new(vault);
        let ledger = Ledger {
            journal,
            state,
            watch: ClockWatch::since(last.time),
            last,
            books,
            shared: Arc::downgrade(&shared),
            clock,
            entropy,
            projector,
            log,
            witnessed,
        };
        let ledger_thread = std::thread::Builder::new()
            .name("renkei-ledger".to_owned())
            .spawn(move || ledger.run(&commands))?;
        let exchange = Self { shared, queue };
        let mut threads = Threads(vec![ledger_thread, cache_thread]);
        threads.0.extend(log_threads);
        if !founded {
            let found = Found { charter: charter.clone(), request_key };
            exchange.execute_now(Call::own(), found)?;
        }
        exchange.note_beginning(charter.equipment, lost, disputes)?;
        Ok((exchange, threads))
    }

    /// Has the log tell that the broker began, and what an operator has accepted before it did.
    fn note_beginning(
        &self,
        equipment: Equipment,
        lost: Option<LostHead>,
        disputes: Disputes,
    ) -> Result<(), OpenError> {
        self.execute_now(Call::own(), Began { equipment })?;
        if let Some(lost) = lost {
            let leaves = lost.checkpoint.as_ref().map(|lost| lost.size);
            tracing::warn!(leaves, "the log was longer once, or may have been; going on without");
            let seen = lost.checkpoint.as_ref().map(Into::into);
            self.execute_now(Call::own(), RollbackSuspected(seen))?;
            // As long as nothing is signed since, the next start needs it again.
            if self.shared.paths.log_head().exists() {
                lost.put_away()?;
            }
        }
        if let Some(accepted) = disputes.accepted {
            let dispute = accepted.dispute.clone();
            tracing::warn!(
                witness = %dispute.witness,
                "going on in spite of another past of the log, as an operator has accepted; where nobody has put anything back, \
                 somebody else has the log's key: replace it now (renkei key rotate log), before anybody else works"
            );
            self.execute_now(Call::own(), NoteDispute { dispute, accepted: true })?;
            accepted.put_away()?;
        }
        if let Some(dispute) = disputes.open {
            tell_of_dispute(&dispute);
            self.execute_now(Call::own(), NoteDispute { dispute, accepted: false })?;
        }
        self.execute_now(Call::own(), NoteEquipment::Config(equipment.config))?;
        self.execute_now(Call::own(), NoteEquipment::Credentials(equipment.credentials))?;
        Ok(())
    }
}

fn last_leaf(journal: &dyn Journal) -> Result<Digest, OpenError> {
    let frame = journal.read(journal.last())?.next().transpose()?;
    Ok(frame.map_or(Digest::from_bytes([0; 32]), |(_, frame)| leaf_digest(&frame.leaf)))
}
