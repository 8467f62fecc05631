//! Records: files in; states of registers have a file of their own.

mod states;

use futures_util::StreamExt as _;
use renkei_api::v1;
use renkei_exchange::command::Call;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Permit, SeeProtection, Submit};
use renkei_exchange::protection::LookAtProtection;
use renkei_exchange::seal::{Declaration, seal};
use renkei_exchange::upload::{
    Brings, OpenUpload, SharedSpool, Target, Upload, UploadState, spool_refusal,
};
use renkei_exchange::withdraw::WithdrawDataset;
use renkei_exchange::{Caller, Refusal, State, delta, protection};
use renkei_types::{AgencyId, Reason, UploadId};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming, async_trait};

use super::{Answers, Desk, method};
use crate::{convert, failure};

/// Most bytes in a chunk.
const CHUNK_BYTES_MAX: usize = 1 << 20;

fn owner(state: &State, upload: &Upload) -> Option<AgencyId> {
    match upload.target {
        Target::Register(dataset) | Target::Delta(dataset, _) | Target::Protection(dataset, _) => {
            state.datasets.get(&dataset).map(|dataset| dataset.provider.clone())
        }
        Target::List(list) => state.owner_of_list(list).cloned(),
    }
}

impl Desk {
    /// An upload that the caller may add to.
    fn upload_of(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(Permit<Submit>, UploadId, Upload), Refusal> {
        let state = self.exchange.state();
        let id: Option<UploadId> = id.parse().ok();
        let upload = id.and_then(|id| state.uploads.get(&id));
        let owner = upload.and_then(|upload| owner(&state, upload));
        let permit = state.permit_own::<Submit>(caller, owner.as_ref())?;
        let (id, upload) = id.zip(upload.cloned()).ok_or(Reason::NoAgreement)?;
        Ok((permit, id, upload))
    }

    /// Takes chunks until the stream ends, syncing whenever a window is full or the sender pauses.
    async fn receive(
        &self,
        caller: &Caller,
        id: &str,
        spool: SharedSpool,
        mut chunks: Streaming<v1::UploadRequest>,
        answers: &mpsc::Sender<Result<v1::UploadResponse, Status>>,
    ) -> Result<(), Refusal> {
        let mut unsynced = 0_u64;
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout(self.stream_idle, chunks.next()) => {
                    next.map_err(|_| Refusal::new(Reason::DeadlineExceeded))?
                }
                () = self.stopping.cancelled() => return Err(Reason::Stopping.into()),
            };
            let (ended, broken) = match next {
                Some(Ok(message)) => {
                    let Some(v1::upload_request::Part::Chunk(chunk)) = message.part else {
                        return Err(Refusal::field("part"));
                    };
                    unsynced += chunk.data.len() as u64;
                    self.append(&spool, chunk).await?;
                    (false, None)
                }
                Some(Err(status)) => (true, Some(status)),
                None => (true, None),
            };
            if unsynced >= self.upload_window_bytes || (ended && unsynced > 0) {
                unsynced = 0;
                // The right may end while the stream is open.
                self.upload_of(caller, id)?;
                let spool = spool.clone();
                let durable_through = self
                    .blocking(move |_| {
                        let mut spool = spool.lock();
                        let spool = spool.as_mut().ok_or(Reason::WrongState)?;
                        spool.sync().map_err(|error| spool_refusal(&error))
                    })
                    .await?;
                // Who has gone away asks GetUpload where to go on.
                let _ = answers.send(Ok(v1::UploadResponse { durable_through })).await;
            }
            if let Some(status) = broken {
                // Why it was cut, for who is still there; what came before it is durable.
                let _ = answers.send(Err(status)).await;
            }
            if ended {
                return Ok(());
            }
        }
    }

    async fn append(&self, spool: &SharedSpool, chunk: v1::UploadChunk) -> Result<(), Refusal> {
        if chunk.data.len() > CHUNK_BYTES_MAX {
            return Err(Refusal::new(Reason::TooLarge).in_field("chunk.data"));
        }
        if chunk.offset.saturating_add(chunk.data.len() as u64) > self.upload_bytes_max {
            return Err(Reason::TooLarge.into());
        }
        crate::telemetry::upload_received(chunk.data.len() as u64);
        let spool = spool.clone();
        self.blocking(move |desk| {
            let mut spool = spool.lock();
            let spool = spool.as_mut().ok_or(Reason::WrongState)?;
            if crc32c::crc32c(&chunk.data) != chunk.crc32c {
                let wrong = Refusal::new(Reason::ChecksumWrong).in_field("chunk.crc32c");
                return Err(wrong.expecting(spool.durable_through()));
            }
            spool
                .append(chunk.offset, &chunk.data, desk.exchange.vault().entropy())
                .map_err(|error| spool_refusal(&error))
        })
        .await
    }
}

