//! Benefits: programmes, lists and money.

use bytes::Bytes;
use renkei_api::v1;
use renkei_exchange::batch::{BatchState, CertifyBatch, PAYMENT_FIELDS, propose};
use renkei_exchange::command::Call;
use renkei_exchange::hold::{Hold, ReleaseHold};
use renkei_exchange::permit::{
    Certify, Operate, Receive, SeeProgramme, SeeTotals, StopReleases, Submit,
};
use renkei_exchange::programme::{CreateProgramme, OpenList};
use renkei_exchange::reconcile::look;
use renkei_exchange::transfer::{self, ExportTransfer};
use renkei_exchange::{Caller, Refusal, State};
use renkei_types::{AgencyId, BatchId, ListId, ProgrammeId, Reason};
use tonic::{Request, Response, Status, async_trait};

use super::{Answers, Desk, method};
use crate::convert;

/// Bytes of a transfer file in a message.
const PIECE_BYTES: usize = 64 * 1024;

fn owner(state: &State, programme: Option<ProgrammeId>) -> Option<&AgencyId> {
    state.programmes.get(&programme?).map(|programme| &programme.agency)
}

/// A list that is named where one may be.
fn one_list(id: &str) -> Result<Option<ListId>, Refusal> {
    if id.is_empty() { Ok(None) } else { convert::known(id).map(Some) }
}

impl Desk {
    fn batch(&self, id: BatchId) -> Result<v1::Batch, Refusal> {
        let state = self.exchange.state();
        let batch = state.batches.get(&id).ok_or(Reason::NoAgreement)?;
        Ok(convert::batch(id, batch))
    }
}

