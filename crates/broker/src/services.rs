//! One file per service; each handler reads: parse, permit, domain call, reply.

mod admin;
mod audit;
mod benefits;
mod deliveries;
mod directory;
mod enrolment;
mod linkage;
mod records;
mod review;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use renkei_api::v1;
use renkei_exchange::index::Indexes;
use renkei_exchange::link_code::Naming;
use renkei_exchange::permit::{Permit, Right};
use renkei_exchange::protection::Protected;
use renkei_exchange::subject::Handles;
use renkei_exchange::upload::Spools;
use renkei_exchange::{Exchange, Refusal, State};
use renkei_types::DatasetId;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;

use crate::gate::Gate;
use crate::jobs::JobBoard;
use crate::transport::CredentialStore;

pub(crate) use enrolment::enrolment_routes;

/// A stream of answers.
pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What every service works with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) gate: Gate,
    pub(crate) exchange: Exchange,
    pub(crate) credentials: Arc<CredentialStore>,
    pub(crate) indexes: Arc<Indexes>,
    pub(crate) spools: Arc<Spools>,
    pub(crate) jobs: Arc<JobBoard>,
    pub(crate) lease: Duration,
    pub(crate) upload_bytes_max: u64,
    pub(crate) upload_window_bytes: u64,
    pub(crate) stream_idle: Duration,
    pub(crate) rights_interval: Duration,
    /// A list is studied outside of a job: one at a time, since it takes the memory of a job.
    pub(crate) studies: Arc<tokio::sync::Semaphore>,
    /// The broker stops: streams that would stay open end.
    pub(crate) stopping: CancellationToken,
}

impl Desk {
    /// Today in Japan: agreements count by days.
    pub(crate) fn today(&self) -> jiff::civil::Date {
        self.exchange.clock().today()
    }

    /// Sends an answer; false where nobody takes it in time: whoever does not read holds nothing for long.
    pub(crate) async fn send<T>(
        &self,
        sender: &tokio::sync::mpsc::Sender<Result<T, Status>>,
        answer: Result<T, Status>,
    ) -> bool {
        matches!(tokio::time::timeout(self.stream_idle, sender.send(answer)).await, Ok(Ok(())))
    }

    /// How the agreement of a permit has residents of a register named.
    pub(crate) async fn naming<R: Right>(
        &self,
        permit: &Permit<R>,
        register: DatasetId,
    ) -> Result<Naming, Refusal>
    where
        Permit<R>: Clone + Send,
    {
        let permit = permit.clone();
        self.blocking(move |desk| Naming::under(&desk.exchange, &permit, register)).await
    }

    /// The same, and the handles by which the log knows whom the answer is about.
    pub(crate) async fn naming_and_handles<R: Right>(
        &self,
        permit: &Permit<R>,
        register: DatasetId,
    ) -> Result<(Naming, Handles), Refusal>
    where
        Permit<R>: Clone + Send,
    {
        let permit = permit.clone();
        self.blocking(move |desk| {
            let naming = Naming::under(&desk.exchange, &permit, register)?;
            Ok((naming, Handles::of_today(&desk.exchange, register)?))
        })
        .await
    }

    /// Who of a register is protected now. What feeds have said is in memory but for the moments after a report and after a
    /// start.
    pub(crate) async fn protected_now(
        &self,
        state: &Arc<State>,
        dataset: DatasetId,
    ) -> Result<Protected, Refusal> {
        let (state, now) = (Arc::clone(state), self.exchange.clock().now());
        let look = move |desk: &Self| {
            Ok(desk.indexes.protected(&state, desk.exchange.vault(), dataset, now))
        };
        if self.indexes.knows_protected(&self.exchange.state(), dataset) {
            look(self)
        } else {
            self.blocking(look).await
        }
    }

    /// Work that blocks, off the threads that serve calls.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let desk = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.unwrap_or_else(|error| Err(Refusal::internal(&error)))
    }
}

/// All services, each with its limits on messages.
pub(crate) fn routes(desk: &Desk, message_bytes_max: usize, health: Routes) -> Routes {
    macro_rules! service {
        ($server:path) => {{
            <$server>::new(desk.clone())
                .max_decoding_message_size(message_bytes_max)
                .max_encoding_message_size(renkei_api::MESSAGE_BYTES_MAX)
        }};
    }
    health
        .add_service(service!(v1::admin_server::AdminServer<Desk>))
        .add_service(service!(v1::audit_server::AuditServer<Desk>))
        .add_service(service!(v1::benefits_server::BenefitsServer<Desk>))
        .add_service(service!(v1::deliveries_server::DeliveriesServer<Desk>))
        .add_service(service!(v1::directory_server::DirectoryServer<Desk>))
        .add_service(service!(v1::linkage_server::LinkageServer<Desk>))
        .add_service(service!(v1::records_server::RecordsServer<Desk>))
        .add_service(service!(v1::review_server::ReviewServer<Desk>))
}

/// The name of a call, for metrics and spans.
macro_rules! method {
    ($service:literal, $name:literal) => {
        crate::gate::Method { service: $service, name: $name }
    };
}
pub(crate) use method;
