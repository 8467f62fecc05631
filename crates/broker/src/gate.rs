//! The gate: what happens around every call, once for all.
//!
//! ```text
//! certificate -> caller -> span, deadline -> handler: permit, domain call -> reply
//!                                               |
//!                                               +-- refusal -> status, leaf, metric
//! ```
//! Only the gate makes a [`Caller`], and only the gate turns a refusal into a status. Refusals are collected by caller and
//! reason, so that a flood of them is one leaf a minute with a count.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use renkei_api::v1;
use renkei_exchange::command::Call;
use renkei_exchange::denial::NoteDenials;
use renkei_exchange::{Caller, Exchange, Refusal};
use renkei_types::{Classify as _, Digest, Identity, Kind, Reason, RequestId};
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::config::BrokerConfig;
use crate::failure;
use crate::quota::Quotas;
use crate::telemetry;
use crate::transport::{CredentialStore, Peer};
use crate::who_may::call_rule;

/// Which call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Method {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
}

/// The gate. Clones are one gate.
#[derive(Clone)]
pub(crate) struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    exchange: Exchange,
    credentials: Arc<CredentialStore>,
    deadline: Duration,
    clock_skew_max: SignedDuration,
    quotas: Quotas,
    denials: Mutex<HashMap<(Option<Identity>, Reason), Denied>>,
}

/// Refusals of one kind to one caller since their last leaf.
struct Denied {
    caller: Option<Caller>,
    /// The certificate that the first of them showed, where it says nothing that could be believed.
    certificate: Option<Digest>,
    count: u64,
}

/// So many refusals of one kind to one caller within a minute are no mistake any more.
const ALARMING: u64 = 100;