#[async_trait]
impl v1::benefits_server::Benefits for Desk {
    async fn create_programme(
        &self,
        request: Request<v1::CreateProgrammeRequest>,
    ) -> Result<Response<v1::CreateProgrammeResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::CreateProgrammeRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let programme = body.programme.ok_or(Refusal::field("programme"))?;
            let agency = convert::parse(&programme.agency, "programme.agency")?;
            let rules = convert::rules(&programme)?;
            let key = self.new_key().await?;
            let command = CreateProgramme { permit, agency, rules, key };
            let done = self.exchange.execute(call, command).await?;
            let (programme, dataset) = done.reply;
            Ok(v1::CreateProgrammeResponse {
                programme_id: programme.to_string(),
                dataset_id: dataset.to_string(),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "CreateProgramme"), request, handler).await
    }

    async fn get_programme(
        &self,
        request: Request<v1::GetProgrammeRequest>,
    ) -> Result<Response<v1::GetProgrammeResponse>, Status> {
        let handler = |caller: Caller, body: v1::GetProgrammeRequest| async move {
            let state = self.exchange.state();
            let id: Option<ProgrammeId> = body.programme_id.parse().ok();
            state.permit_own::<SeeProgramme>(&caller, owner(&state, id))?;
            let id = id.ok_or(Reason::NoAgreement)?;
            let programme = state.programmes.get(&id).ok_or(Reason::NoAgreement)?;
            Ok(v1::GetProgrammeResponse { programme: Some(convert::programme(id, programme)) })
        };
        self.gate.handle(method!("Benefits", "GetProgramme"), request, handler).await
    }

    async fn open_list(
        &self,
        request: Request<v1::OpenListRequest>,
    ) -> Result<Response<v1::OpenListResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::OpenListRequest| async move {
            let state = self.exchange.state();
            let id: Option<ProgrammeId> = body.programme_id.parse().ok();
            let permit = state.permit_own::<Submit>(&caller, owner(&state, id))?;
            let programme = id.ok_or(Reason::NoAgreement)?;
            let name = convert::parse(&body.name, "name")?;
            let shape = convert::shape(&body.encoding, body.layout)?;
            let key = self.new_key().await?;
            let command = OpenList { permit, programme, name, shape, key };
            let done = self.exchange.execute(call, command).await?;
            let (list, upload) = done.reply;
            Ok(v1::OpenListResponse {
                list_id: list.to_string(),
                upload_id: upload.to_string(),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "OpenList"), request, handler).await
    }

    async fn certify(
        &self,
        request: Request<v1::CertifyRequest>,
    ) -> Result<Response<v1::CertifyResponse>, Status> {
        let handler = |caller: Caller, call: Call, body: v1::CertifyRequest| async move {
            let state = self.exchange.state();
            let list: Option<ListId> = body.list_id.parse().ok();
            let owner = list.and_then(|list| state.owner_of_list(list));
            let permit = state.permit_own::<Certify>(&caller, owner)?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let (batch, already_paid, incomplete, receipt) = if body.batch_id.is_empty() {
                let done =
                    self.blocking(move |desk| propose(&desk.exchange, call, permit, list)).await?;
                (done.reply.batch, done.reply.already_paid, done.reply.incomplete, done.receipt)
            } else {
                let batch = convert::known(&body.batch_id)?;
                let digest = convert::digest(&body.digest, "digest")?;
                let command = CertifyBatch { permit, list, batch, digest };
                let done = self.exchange.execute(call, command).await?;
                (done.reply, 0, 0, done.receipt)
            };
            Ok(v1::CertifyResponse {
                batch: Some(self.batch(batch)?),
                lines_already_paid: already_paid,
                lines_incomplete: incomplete,
                receipt: convert::receipt(receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "Certify"), request, handler).await
    }

    async fn hold(
        &self,
        request: Request<v1::HoldRequest>,
    ) -> Result<Response<v1::HoldResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::HoldRequest| async move {
            let state = self.exchange.state();
            let id: Option<ProgrammeId> = body.programme_id.parse().ok();
            let permit = state.permit_own::<StopReleases>(&caller, owner(&state, id))?;
            let programme = id.ok_or(Reason::NoAgreement)?;
            let command = Hold { permit, programme, list: one_list(&body.list_id)? };
            let done = self.exchange.execute(call, command).await?;
            Ok(v1::HoldResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Benefits", "Hold"), request, handler).await
    }

    async fn release_hold(
        &self,
        request: Request<v1::ReleaseHoldRequest>,
    ) -> Result<Response<v1::ReleaseHoldResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ReleaseHoldRequest| async move {
            let state = self.exchange.state();
            let id: Option<ProgrammeId> = body.programme_id.parse().ok();
            let permit = state.permit_own::<StopReleases>(&caller, owner(&state, id))?;
            let programme = id.ok_or(Reason::NoAgreement)?;
            let command = ReleaseHold { permit, programme, list: one_list(&body.list_id)? };
            let done = self.exchange.execute(call, command).await?;
            Ok(v1::ReleaseHoldResponse {
                batch_ids: done.reply.iter().map(ToString::to_string).collect(),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "ReleaseHold"), request, handler).await
    }

    async fn reconcile(
        &self,
        request: Request<v1::ReconcileRequest>,
    ) -> Result<Response<v1::ReconcileResponse>, Status> {
        let handler = |caller: Caller, body: v1::ReconcileRequest| async move {
            let state = self.exchange.state();
            let list: Option<ListId> = body.list_id.parse().ok();
            let owner = list.and_then(|list| state.owner_of_list(list));
            let permit = state.permit_own::<SeeTotals>(&caller, owner)?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let done = look(&self.exchange, permit, list).await?;
            let step = |step: &str, totals| v1::ReconcileStep {
                step: step.to_owned(),
                totals: Some(convert::totals(totals)),
            };
            let counted = &done.reply;
            let state = self.exchange.state();
            let batches =
                state.lists.get(&list).map(|list| list.batches.clone()).unwrap_or_default();
            Ok(v1::ReconcileResponse {
                declared: Some(convert::totals(counted.declared)),
                outcomes: counted
                    .outcomes
                    .iter()
                    .map(|(at, totals)| step(at.as_str(), *totals))
                    .collect(),
                steps: counted
                    .steps
                    .iter()
                    .map(|(at, totals)| step(at.as_str(), *totals))
                    .collect(),
                batches: batches.into_iter().map(|id| self.batch(id)).collect::<Result<_, _>>()?,
                balanced: counted.is_balanced(),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.handle(method!("Benefits", "Reconcile"), request, handler).await
    }

    type ExportTransferStream = Answers<v1::ExportTransferResponse>;

    async fn export_transfer(
        &self,
        request: Request<v1::ExportTransferRequest>,
    ) -> Result<Response<Self::ExportTransferStream>, Status> {
        let handler = |caller: Caller, body: v1::ExportTransferRequest| async move {
            let state = self.exchange.state();
            let id: Option<BatchId> = body.batch_id.parse().ok();
            let batch = id.and_then(|id| state.batches.get_shared(&id));
            let programme =
                batch.as_ref().and_then(|batch| state.programmes.get_shared(&batch.programme));
            let dataset = programme.as_ref().map(|programme| programme.dataset);
            let permit = state.permit_dataset::<Receive>(&caller, dataset, None, self.today())?;
            if !PAYMENT_FIELDS.iter().all(|field| permit.allows_field(field)) {
                return Err(Reason::NoAgreement.into());
            }
            let (id, batch) = id.zip(batch).ok_or(Reason::NoAgreement)?;
            let programme = programme.ok_or(Reason::NoAgreement)?;
            if !matches!(batch.state, BatchState::Released | BatchState::Acknowledged) {
                return Err(Reason::WrongState.into());
            }
            let totals = batch.totals;
            let file = self
                .blocking(move |desk| transfer::write(desk.exchange.vault(), &programme, &batch))
                .await?;
            let export = ExportTransfer { permit, batch: id };
            let done = self.exchange.execute(Call::read(caller), export).await?;
            let file = Bytes::from(file);
            let pieces: Vec<_> = (0..file.len())
                .step_by(PIECE_BYTES)
                .map(|start| {
                    let data = file.slice(start..file.len().min(start + PIECE_BYTES));
                    let first = start == 0;
                    Ok(v1::ExportTransferResponse {
                        data,
                        totals: first.then(|| convert::totals(totals)),
                        receipt: if first { convert::receipt(done.receipt) } else { None },
                    })
                })
                .collect();
            Ok(Box::pin(futures_util::stream::iter(pieces)) as Self::ExportTransferStream)
        };
        self.gate.handle(method!("Benefits", "ExportTransfer"), request, handler).await
    }
}
