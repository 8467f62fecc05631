//! States of a register: those that are in use no more, and who was in it on a day.

use std::sync::Arc;

use renkei_api::v1;
use renkei_exchange::command::Call;
use renkei_exchange::extract::{Extract, NoteExtract, Shown};
use renkei_exchange::history::StateAt;
use renkei_exchange::link_code::Naming;
use renkei_exchange::permit::{Operate, Permit, ReadState};
use renkei_exchange::retention::{DestroySnapshot, Keeps, Superseded, superseded};
use renkei_exchange::{Caller, Refusal};
use renkei_types::{DatasetId, Reason, Slug};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::services::{Answers, Desk, review};
use crate::{convert, failure};

/// Most records in a message.
const RECORDS_MAX: usize = 1024;

type Sender = mpsc::Sender<Result<v1::StateOnResponse, Status>>;

/// Whose right to extracts it is, to be asked again before each message.
struct Receiver {
    caller: Caller,
    dataset: Option<DatasetId>,
    purpose: Slug,
}

impl Receiver {
    fn permit(&self, desk: &Desk) -> Result<Permit<ReadState>, Refusal> {
        let (state, purpose) = (desk.exchange.state(), Some(&self.purpose));
        state.permit_dataset(&self.caller, self.dataset, purpose, desk.today())
    }
}

impl Desk {
    /// The right to keep a register of one's own agency.
    pub(super) fn keeper(
        &self,
        caller: &Caller,
        dataset: &str,
    ) -> Result<(Permit<Operate>, DatasetId), Refusal> {
        let state = self.exchange.state();
        let dataset: Option<DatasetId> = dataset.parse().ok();
        let known = dataset.and_then(|id| state.datasets.get(&id));
        let owner = known.map(|dataset| &dataset.provider);
        let permit = state.permit_own::<Operate>(caller, owner)?;
        Ok((permit, dataset.ok_or(Reason::NoAgreement)?))
    }

    pub(super) async fn superseded_states(
        &self,
        caller: Caller,
        body: v1::ListSupersededRequest,
    ) -> Result<v1::ListSupersededResponse, Refusal> {
        let (_, dataset) = self.keeper(&caller, &body.dataset_id)?;
        let all = self.exchange.ask(move |desk| superseded(desk, dataset)).await?;
        Ok(v1::ListSupersededResponse { snapshots: all.iter().map(message).collect() })
    }

    pub(super) async fn destroy_state(
        &self,
        caller: Caller,
        call: Call,
        body: v1::DestroySnapshotRequest,
    ) -> Result<v1::DestroySnapshotResponse, Refusal> {
        let (permit, dataset) = self.keeper(&caller, &body.dataset_id)?;
        let file = convert::parse(&body.snapshot_id, "snapshot_id")?;
        let command = DestroySnapshot { permit: Some(permit), dataset, file };
        let done = self.blocking(move |desk| command.destroy(&desk.exchange, call)).await?;
        Ok(v1::DestroySnapshotResponse {
            keys_destroyed: done.reply.keys.len() as u64,
            receipt: convert::receipt(done.receipt),
        })
    }

