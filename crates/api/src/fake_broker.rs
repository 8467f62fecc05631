//! A broker in memory for tests: it answers as it is told, and breaks connections on demand.

use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::rt::TokioIo;
use renkei_types::{Reason, SeededEntropy};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};
use tonic::transport::server::Connected;
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::rejection::{Places, refusal_status};
use crate::v1::records_server::{Records, RecordsServer};
use crate::v1::upload_request::Part;
use crate::v1::{
    ApplyRequest, ApplyResponse, DestroySnapshotRequest, DestroySnapshotResponse,
    GetProtectionRequest, GetProtectionResponse, GetUploadRequest, GetUploadResponse,
    ListSupersededRequest, ListSupersededResponse, OpenUploadRequest, OpenUploadResponse, Receipt,
    ReportProtectedRequest, ReportProtectedResponse, SealRequest, SealResponse, StateOnRequest,
    StateOnResponse, UploadRequest, UploadResponse, WithdrawRequest, WithdrawResponse,
};
use crate::{Connection, connection};

/// What the broker has, and how it behaves.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// The durable bytes.
    pub(crate) durable: Vec<u8>,
    pub(crate) sealed: bool,
    /// Streams end with UNAVAILABLE after so many chunks each; those that are left out run to their end.
    pub(crate) cuts: Vec<usize>,
    /// So many calls are answered UNAVAILABLE.
    pub(crate) unavailable_calls: usize,
    /// Request ids in the order in which they came.
    pub(crate) request_ids: Vec<String>,
    /// Offsets of chunks in the order in which they came.
    pub(crate) offsets: Vec<u64>,
    /// Streams that were opened.
    pub(crate) streams: usize,
    /// The reason for which uploads are refused.
    pub(crate) refuses: Option<Reason>,
}

/// The broker.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeBroker(Arc<Mutex<Store>>);

impl FakeBroker {
    pub(crate) fn store(&self) -> std::sync::MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts to serve, and connects.
    pub(crate) fn connect(&self) -> Connection {
        let (accept, accepted) = mpsc::unbounded_channel::<Result<DuplexStream, std::io::Error>>();
        self.serve(accepted);
        let connector = tower::service_fn(move |_| {
            let accept = accept.clone();
            async move {
                let (here, there) = tokio::io::duplex(1 << 16);
                accept.send(Ok(there)).map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>(TokioIo::new(here))
            }
        });
        let endpoint = connection::limits(Endpoint::from_static("http://broker.example:1"));
        let channel = endpoint.connect_with_connector_lazy(connector);
        Connection::over(channel, Arc::new(SeededEntropy::new(1)))
    }

    /// Serves connections as they come.
    pub(crate) fn serve<I>(&self, accepted: mpsc::UnboundedReceiver<Result<I, std::io::Error>>)
    where
        I: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let service = RecordsServer::new(self.clone()).max_decoding_message_size(8 << 20);
        let server = Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(UnboundedReceiverStream::new(accepted)));
    }

    async fn receive(
        self,
        mut stream: Streaming<UploadRequest>,
        acks: mpsc::Sender<Result<UploadResponse, Status>>,
    ) {
        let cut = {
            let mut store = self.store();
            store.streams += 1;
            if store.cuts.is_empty() { None } else { Some(store.cuts.remove(0)) }
        };
        let mut chunks = 0;
        while let Ok(Some(UploadRequest { part: Some(part) })) = stream.message().await {
            let Part::Chunk(chunk) = part else { continue };
            if cut == Some(chunks) {
                let _ = acks.send(Err(Status::unavailable("cut"))).await;
                return;
            }
            chunks += 1;
            let answer = self.take(chunk.offset, &chunk.data, chunk.crc32c);
            let failed = answer.is_err();
            if acks.send(answer).await.is_err() || failed {
                return;
            }
        }
    }

    fn take(&self, offset: u64, data: &[u8], checksum: u32) -> Result<UploadResponse, Status> {
        let mut store = self.store();
        store.offsets.push(offset);
        if let Some(reason) = store.refuses {
            return Err(refusal_status(Code::InvalidArgument, reason, None, Places::default()));
        }
        if crc32c::crc32c(data) != checksum {
            return Err(refusal_status(
                Code::InvalidArgument,
                Reason::ChecksumWrong,
                None,
                Places::default(),
            ));
        }
        if offset != store.durable.len() as u64 {
            return Err(refusal_status(
                Code::InvalidArgument,
                Reason::OffsetWrong,
                None,
                Places::default(),
            ));
        }
        store.durable.extend_from_slice(data);
        Ok(UploadResponse { durable_through: store.durable.len() as u64 })
    }
}

