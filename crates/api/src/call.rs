//! Calls: which request goes to which service, and what may be done when the way breaks.
//!
//! Every request message is a [`Call`] (one answer) or a [`StreamCall`] (answers one by one). A call that changes something
//! carries a request id and may therefore be repeated; a plain read may too. `Identify`, `Explain`, `WhyNot`, `Search` and `TranslateCodes` have no request id and
//! count against the agreement's daily volume, so they are sent once.

use std::future::Future;
use std::time::Duration;

use tonic::{Request, Response, Status, Streaming};

use crate::connection::Connection;
use crate::v1;

/// A request that is answered once.
pub trait Call: Clone + Send + Sync {
    /// The answer.
    type Answer: Send;
    /// Whether it may be sent again when it is not known what became of it.
    const REPEATABLE: bool;
    /// How long an answer may take.
    const PATIENCE: Duration;

    /// Sends it once.
    fn send(
        request: Request<Self>,
        connection: &Connection,
    ) -> impl Future<Output = Result<Response<Self::Answer>, Status>> + Send;
}

/// A request that is answered by a stream.
pub trait StreamCall: Clone + Send + Sync {
    /// One of the answers.
    type Part: Send;

    /// Sends it once.
    fn open(
        request: Request<Self>,
        connection: &Connection,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Part>>, Status>> + Send;
}

const SECONDS: Duration = Duration::from_secs(30);
/// The broker reads a whole file before it answers.
const MINUTES: Duration = Duration::from_secs(1_800);

macro_rules! calls {
    ($($service:ident $method:ident: $request:ident -> $answer:ident, $repeatable:literal, $patience:ident;)+) => {$(
        impl Call for v1::$request {
            type Answer = v1::$answer;
            const REPEATABLE: bool = $repeatable;
            const PATIENCE: Duration = $patience;

            async fn send(
                request: Request<Self>,
                connection: &Connection,
            ) -> Result<Response<Self::Answer>, Status> {
                connection.$service().$method(request).await
            }
        }
    )+};
}

macro_rules! streams {
    ($($service:ident $method:ident: $request:ident -> $part:ident;)+) => {$(
        impl StreamCall for v1::$request {
            type Part = v1::$part;

            async fn open(
                request: Request<Self>,
                connection: &Connection,
            ) -> Result<Response<Streaming<Self::Part>>, Status> {
                connection.$service().$method(request).await
            }
        }
    )+};
}

calls! {
    audit prove_receipt: ProveReceiptRequest -> ProveReceiptResponse, true, SECONDS;
    directory add_agency: AddAgencyRequest -> AddAgencyResponse, true, SECONDS;
    directory add_party: AddPartyRequest -> AddPartyResponse, true, SECONDS;
    directory grant_role: GrantRoleRequest -> GrantRoleResponse, true, SECONDS;
    directory revoke_role: RevokeRoleRequest -> RevokeRoleResponse, true, SECONDS;
    directory revoke_party: RevokePartyRequest -> RevokePartyResponse, true, SECONDS;
    directory create_dataset: CreateDatasetRequest -> CreateDatasetResponse, true, SECONDS;
    directory propose_agreement: ProposeAgreementRequest -> ProposeAgreementResponse, true, SECONDS;
    directory approve_agreement: ApproveAgreementRequest -> ApproveAgreementResponse, true, SECONDS;
    directory activate_agreement: ActivateAgreementRequest -> ActivateAgreementResponse, true, SECONDS;
    directory suspend_agreement: SuspendAgreementRequest -> SuspendAgreementResponse, true, SECONDS;
    directory resume_agreement: ResumeAgreementRequest -> ResumeAgreementResponse, true, SECONDS;
    directory end_agreement: EndAgreementRequest -> EndAgreementResponse, true, SECONDS;
    directory show: ShowRequest -> ShowResponse, true, SECONDS;
    records open_upload: OpenUploadRequest -> OpenUploadResponse, true, SECONDS;
    records get_upload: GetUploadRequest -> GetUploadResponse, true, SECONDS;
    records seal: SealRequest -> SealResponse, true, MINUTES;
    records apply: ApplyRequest -> ApplyResponse, true, MINUTES;
    records report_protected: ReportProtectedRequest -> ReportProtectedResponse, true, MINUTES;
    records get_protection: GetProtectionRequest -> GetProtectionResponse, true, SECONDS;
    records withdraw: WithdrawRequest -> WithdrawResponse, true, SECONDS;
    records list_superseded: ListSupersededRequest -> ListSupersededResponse, true, MINUTES;
    records destroy_snapshot: DestroySnapshotRequest -> DestroySnapshotResponse, true, MINUTES;
    linkage identify: IdentifyRequest -> IdentifyResponse, false, SECONDS;
    linkage create_job: CreateJobRequest -> CreateJobResponse, true, SECONDS;
    linkage get_job: GetJobRequest -> GetJobResponse, true, SECONDS;
    linkage explain: ExplainRequest -> ExplainResponse, false, SECONDS;
    linkage why_not: WhyNotRequest -> WhyNotResponse, false, SECONDS;
    linkage estimate: EstimateRequest -> EstimateResponse, true, MINUTES;
    linkage train: TrainRequest -> TrainResponse, true, MINUTES;
    linkage evaluate: EvaluateRequest -> EvaluateResponse, true, MINUTES;
    linkage promote: PromoteRequest -> PromoteResponse, true, MINUTES;
    linkage get_model: GetModelRequest -> GetModelResponse, true, SECONDS;
    linkage translate_codes: TranslateCodesRequest -> TranslateCodesResponse, false, SECONDS;
    review claim: ClaimRequest -> ClaimResponse, true, SECONDS;
    review renew: RenewRequest -> RenewResponse, true, SECONDS;
    review release: ReleaseRequest -> ReleaseResponse, true, SECONDS;
    review search: SearchRequest -> SearchResponse, false, SECONDS;
    review decide: DecideRequest -> DecideResponse, true, SECONDS;
    review park: ParkRequest -> ParkResponse, true, SECONDS;
    review revise: ReviseRequest -> ReviseResponse, true, SECONDS;
    benefits create_programme: CreateProgrammeRequest -> CreateProgrammeResponse, true, SECONDS;
    benefits get_programme: GetProgrammeRequest -> GetProgrammeResponse, true, SECONDS;
    benefits open_list: OpenListRequest -> OpenListResponse, true, SECONDS;
    benefits certify: CertifyRequest -> CertifyResponse, true, MINUTES;
    benefits exclude: ExcludeRequest -> ExcludeResponse, true, MINUTES;
    benefits divide: DivideRequest -> DivideResponse, true, MINUTES;
    benefits readmit: ReadmitRequest -> ReadmitResponse, true, MINUTES;
    benefits hold: HoldRequest -> HoldResponse, true, SECONDS;
    benefits release_hold: ReleaseHoldRequest -> ReleaseHoldResponse, true, SECONDS;
    benefits clear_household: ClearHouseholdRequest -> ClearHouseholdResponse, true, MINUTES;
    benefits reconcile: ReconcileRequest -> ReconcileResponse, true, SECONDS;
    benefits report_returns: ReportReturnsRequest -> ReportReturnsResponse, true, MINUTES;
    benefits refund: RefundRequest -> RefundResponse, true, SECONDS;
    deliveries ack: AckRequest -> AckResponse, true, SECONDS;
    audit checkpoint: CheckpointRequest -> CheckpointResponse, true, SECONDS;
    audit add_cosignatures: AddCosignaturesRequest -> AddCosignaturesResponse, true, SECONDS;
    audit proofs: ProofsRequest -> ProofsResponse, true, SECONDS;
    audit subject_report: SubjectReportRequest -> SubjectReportResponse, true, MINUTES;
    audit held_subjects: HeldSubjectsRequest -> HeldSubjectsResponse, true, SECONDS;
    audit release_subject: ReleaseSubjectRequest -> ReleaseSubjectResponse, true, MINUTES;
    admin invite: InviteRequest -> InviteResponse, true, SECONDS;
    admin request_certificate: RequestCertificateRequest -> RequestCertificateResponse, true, SECONDS;
    admin get_certificate: GetCertificateRequest -> GetCertificateResponse, true, SECONDS;
    admin show_enrolments: ShowEnrolmentsRequest -> ShowEnrolmentsResponse, true, SECONDS;
    admin grant_certificate: GrantCertificateRequest -> GrantCertificateResponse, true, SECONDS;
    admin end_enrolment: EndEnrolmentRequest -> EndEnrolmentResponse, true, SECONDS;
    admin rotate_key: RotateKeyRequest -> RotateKeyResponse, true, MINUTES;
    enrolment join: JoinRequest -> JoinResponse, true, SECONDS;
}

streams! {
    records state_on: StateOnRequest -> StateOnResponse;
    linkage watch_job: WatchJobRequest -> WatchJobResponse;
    linkage results: ResultsRequest -> ResultsResponse;
    review watch_queue: WatchQueueRequest -> WatchQueueResponse;
    benefits check_accounts: CheckAccountsRequest -> CheckAccountsResponse;
    benefits check_households: CheckHouseholdsRequest -> CheckHouseholdsResponse;
    benefits export_transfer: ExportTransferRequest -> ExportTransferResponse;
    deliveries subscribe: SubscribeRequest -> SubscribeResponse;
    audit query: QueryRequest -> QueryResponse;
    audit sample: SampleRequest -> SampleResponse;
    audit export_bundle: ExportBundleRequest -> ExportBundleResponse;
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    /// What stands in the tables above, read from the source.
    fn listed() -> Vec<String> {
        include_str!("call.rs")
            .lines()
            .filter_map(|line| line.trim().split_once(": ")?.1.split_once("Request -> "))
            .map(|(call, _)| call.to_owned())
            .filter(|call| call.chars().all(char::is_alphanumeric))
            .collect()
    }

    #[test]
    fn every_call_of_the_contract_but_the_upload_can_be_made() {
        let set = tonic_prost_descriptors();
        let mut wanted: Vec<String> = set;
        wanted.retain(|name| name != "Upload");
        let mut listed = listed();
        wanted.sort();
        listed.sort();
        assert_eq!(listed, wanted);
    }

    /// The names of all calls in the descriptor set. Only the fields that are needed are decoded:
    /// FileDescriptorSet.file = 1, FileDescriptorProto.service = 6, ServiceDescriptorProto.method = 2, name = 1.
    fn tonic_prost_descriptors() -> Vec<String> {
        #[derive(Clone, PartialEq, prost::Message)]
        struct Method {
            #[prost(string, tag = "1")]
            name: String,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        struct Service {
            #[prost(message, repeated, tag = "2")]
            methods: Vec<Method>,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        struct File {
            #[prost(message, repeated, tag = "6")]
            services: Vec<Service>,
        }
        #[derive(Clone, PartialEq, prost::Message)]
        struct Set {
            #[prost(message, repeated, tag = "1")]
            files: Vec<File>,
        }
        let set = Set::decode(crate::DESCRIPTORS).expect("a descriptor set");
        let services = set.files.into_iter().flat_map(|file| file.services);
        services.flat_map(|service| service.methods).map(|method| method.name).collect()
    }
}