impl Gate {
    pub(crate) fn new(
        exchange: Exchange,
        credentials: Arc<CredentialStore>,
        config: &BrokerConfig,
    ) -> Self {
        let limits = &config.limits;
        let inner = Inner {
            exchange,
            credentials,
            deadline: limits.request_timeout,
            // Unwrap safety: a duration of the configuration is a year at most.
            clock_skew_max: SignedDuration::try_from(limits.clock_skew_max).unwrap_or_default(),
            quotas: Quotas::of(config),
            denials: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Lets a call through to its handler.
    pub(crate) async fn handle<B, R, F, Work>(
        &self,
        method: Method,
        request: Request<B>,
        handler: F,
    ) -> Result<Response<R>, Status>
    where
        F: FnOnce(Caller, B) -> Work,
        Work: Future<Output = Result<R, Refusal>>,
    {
        let caller = self.caller(&request);
        let known = caller.clone().ok();
        let work = async {
            let caller = caller?;
            self.admit(method, &caller)?;
            handler(caller, request.into_inner()).await
        };
        self.watch(method, known, work).await
    }

    /// The same for a call of somebody without a certificate: what its message proves is all that is known.
    pub(crate) async fn open<B, R, F, Work>(
        &self,
        method: Method,
        request: Request<B>,
        handler: F,
    ) -> Result<Response<R>, Status>
    where
        F: FnOnce(B) -> Work,
        Work: Future<Output = Result<R, Refusal>>,
    {
        self.watch(method, None, handler(request.into_inner())).await
    }

    /// Answers within the deadline; counts, and tells of what was refused.
    async fn watch<R>(
        &self,
        method: Method,
        caller: Option<Caller>,
        work: impl Future<Output = Result<R, Refusal>>,
    ) -> Result<Response<R>, Status> {
        let clock = Arc::clone(self.inner.exchange.clock());
        let started = clock.monotonic();
        let span = tracing::info_span!("call", service = method.service, method = method.name);
        let answered = tokio::time::timeout(self.inner.deadline, work).instrument(span).await;
        let result = answered.unwrap_or_else(|_| Err(Reason::DeadlineExceeded.into()));
        let kind = result.as_ref().err().map(Refusal::kind);
        telemetry::rpc_finished(
            method.service,
            method.name,
            kind,
            clock.monotonic().saturating_sub(started),
        );
        result.map(Response::new).map_err(|refusal| {
            self.note(caller, &refusal);
            failure::status(&refusal)
        })
    }

    /// The same for a call that changes something: the handler is also given what makes repeating it harmless.
    pub(crate) async fn mutate<B, R, F, Work>(
        &self,
        method: Method,
        request: Request<B>,
        handler: F,
    ) -> Result<Response<R>, Status>
    where
        B: Mutation,
        F: FnOnce(Caller, Call, B) -> Work,
        Work: Future<Output = Result<R, Refusal>>,
    {
        let exchange = self.inner.exchange.clone();
        let told = self.told_time(&request);
        self.handle(method, request, |caller, body| async move {
            told?;
            let request: RequestId =
                body.request_id().parse().map_err(|_| Refusal::field("request_id"))?;
            let digest = exchange.body_digest(&body.bytes());
            let call = Call::mutation(caller.clone(), request, digest);
            handler(caller, call, body).await
        })
        .await
    }

    /// A stranger gets no further than this, nor does somebody without a role that the call needs.
    fn admit(&self, method: Method, caller: &Caller) -> Result<(), Refusal> {
        let state = self.inner.exchange.state();
        let party = state.parties.get(&caller.identity).ok_or(Reason::NotRegistered)?;
        if party.revoked {
            return Err(Reason::PartyRevoked.into());
        }
        let rule = call_rule(method.service, method.name).ok_or(Reason::RoleMissing)?;
        if !rule.roles.iter().any(|role| party.roles.contains(role)) {
            return Err(Reason::RoleMissing.into());
        }
        self.inner.quotas.admit(&caller.identity, self.inner.exchange.clock().monotonic())
    }

    /// Whether the caller, if it says what time it has, and the broker mean the same day and hour: deadlines, validity and
    /// the order of what both have written down rest on that. Who says nothing is not asked.
    fn told_time<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let Some(told) = request.metadata().get(renkei_api::CLIENT_TIME) else { return Ok(()) };
        let told: Option<Timestamp> = told.to_str().ok().and_then(|text| text.parse().ok());
        let told = told.ok_or(Refusal::field(renkei_api::CLIENT_TIME))?;
        let apart = self.inner.exchange.clock().now().duration_since(told).abs();
        if apart > self.inner.clock_skew_max {
            return Err(Reason::ClockSkew.into());
        }
        Ok(())
    }

    /// Who calls: from the certificate of the connection, checked again at every call.
    fn caller<B>(&self, request: &Request<B>) -> Result<Caller, Refusal> {
        let peer = request.extensions().get::<Arc<Peer>>().ok_or(Reason::CertificateRefused)?;
        let now = self.inner.exchange.clock().now();
        if let Err(error) = peer.check(&self.inner.credentials, now) {
            tracing::info!(code = error.code(), "a certificate is no longer accepted");
            return Err(Reason::CertificateRefused.into());
        }
        Ok(Caller {
            identity: peer.identity().clone(),
            certificate: peer.certificate(),
            authority: peer.authority(),
        })
    }

    /// Collects a refusal for the log.
    pub(crate) fn note(&self, caller: Option<Caller>, refusal: &Refusal) {
        // What may be tried again, and what is our own fault, is no attempt at anything.
        let passing =
            matches!(refusal.kind(), Kind::Unavailable | Kind::Internal | Kind::Exhausted);
        if passing && refusal.reason != Reason::TooManyCalls {
            return;
        }
        self.collect(caller, None, refusal.reason);
    }

    fn collect(&self, caller: Option<Caller>, certificate: Option<Digest>, reason: Reason) {
        telemetry::calls_denied(reason, 1);
        let key = (caller.as_ref().map(|caller| caller.identity.clone()), reason);
        let mut denials = self.inner.denials.lock();
        if let Some(denied) = denials.get_mut(&key) {
            denied.count += 1;
            return;
        }
        // The first is told at once, those after it are counted until the minute is over.
        let first = Denied { caller, certificate, count: 1 };
        denials.insert(key, Denied { caller: first.caller.clone(), certificate: None, count: 0 });
        drop(denials);
        let gate = self.clone();
        tokio::spawn(async move { gate.log(first, reason).await });
    }

    async fn log(&self, denied: Denied, reason: Reason) {
        let Denied { caller, certificate, count } = denied;
        if count >= ALARMING {
            // Whose they are stands in the audit log.
            tracing::warn!(
                count,
                reason = reason.as_str(),
                "many refusals of one kind within a minute"
            );
        }
        let unknown = caller.is_none() || reason == Reason::NotRegistered;
        let call = Call { caller, request: None };
        let denials = NoteDenials { reason, count, unknown, certificate };
        if let Err(error) = self.inner.exchange.execute(call, denials).await {
            tracing::warn!(%error, "a refusal could not be noted in the log");
        }
    }

    /// Writes what was collected. To be called every minute, and at the end.
    pub(crate) async fn flush_denials(&self) {
        let mut collected = Vec::new();
        self.inner.denials.lock().retain(|(_, reason), denied| {
            let goes_on = denied.count > 0;
            if goes_on {
                let caller = denied.caller.clone();
                let count = std::mem::take(&mut denied.count);
                collected.push((*reason, Denied { caller, certificate: None, count }));
            }
            // Whoever goes on is counted on, and has one leaf a minute; a minute without a refusal ends it.
            goes_on
        });
        for (reason, denied) in collected {
            self.log(denied, reason).await;
        }
    }
}

impl crate::transport::Refusals for Gate {
    fn refused(&self, _: std::net::SocketAddr, refused: crate::transport::RefusedHandshake) {
        tracing::info!(code = refused.refusal.code(), "a handshake was refused");
        // A full house and a slow line say nothing about who it was.
        if refused.refusal.kind() == Kind::Refused {
            self.collect(None, refused.certificate, Reason::CertificateRefused);
        }
    }
}

/// A request that changes something.
pub(crate) trait Mutation {
    /// The client's name for it.
    fn request_id(&self) -> &str;

