//! What persons are told who ask who used their data, and what of it waits for protectors.

use renkei_api::v1;
use renkei_exchange::command::Call;
use renkei_exchange::permit::{Permit, ReleaseSubject, Right, TellSubject};
use renkei_exchange::subject_report::{LookAtHeld, Question, Row, Use, held};
use renkei_exchange::{Caller, Refusal};
use renkei_types::{DatasetId, EventId, Reason};

use super::super::Desk;
use crate::convert;

/// A right to a register of the caller's own agency.
fn permit_of_register<R: Right>(
    desk: &Desk,
    caller: &Caller,
    dataset: &str,
) -> Result<(Permit<R>, DatasetId), Refusal> {
    let state = desk.exchange.state();
    let dataset: Option<DatasetId> = dataset.parse().ok();
    let known = dataset.and_then(|id| state.datasets.get(&id));
    // What a programme delivers has no persons of its own.
    let register = known.filter(|_| dataset.and_then(|id| state.register_behind(id)) == dataset);
    let permit = state.permit_own::<R>(caller, register.map(|known| &known.provider))?;
    Ok((permit, dataset.ok_or(Reason::NoAgreement)?))
}

impl Desk {
    pub(super) async fn tell_subject(
        &self,
        caller: Caller,
        call: Call,
        body: v1::SubjectReportRequest,
    ) -> Result<v1::SubjectReportResponse, Refusal> {
        let (permit, dataset) = permit_of_register::<TellSubject>(self, &caller, &body.dataset_id)?;
        let question = Question {
            dataset,
            ids: body.resident_ids,
            by_proxy: body.by_proxy,
            with_proofs: body.with_proofs,
        };
        let told = self
            .blocking(move |desk| question.ask(&desk.exchange, &desk.indexes, call, permit))
            .await?;
        Ok(v1::SubjectReportResponse {
            event_id: told.access.to_string(),
            entries: told.rows.into_iter().map(entry).collect(),
            notice: if told.is_stale {
                Reason::ProtectionStale.as_str().to_owned()
            } else {
                String::new()
            },
            receipt: convert::receipt(told.receipt),
        })
    }

    pub(super) async fn show_held_subjects(
        &self,
        caller: Caller,
        body: v1::HeldSubjectsRequest,
    ) -> Result<v1::HeldSubjectsResponse, Refusal> {
        let (permit, dataset) =
            permit_of_register::<ReleaseSubject>(self, &caller, &body.dataset_id)?;
        let done =
            self.exchange.execute(Call::read(caller), LookAtHeld { permit, dataset }).await?;
        let waiting = held(&self.exchange.state(), dataset);
        let held = waiting.into_iter().map(|(access, request)| v1::HeldSubject {
            event_id: access.to_string(),
            asked_at: request.asked_at.to_string(),
            asked_by: request.asked_by.to_string(),
            by_proxy: request.by_proxy,
        });
        Ok(v1::HeldSubjectsResponse {
            held: held.collect(),
            receipt: convert::receipt(done.receipt),
        })
    }

    pub(super) async fn tell_held_subject(
        &self,
        caller: Caller,
        call: Call,
        body: v1::ReleaseSubjectRequest,
    ) -> Result<v1::ReleaseSubjectResponse, Refusal> {
        let (permit, dataset) =
            permit_of_register::<ReleaseSubject>(self, &caller, &body.dataset_id)?;
        let access: EventId = convert::known(&body.event_id)?;
        let (ids, with_proofs) = (body.resident_ids, body.with_proofs);
        let question = Question { dataset, ids, by_proxy: false, with_proofs };
        let told = self
            .blocking(move |desk| question.release(&desk.exchange, call, permit, access))
            .await?;
        Ok(v1::ReleaseSubjectResponse {
            entries: told.rows.into_iter().map(entry).collect(),
            receipt: convert::receipt(told.receipt),
        })
    }
}

fn entry(row: Row) -> v1::SubjectEntry {
    let done = match row.done {
        Use::Linked => v1::SubjectUse::Linked,
        Use::Compared => v1::SubjectUse::Compared,
        Use::Answered => v1::SubjectUse::Answered,
    };
    v1::SubjectEntry {
        time: row.time.to_string(),
        requester: row.requester.map(|agency| agency.to_string()).unwrap_or_default(),
        provider: row.provider.to_string(),
        fields: row.fields,
        purpose: row.purpose.map(|purpose| purpose.to_string()).unwrap_or_default(),
        legal_basis: row.basis.map(|basis| basis.to_string()).unwrap_or_default(),
        r#use: done.into(),
        operation: row.operation.to_string(),
        leaf_index: row.leaf_index,
        proof: row.proof.map(|proof| proof.to_json()).unwrap_or_default(),
    }
}