    /// Who was in a register on a day.
    pub(super) async fn extract(
        &self,
        caller: Caller,
        body: v1::StateOnRequest,
    ) -> Result<Answers<v1::StateOnResponse>, Refusal> {
        let purpose = convert::known(&body.purpose)?;
        let receiver = Receiver { caller, dataset: body.dataset_id.parse().ok(), purpose };
        let permit = receiver.permit(self)?;
        let dataset = receiver.dataset.ok_or(Reason::NoAgreement)?;
        let on = convert::date(&body.on, "on")?;
        let known = match body.known.as_str() {
            "" => self.today(),
            day => convert::date(day, "known")?,
        };
        let study = self.one_study()?;
        let extract = self
            .blocking(move |desk| {
                let (state, vault) = (desk.exchange.state(), desk.exchange.vault());
                Extract::open(state, vault, dataset, StateAt { on, known })
            })
            .await?;
        drop(study);
        let snapshot = extract.snapshot;
        if !body.snapshot_id.is_empty() && body.snapshot_id != snapshot.to_string() {
            return Err(Reason::VersionOld.into());
        }
        if body.from_record > extract.records() {
            return Err(Refusal::field("from_record"));
        }
        let naming = self.naming(&permit, dataset).await?;
        let header = v1::StateOnHeader {
            snapshot_id: snapshot.to_string(),
            records: extract.records(),
            undated: extract.undated,
            fields: extract.fields(&permit)?,
            code_year: convert::code_year(&naming),
            ..v1::StateOnHeader::default()
        };
        let records = extract.records() - body.from_record;
        let note = NoteExtract { permit, dataset, snapshot, records };
        let done = self.exchange.execute(Call::read(receiver.caller.clone()), note).await?;
        let header = v1::StateOnHeader { receipt: convert::receipt(done.receipt), ..header };
        let (sender, answers) = mpsc::channel(1);
        let desk = self.clone();
        tokio::spawn(async move {
            let sent = desk
                .send_extract(&receiver, extract, naming, header, body.from_record, &sender)
                .await;
            if let Err(refusal) = sent {
                desk.gate.note(Some(receiver.caller), &refusal);
                desk.send(&sender, Err(failure::status(&refusal))).await;
            }
        });
        Ok(Box::pin(ReceiverStream::new(answers)))
    }

    /// Sends an extract chunk by chunk, as long as there is a right to it and somebody reads.
    async fn send_extract(
        &self,
        receiver: &Receiver,
        extract: Extract,
        naming: Naming,
        header: v1::StateOnHeader,
        from: u64,
        sender: &Sender,
    ) -> Result<(), Refusal> {
        let dataset = receiver.dataset.ok_or(Reason::NoAgreement)?;
        let (extract, naming) = (Arc::new(extract), Arc::new(naming));
        let (mut next, mut header) = (from, Some(header));
        loop {
            let permit = receiver.permit(self)?;
            let (extract, naming) = (Arc::clone(&extract), Arc::clone(&naming));
            let (people, notice) = self
                .blocking(move |desk| {
                    let (state, vault) = (desk.exchange.state(), desk.exchange.vault());
                    let now = desk.exchange.clock().now();
                    let protected = desk.indexes.protected(&state, vault, dataset, now);
                    let shown = Shown { permit: &permit, naming: &naming, protected: &protected };
                    Ok((extract.chunk_from(vault, shown, next)?, review::notice(&protected)))
                })
                .await?;
            let ended = people.is_empty();
            let records: Vec<v1::StateRecord> = people
                .into_iter()
                .map(|one| v1::StateRecord {
                    cells: one.cells.iter().map(convert::disclosed).collect(),
                    register_id: one.person,
                })
                .collect();
            if let Some(header) = header.take() {
                let header = Some(v1::StateOnHeader { notice, ..header });
                let first = v1::StateOnResponse { first_record: next, records: vec![], header };
                if !self.send(sender, Ok(first)).await {
                    return Ok(());
                }
            }
            for page in records.chunks(RECORDS_MAX) {
                let records = page.to_vec();
                let answer = v1::StateOnResponse { first_record: next, records, header: None };
                if !self.send(sender, Ok(answer)).await {
                    return Ok(());
                }
                next += page.len() as u64;
            }
            if ended {
                return Ok(());
            }
        }
    }
}

fn message(state: &Superseded) -> v1::SupersededSnapshot {
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let kept = match state.kept {
        None => v1::SnapshotKept::Nothing,
        Some(Keeps::NoTerm) => v1::SnapshotKept::NoTerm,
        Some(Keeps::Term) => v1::SnapshotKept::Term,
        Some(Keeps::Job) => v1::SnapshotKept::Job,
        Some(Keeps::List) => v1::SnapshotKept::List,
    };
    v1::SupersededSnapshot {
        snapshot_id: state.file.to_string(),
        deltas: state.deltas,
        superseded_on: day(state.on),
        needed_until: day(state.until),
        kept: kept.into(),
        destroyed: state.destroyed,
    }
}
