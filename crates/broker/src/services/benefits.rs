//! Benefits: programmes, lists and money.

use bytes::Bytes;
use renkei_api::v1;
use renkei_exchange::batch::{PAYMENT_FIELDS, Signed, certify, propose};
use renkei_exchange::command::Call;
use renkei_exchange::division::{self, DividePermit, DividedPerson};
use renkei_exchange::hold::{self, Held, Hold, ReleaseHold, Target};
use renkei_exchange::permit::{
    Certify, Operate, Permit, Readmit, Receive, SeeProgramme, SeeProtected, SeeTotals,
    StopReleases, Submit,
};
use renkei_exchange::programme::{CreateProgramme, OpenList};
use renkei_exchange::reconcile::{Sheet, look};
use renkei_exchange::transfer::{self, ExportTransfer};
use renkei_exchange::{
    Caller, Refusal, State, accounts, exclusion, household_case, readmission, refund, returns,
};
use renkei_types::{AgencyId, BatchId, ListId, ProgrammeId, Reason};
use tonic::{Request, Response, Status, async_trait};

use super::{Answers, Desk, method};
use crate::convert;

/// Bytes of a transfer file in a message.
const PIECE_BYTES: usize = 64 * 1024;
/// Lines of a report in a message.
const LINES_IN_A_PIECE: usize = 1_000;

fn owner(state: &State, programme: Option<ProgrammeId>) -> Option<&AgencyId> {
    state.programmes.get(&programme?).map(|programme| &programme.agency)
}

/// Lines of a report as messages; one message at least, for it has the receipt.
fn pieces<T>(lines: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut lines = lines.into_iter();
    let first = lines.by_ref().take(LINES_IN_A_PIECE).collect();
    let further = std::iter::from_fn(move || {
        let piece: Vec<T> = lines.by_ref().take(LINES_IN_A_PIECE).collect();
        (!piece.is_empty()).then_some(piece)
    });
    std::iter::once(first).chain(further)
}

/// What a hold is wanted on.
enum Wanted {
    /// One list; nothing for the whole programme.
    List(Option<ListId>),
    /// One payee.
    Payee(String),
}

fn target(list: &str, payee: &str) -> Result<Wanted, Refusal> {
    match (list, payee) {
        ("", "") => Ok(Wanted::List(None)),
        (list, "") => convert::known(list).map(|list| Wanted::List(Some(list))),
        ("", payee) => Ok(Wanted::Payee(payee.to_owned())),
        (_, _) => Err(Refusal::field("payee")),
    }
}