#[async_trait]
impl v1::records_server::Records for Desk {
    async fn open_upload(
        &self,
        request: Request<v1::OpenUploadRequest>,
    ) -> Result<Response<v1::OpenUploadResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::OpenUploadRequest| async move {
            let state = self.exchange.state();
            let dataset: Option<renkei_types::DatasetId> = body.dataset_id.parse().ok();
            let known = dataset.and_then(|id| state.datasets.get(&id));
            let owner = known.map(|dataset| &dataset.provider);
            let permit = state.permit_own::<Submit>(&caller, owner)?;
            let dataset = dataset.ok_or(Reason::NoAgreement)?;
            let v1::FileShape { encoding, layout } = body.shape.unwrap_or_default();
            let shape = convert::shape(&encoding, layout)?;
            let key = self.new_key().await?;
            let brings = match (body.delta, body.protection) {
                (0, 0) => Brings::Snapshot,
                (number, 0) => Brings::Delta(number),
                (0, number) => Brings::Protection(number),
                _ => return Err(Refusal::field("protection")),
            };
            let command = OpenUpload { permit, dataset, brings, shape, key };
            let done = self.exchange.execute(call, command).await?;
            let receipt = convert::receipt(done.receipt);
            Ok(v1::OpenUploadResponse { upload_id: done.reply.to_string(), receipt })
        };
        self.gate.mutate(method!("Records", "OpenUpload"), request, handler).await
    }

    type UploadStream = Answers<v1::UploadResponse>;

    async fn upload(
        &self,
        request: Request<Streaming<v1::UploadRequest>>,
    ) -> Result<Response<Self::UploadStream>, Status> {
        let handler = |caller: Caller, mut chunks: Streaming<v1::UploadRequest>| async move {
            let first = tokio::time::timeout(self.stream_idle, chunks.next()).await;
            let first = first.map_err(|_| Refusal::new(Reason::DeadlineExceeded))?;
            if matches!(&first, Some(Err(status)) if status.code() == Code::Unavailable) {
                return Err(Reason::DeadlineExceeded.into());
            }
            let part = first.and_then(Result::ok).and_then(|message| message.part);
            let Some(v1::upload_request::Part::Start(start)) = part else {
                return Err(Refusal::field("start"));
            };
            let (_, id, upload) = self.upload_of(&caller, &start.upload_id)?;
            let spool = self
                .blocking(move |desk| desk.spools.of(desk.exchange.vault(), id, &upload))
                .await?;
            let (sender, receiver) = mpsc::channel(8);
            let desk = self.clone();
            tokio::spawn(async move {
                let id = &start.upload_id;
                if let Err(refusal) = desk.receive(&caller, id, spool, chunks, &sender).await {
                    desk.gate.note(Some(caller), &refusal);
                    let _ = sender.send(Err(failure::status(&refusal))).await;
                }
            });
            Ok(Box::pin(ReceiverStream::new(receiver)) as Self::UploadStream)
        };
        self.gate.handle(method!("Records", "Upload"), request, handler).await
    }

    async fn get_upload(
        &self,
        request: Request<v1::GetUploadRequest>,
    ) -> Result<Response<v1::GetUploadResponse>, Status> {
        let handler = |caller: Caller, body: v1::GetUploadRequest| async move {
            let (_, id, upload) = self.upload_of(&caller, &body.upload_id)?;
            if upload.state == UploadState::Destroyed {
                return Err(Reason::MyNumber.into());
            }
            if upload.state == UploadState::Sealed {
                let durable_through = upload.bytes;
                return Ok(v1::GetUploadResponse { durable_through, sealed: true });
            }
            self.blocking(move |desk| {
                let spool = desk.spools.of(desk.exchange.vault(), id, &upload)?;
                let mut spool = spool.lock();
                let spool = spool.as_mut().ok_or(Reason::WrongState)?;
                // What has been taken but not acknowledged is made durable, so that the sender goes on behind it.
                let durable_through = spool.sync().map_err(|error| spool_refusal(&error))?;
                Ok(v1::GetUploadResponse { durable_through, sealed: false })
            })
            .await
        };
        self.gate.handle(method!("Records", "GetUpload"), request, handler).await
    }

    async fn seal(
        &self,
        request: Request<v1::SealRequest>,
    ) -> Result<Response<v1::SealResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::SealRequest| async move {
            let (permit, id, _) = self.upload_of(&caller, &body.upload_id)?;
            let declared = Declaration {
                bytes: body.bytes,
                sha256: *convert::digest(&body.sha256, "sha256")?.as_bytes(),
                totals: convert::totals_from(body.declared, "declared")?,
            };
            let done = self
                .blocking(move |desk| {
                    seal(&desk.exchange, &desk.spools, call, permit, id, declared)
                })
                .await?;
            self.jobs.registers_changed();
            let Totals { lines, yen } = done.reply.rejected;
            Ok(v1::SealResponse {
                snapshot_id: done.reply.snapshot.map(|id| id.to_string()).unwrap_or_default(),
                counted: Some(convert::totals(done.reply.counted)),
                rejected: Some(v1::Totals { lines, yen }),
                digest: convert::bytes(done.reply.digest),
                receipt: convert::receipt(done.receipt),
                unusual: done.reply.unusual.iter().map(|it| it.as_str().to_owned()).collect(),
            })
        };
        self.gate.mutate(method!("Records", "Seal"), request, handler).await
    }

    async fn apply(
        &self,
        request: Request<v1::ApplyRequest>,
    ) -> Result<Response<v1::ApplyResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ApplyRequest| async move {
            let (permit, id, upload) = self.upload_of(&caller, &body.upload_id)?;
            let Target::Delta(_, number) = upload.target else {
                return Err(Reason::WrongState.into());
            };
            let declared = Declaration {
                bytes: body.bytes,
                sha256: *convert::digest(&body.sha256, "sha256")?.as_bytes(),
                totals: Totals { lines: body.records, yen: 0 },
            };
            let done = self
                .blocking(move |desk| {
                    let Self { exchange, spools, indexes, .. } = desk;
                    delta::apply(exchange, spools, indexes, &call, &permit, id, declared)
                })
                .await?;
            self.jobs.registers_changed();
            let counts = done.reply.counts;
            Ok(v1::ApplyResponse {
                snapshot_id: done.reply.snapshot.to_string(),
                number,
                added: counts.added,
                changed: counts.changed,
                removed: counts.removed,
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Records", "Apply"), request, handler).await
    }

    async fn report_protected(
        &self,
        request: Request<v1::ReportProtectedRequest>,
    ) -> Result<Response<v1::ReportProtectedResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ReportProtectedRequest| async move {
            let (permit, id, _) = self.upload_of(&caller, &body.upload_id)?;
            let declared = Declaration {
                bytes: body.bytes,
                sha256: *convert::digest(&body.sha256, "sha256")?.as_bytes(),
                totals: Totals { lines: body.records, yen: 0 },
            };
            let done = self
                .blocking(move |desk| {
                    protection::report(&desk.exchange, &desk.spools, call, permit, id, declared)
                })
                .await?;
            self.jobs.registers_changed();
            Ok(v1::ReportProtectedResponse {
                number: done.reply.number,
                persons: done.reply.persons,
                overdue: done.reply.overdue,
                unknown: done.reply.unknown.map(convert::unknown_ids),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Records", "ReportProtected"), request, handler).await
    }

    async fn get_protection(
        &self,
        request: Request<v1::GetProtectionRequest>,
    ) -> Result<Response<v1::GetProtectionResponse>, Status> {
        let handler = |caller: Caller, body: v1::GetProtectionRequest| async move {
            let state = self.exchange.state();
            let dataset: Option<renkei_types::DatasetId> = body.dataset_id.parse().ok();
            let known = dataset.and_then(|id| state.datasets.get(&id));
            let owner = known.map(|dataset| &dataset.provider);
            let permit = state.permit_own::<SeeProtection>(&caller, owner)?;
            let dataset = dataset.ok_or(Reason::NoAgreement)?;
            let outlook = self.protected_now(&state, dataset).await?.outlook(self.today());
            let look = LookAtProtection { permit, dataset };
            let done = self.exchange.execute(Call::read(caller), look).await?;
            let report = state.protections.get(&dataset);
            Ok(v1::GetProtectionResponse {
                number: report.map_or(0, |report| report.number),
                reported_at: report.map(|it| it.reported_at.to_string()).unwrap_or_default(),
                persons: report.map_or(0, |report| report.persons),
                overdue: outlook.overdue,
                ending_soon: outlook.ending_soon,
                next_end: outlook.next_end.map(|day| day.to_string()).unwrap_or_default(),
                stale: outlook.is_stale,
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.handle(method!("Records", "GetProtection"), request, handler).await
    }

    async fn withdraw(
        &self,
        request: Request<v1::WithdrawRequest>,
    ) -> Result<Response<v1::WithdrawResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::WithdrawRequest| async move {
            let (permit, dataset) = self.keeper(&caller, &body.dataset_id)?;
            let (destroy, dry_run) = (body.destroy, body.dry_run);
            let command = WithdrawDataset { permit, dataset, destroy, dry_run };
            let done = self.blocking(move |desk| command.withdraw(&desk.exchange, call)).await?;
            self.jobs.registers_changed();
            Ok(v1::WithdrawResponse {
                keys_destroyed: done.reply.keys.len() as u64,
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.mutate(method!("Records", "Withdraw"), request, handler).await
    }

    async fn list_superseded(
        &self,
        request: Request<v1::ListSupersededRequest>,
    ) -> Result<Response<v1::ListSupersededResponse>, Status> {
        let handler = |caller: Caller, body| self.superseded_states(caller, body);
        self.gate.handle(method!("Records", "ListSuperseded"), request, handler).await
    }

    async fn destroy_snapshot(
        &self,
        request: Request<v1::DestroySnapshotRequest>,
    ) -> Result<Response<v1::DestroySnapshotResponse>, Status> {
        let handler = |caller: Caller, call, body| self.destroy_state(caller, call, body);
        self.gate.mutate(method!("Records", "DestroySnapshot"), request, handler).await
    }

    type StateOnStream = Answers<v1::StateOnResponse>;

    async fn state_on(
        &self,
        request: Request<v1::StateOnRequest>,
    ) -> Result<Response<Self::StateOnStream>, Status> {
        let handler = |caller: Caller, body| self.extract(caller, body);
        self.gate.handle(method!("Records", "StateOn"), request, handler).await
    }
}

impl Desk {
    /// A key for something that is about to begin. Where the command is refused, or is a repetition, the key seals nothing.
    pub(crate) async fn new_key(&self) -> Result<renkei_types::DataKeyId, Refusal> {
        self.blocking(|desk| desk.exchange.vault().create_key(desk.exchange.clock().now())).await
    }
}