    /// What is compared when it comes again.
    fn bytes(&self) -> Vec<u8>;
}

macro_rules! mutations {
    ($($request:ident,)+) => {$(
        impl Mutation for v1::$request {
            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn bytes(&self) -> Vec<u8> {
                renkei_api::encoded(self)
            }
        }
    )+};
}

mutations! {
    AckRequest,
    ActivateAgreementRequest,
    AddAgencyRequest,
    AddPartyRequest,
    ApplyRequest,
    ApproveAgreementRequest,
    CertifyRequest,
    ClaimRequest,
    ClearHouseholdRequest,
    CreateDatasetRequest,
    CreateJobRequest,
    CreateProgrammeRequest,
    DecideRequest,
    DestroySnapshotRequest,
    DivideRequest,
    EndAgreementRequest,
    EndEnrolmentRequest,
    ExcludeRequest,
    GrantCertificateRequest,
    GrantRoleRequest,
    HoldRequest,
    InviteRequest,
    OpenListRequest,
    OpenUploadRequest,
    ParkRequest,
    PromoteRequest,
    ProposeAgreementRequest,
    ReadmitRequest,
    RefundRequest,
    ReleaseHoldRequest,
    ReleaseRequest,
    ReleaseSubjectRequest,
    RenewRequest,
    RequestCertificateRequest,
    ResumeAgreementRequest,
    ReportReturnsRequest,
    ReportProtectedRequest,
    ReviseRequest,
    RevokePartyRequest,
    RotateKeyRequest,
    RevokeRoleRequest,
    SealRequest,
    SubjectReportRequest,
    SuspendAgreementRequest,
    TrainRequest,
    WithdrawRequest,
}