impl Desk {
    /// May the caller handle what a programme pays, with accounts and all?
    fn paying_office(
        &self,
        state: &State,
        caller: &Caller,
        programme: Option<ProgrammeId>,
    ) -> Result<Permit<Receive>, Refusal> {
        let programme = programme.and_then(|id| state.programmes.get(&id));
        let dataset = programme.map(|programme| programme.dataset);
        let permit = state.permit_dataset::<Receive>(caller, dataset, None, self.today())?;
        if PAYMENT_FIELDS.iter().all(|field| permit.allows_field(field)) {
            Ok(permit)
        } else {
            Err(Reason::NoAgreement.into())
        }
    }

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
            let programme = convert::programme(&state, id, programme);
            Ok(v1::GetProgrammeResponse { programme: Some(programme) })
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
            let supersedes = convert::supersedes(&body.supersedes_list_id, body.lines_only)?;
            let key = self.new_key().await?;
            let kind = convert::list_kind(body.kind)?;
            let command = OpenList { permit, programme, name, shape, supersedes, kind, key };
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
            if body.batch_id.is_empty() {
                let work =
                    move |desk: &Self| propose(&desk.exchange, &desk.indexes, &call, &permit, list);
                let done = self.blocking(work).await?;
                return Ok(v1::CertifyResponse {
                    batch: Some(self.batch(done.reply.batch)?),
                    lines_already_paid: done.reply.already_paid,
                    lines_incomplete: done.reply.incomplete,
                    lines_excluded: done.reply.excluded,
                    lines_held: done.reply.held,
                    stops_unmet: done.reply.unmet.stops,
                    exclusions_unmet: done.reply.unmet.exclusions,
                    receipt: convert::receipt(done.receipt),
                });
            }
            let batch = convert::known(&body.batch_id)?;
            let digest = convert::digest(&body.digest, "digest")?;
            let signed = Signed { list, batch, digest };
            let work =
                move |desk: &Self| certify(&desk.exchange, &desk.indexes, call, permit, signed);
            let done = self.blocking(work).await?;
            Ok(v1::CertifyResponse {
                batch: Some(self.batch(done.reply)?),
                receipt: convert::receipt(done.receipt),
                ..v1::CertifyResponse::default()
            })
        };
        self.gate.mutate(method!("Benefits", "Certify"), request, handler).await
    }

    async fn exclude(
        &self,
        request: Request<v1::ExcludeRequest>,
    ) -> Result<Response<v1::ExcludeResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ExcludeRequest| async move {
            let state = self.exchange.state();
            let id: Option<ProgrammeId> = body.programme_id.parse().ok();
            let permit = state.permit_own::<Submit>(&caller, owner(&state, id))?;
            let programme = id.ok_or(Reason::NoAgreement)?;
            let reason = convert::exclusion_reason(body.reason)?;
            let work = move |desk: &Self| {
                exclusion::exclude(&desk.exchange, &call, &permit, programme, reason, &body.payees)
            };
            let done = self.blocking(work).await?;
            Ok(v1::ExcludeResponse {
                payees: done.reply.payees,
                known_before: done.reply.known_before,
                already_certified: done.reply.already_certified,
                unknown: done.reply.unknown.map(convert::unknown_ids),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "Exclude"), request, handler).await
    }

    async fn divide(
        &self,
        request: Request<v1::DivideRequest>,
    ) -> Result<Response<v1::DivideResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::DivideRequest| async move {
            let state = self.exchange.state();
            let id: Option<ProgrammeId> = body.programme_id.parse().ok();
            let kind = convert::division_kind(body.kind);
            let permit = DividePermit::of(&state, &caller, owner(&state, id), kind)?;
            let (programme, kind) = id.zip(kind).ok_or(Reason::NoAgreement)?;
            let lines: Vec<u64> = body.persons.iter().map(|one| one.line).collect();
            let persons = body
                .persons
                .into_iter()
                .map(|one| DividedPerson { person: one.register_id, household: one.household_id });
            let persons = persons.collect();
            let work = move |desk: &Self| {
                division::divide(&desk.exchange, call, permit, programme, kind, persons, &lines)
            };
            let done = self.blocking(work).await?;
            Ok(v1::DivideResponse {
                persons: done.reply.persons,
                already_certified: done.reply.already_certified,
                compared: done.reply.is_compared,
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "Divide"), request, handler).await
    }

    async fn readmit(
        &self,
        request: Request<v1::ReadmitRequest>,
    ) -> Result<Response<v1::ReadmitResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ReadmitRequest| async move {
            let state = self.exchange.state();
            let id: Option<ProgrammeId> = body.programme_id.parse().ok();
            let permit = state.permit_own::<Readmit>(&caller, owner(&state, id))?;
            let programme = id.ok_or(Reason::NoAgreement)?;
            let work = move |desk: &Self| {
                readmission::readmit(&desk.exchange, call, permit, programme, &body.payees)
            };
            let done = self.blocking(work).await?;
            Ok(v1::ReadmitResponse {
                readmitted: done.reply.readmitted,
                payees: done.reply.payees,
                open_again: Some(convert::totals(done.reply.open_again)),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "Readmit"), request, handler).await
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
            let (held, receipt) = match target(&body.list_id, &body.payee)? {
                Wanted::Payee(payee) => {
                    let work = move |desk: &Self| {
                        hold::hold_payee(&desk.exchange, &call, &permit, programme, &payee)
                    };
                    let done = self.blocking(work).await?;
                    (done.reply, done.receipt)
                }
                Wanted::List(list) => {
                    let command = Hold { permit, programme, list };
                    (Held::default(), self.exchange.execute(call, command).await?.receipt)
                }
            };
            Ok(v1::HoldResponse {
                receipt: convert::receipt(receipt),
                batches: held.batches,
                compared: held.is_compared,
            })
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
            let target = match target(&body.list_id, &body.payee)? {
                Wanted::List(list) => list.map_or(Target::Programme, Target::List),
                Wanted::Payee(payee) => {
                    let vault = self.exchange.vault();
                    Target::Payee(hold::payee_digest(vault, &state, programme, &payee)?)
                }
            };
            let command = ReleaseHold { permit, programme, target };
            let done = self.exchange.execute(call, command).await?;
            Ok(v1::ReleaseHoldResponse {
                lifted: done.reply.lifted,
                batch_ids: done.reply.released.iter().map(ToString::to_string).collect(),
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
            let programme: Option<ProgrammeId> = body.programme_id.parse().ok();
            let (whose, what) = if body.programme_id.is_empty() {
                (list.and_then(|list| state.owner_of_list(list)), list.map(Sheet::List))
            } else if body.list_id.is_empty() {
                (owner(&state, programme), programme.map(Sheet::Programme))
            } else {
                return Err(Refusal::field("programme_id"));
            };
            let permit = state.permit_own::<SeeTotals>(&caller, whose)?;
            let done = look(&self.exchange, permit, what.ok_or(Reason::NoAgreement)?).await?;
            let state = self.exchange.state();
            let answer = convert::reconciliation(&state, &done.reply)?;
            Ok(v1::ReconcileResponse { receipt: convert::receipt(done.receipt), ..answer })
        };
        self.gate.handle(method!("Benefits", "Reconcile"), request, handler).await
    }

    type CheckAccountsStream = Answers<v1::CheckAccountsResponse>;

    async fn check_accounts(
        &self,
        request: Request<v1::CheckAccountsRequest>,
    ) -> Result<Response<Self::CheckAccountsStream>, Status> {
        let handler = |caller: Caller, body: v1::CheckAccountsRequest| async move {
            let state = self.exchange.state();
            let id: Option<BatchId> = body.batch_id.parse().ok();
            let batch = id.and_then(|id| state.batches.get(&id));
            let owner = batch.and_then(|batch| state.owner_of_list(batch.list));
            let permit = state.permit_own::<Certify>(&caller, owner)?;
            let id = id.ok_or(Reason::NoAgreement)?;
            let work = move |desk: &Self| accounts::look(&desk.exchange, permit, id);
            let done = self.blocking(work).await?;
            let mut receipt = convert::receipt(done.receipt);
            let lines = done.reply.into_iter().map(convert::account_line).collect();
            let pieces = pieces(lines)
                .map(|lines| Ok(v1::CheckAccountsResponse { lines, receipt: receipt.take() }));
            let pieces = pieces.collect::<Vec<_>>();
            Ok(Box::pin(futures_util::stream::iter(pieces)) as Self::CheckAccountsStream)
        };
        self.gate.handle(method!("Benefits", "CheckAccounts"), request, handler).await
    }

    type CheckHouseholdsStream = Answers<v1::CheckHouseholdsResponse>;

    async fn check_households(
        &self,
        request: Request<v1::CheckHouseholdsRequest>,
    ) -> Result<Response<Self::CheckHouseholdsStream>, Status> {
        let handler = |caller: Caller, body: v1::CheckHouseholdsRequest| async move {
            let list: Option<ListId> = body.list_id.parse().ok();
            let permit = self.over_list::<SeeProtected>(&self.exchange.state(), &caller, list)?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let work = move |desk: &Self| {
                household_case::look(&desk.exchange, &desk.indexes, permit, list)
            };
            let done = self.blocking(work).await?;
            let mut receipt = convert::receipt(done.receipt);
            let lines = done.reply.into_iter().map(convert::household_line).collect();
            let pieces = pieces(lines)
                .map(|lines| Ok(v1::CheckHouseholdsResponse { lines, receipt: receipt.take() }));
            let pieces = pieces.collect::<Vec<_>>();
            Ok(Box::pin(futures_util::stream::iter(pieces)) as Self::CheckHouseholdsStream)
        };
        self.gate.handle(method!("Benefits", "CheckHouseholds"), request, handler).await
    }

    async fn clear_household(
        &self,
        request: Request<v1::ClearHouseholdRequest>,
    ) -> Result<Response<v1::ClearHouseholdResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ClearHouseholdRequest| async move {
            let list: Option<ListId> = body.list_id.parse().ok();
            let permit = self.over_list::<SeeProtected>(&self.exchange.state(), &caller, list)?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let work = move |desk: &Self| {
                let (exchange, indexes) = (&desk.exchange, &desk.indexes);
                household_case::clear(exchange, indexes, call, permit, list, &body.line_id)
            };
            let done = self.blocking(work).await?;
            let cleared = done.reply.cleared;
            Ok(v1::ClearHouseholdResponse { cleared, receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Benefits", "ClearHousehold"), request, handler).await
    }

    async fn report_returns(
        &self,
        request: Request<v1::ReportReturnsRequest>,
    ) -> Result<Response<v1::ReportReturnsResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ReportReturnsRequest| async move {
            let state = self.exchange.state();
            let batch: Option<BatchId> = body.batch_id.parse().ok();
            let list: Option<ListId> = body.list_id.parse().ok();
            let list = list.or_else(|| Some(state.batches.get(&batch?)?.list));
            let programme = list.and_then(|list| Some(state.lists.get(&list)?.programme));
            let permit = self.paying_office(&state, &caller, programme)?;
            let id = match list.filter(|_| body.batch_id.is_empty()) {
                Some(list) => returns::only_batch(&state, list)?,
                None => batch.ok_or(Reason::NoAgreement)?,
            };
            if state.batches.get(&id).map(|batch| batch.list) != list {
                return Err(Reason::NoAgreement.into());
            }
            let declared = convert::totals_from(body.declared, "declared")?;
            let work = move |desk: &Self| {
                returns::report(&desk.exchange, call, permit, id, &body.file, declared)
            };
            let done = self.blocking(work).await?;
            Ok(v1::ReportReturnsResponse {
                returned: Some(convert::totals(done.reply)),
                batch: Some(self.batch(id)?),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Benefits", "ReportReturns"), request, handler).await
    }

    async fn refund(
        &self,
        request: Request<v1::RefundRequest>,
    ) -> Result<Response<v1::RefundResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::RefundRequest| async move {
            let id: Option<ListId> = body.list_id.parse().ok();
            let state = self.exchange.state();
            let list = id.and_then(|id| state.lists.get(&id));
            let permit = self.paying_office(&state, &caller, list.map(|list| list.programme))?;
            let list = id.ok_or(Reason::NoAgreement)?;
            let work = move |desk: &Self| {
                refund::refund(&desk.exchange, call, permit, list, &body.line_id, body.yen)
            };
            let done = self.blocking(work).await?;
            Ok(v1::RefundResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Benefits", "Refund"), request, handler).await
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
            let paying = batch.as_ref().map(|batch| batch.programme);
            let permit = self.paying_office(&state, &caller, paying)?;
            let (id, batch) = id.zip(batch).ok_or(Reason::NoAgreement)?;
            let programme = programme.ok_or(Reason::NoAgreement)?;
            transfer::may_leave(&state, id, &batch)?;
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