#[tonic::async_trait]
impl Records for FakeBroker {
    async fn open_upload(
        &self,
        request: Request<OpenUploadRequest>,
    ) -> Result<Response<OpenUploadResponse>, Status> {
        let mut store = self.store();
        store.request_ids.push(request.into_inner().request_id);
        if store.unavailable_calls > 0 {
            store.unavailable_calls -= 1;
            return Err(Status::unavailable("not now"));
        }
        if let Some(reason) = store.refuses {
            return Err(refusal_status(
                Code::PermissionDenied,
                reason,
                Some("dataset_id"),
                Places::default(),
            ));
        }
        let receipt = Some(Receipt::of_leaf(1, [2; 32]));
        Ok(Response::new(OpenUploadResponse { upload_id: "upload_1".to_owned(), receipt }))
    }

    type UploadStream = ReceiverStream<Result<UploadResponse, Status>>;

    async fn upload(
        &self,
        request: Request<Streaming<UploadRequest>>,
    ) -> Result<Response<Self::UploadStream>, Status> {
        let (acks, receiver) = mpsc::channel(4);
        tokio::spawn(self.clone().receive(request.into_inner(), acks));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_upload(
        &self,
        _: Request<GetUploadRequest>,
    ) -> Result<Response<GetUploadResponse>, Status> {
        let store = self.store();
        let durable_through = store.durable.len() as u64;
        Ok(Response::new(GetUploadResponse { durable_through, sealed: store.sealed }))
    }

    async fn seal(&self, _: Request<SealRequest>) -> Result<Response<SealResponse>, Status> {
        std::future::pending().await
    }

    async fn apply(&self, _: Request<ApplyRequest>) -> Result<Response<ApplyResponse>, Status> {
        Err(not_asked())
    }

    async fn withdraw(
        &self,
        _: Request<WithdrawRequest>,
    ) -> Result<Response<WithdrawResponse>, Status> {
        Err(not_asked())
    }

    async fn get_protection(
        &self,
        _: Request<GetProtectionRequest>,
    ) -> Result<Response<GetProtectionResponse>, Status> {
        Err(not_asked())
    }

    async fn report_protected(
        &self,
        _: Request<ReportProtectedRequest>,
    ) -> Result<Response<ReportProtectedResponse>, Status> {
        Err(not_asked())
    }

    async fn list_superseded(
        &self,
        _: Request<ListSupersededRequest>,
    ) -> Result<Response<ListSupersededResponse>, Status> {
        Err(not_asked())
    }

    async fn destroy_snapshot(
        &self,
        _: Request<DestroySnapshotRequest>,
    ) -> Result<Response<DestroySnapshotResponse>, Status> {
        Err(not_asked())
    }

    type StateOnStream = ReceiverStream<Result<StateOnResponse, Status>>;

    async fn state_on(
        &self,
        _: Request<StateOnRequest>,
    ) -> Result<Response<Self::StateOnStream>, Status> {
        Err(not_asked())
    }
}

/// Uploads ask for nothing else.
fn not_asked() -> Status {
    Status::unimplemented("an upload does not ask for this")
}
