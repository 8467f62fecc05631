//! Admin: invitations, the way of certificates from those who ask to those who sign and back, and the broker's own keys.

use renkei_api::v1;
use renkei_exchange::enrolment::{
    EndEnrolment, GrantCertificate, Invite, RequestCertificate, Stage,
};
use renkei_exchange::permit::{KeepCertificate, Operate};
use renkei_exchange::rotation::{BrokerKey, RotateKey, Rotation};
use renkei_exchange::{Caller, Refusal};
use renkei_types::Identity;
use tonic::{Request, Response, Status, async_trait};

use super::{Desk, method};
use crate::convert;

#[async_trait]
impl v1::admin_server::Admin for Desk {
    async fn invite(
        &self,
        request: Request<v1::InviteRequest>,
    ) -> Result<Response<v1::InviteResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::InviteRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let command = Invite {
                permit,
                identity: convert::parse(&body.identity, "identity")?,
                token: convert::digest(&body.token_sha256, "token_sha256")?,
                days: body.days,
            };
            let done = self.exchange.execute(call, command).await?;
            let receipt = convert::receipt(done.receipt);
            Ok(v1::InviteResponse { until: done.reply.to_string(), receipt })
        };
        self.gate.mutate(method!("Admin", "Invite"), request, handler).await
    }

    async fn request_certificate(
        &self,
        request: Request<v1::RequestCertificateRequest>,
    ) -> Result<Response<v1::RequestCertificateResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::RequestCertificateRequest| async move {
            let permit = self.exchange.state().permit::<KeepCertificate>(&caller)?;
            let request = convert::requested(body.request_pem)?;
            let fingerprint = convert::bytes(request.key);
            let done = self.exchange.execute(call, RequestCertificate { permit, request }).await?;
            let receipt = convert::receipt(done.receipt);
            let until = done.reply.to_string();
            Ok(v1::RequestCertificateResponse { fingerprint, until, receipt })
        };
        self.gate.mutate(method!("Admin", "RequestCertificate"), request, handler).await
    }

    async fn get_certificate(
        &self,
        request: Request<v1::GetCertificateRequest>,
    ) -> Result<Response<v1::GetCertificateResponse>, Status> {
        let handler = |caller: Caller, _| async move {
            let state = self.exchange.state();
            state.permit::<KeepCertificate>(&caller)?;
            let enrolment = state.enrolment(&caller.identity, self.exchange.clock().now());
            let requested = enrolment.and_then(|known| Some((&known.stage, known.requested()?)));
            let Some((stage, requested)) = requested else {
                return Ok(v1::GetCertificateResponse::default());
            };
            let certificate_pem = match stage {
                Stage::Granted(_, pem) => pem.clone(),
                Stage::Invited | Stage::Waiting(_) => String::new(),
            };
            Ok(v1::GetCertificateResponse {
                state: convert::enrolment_state(stage).into(),
                fingerprint: convert::bytes(requested.key),
                certificate_pem,
            })
        };
        self.gate.handle(method!("Admin", "GetCertificate"), request, handler).await
    }

    async fn show_enrolments(
        &self,
        request: Request<v1::ShowEnrolmentsRequest>,
    ) -> Result<Response<v1::ShowEnrolmentsResponse>, Status> {
        let handler = |caller: Caller, _| async move {
            let state = self.exchange.state();
            state.permit::<Operate>(&caller)?;
            let open = state.open_enrolments(self.exchange.clock().now());
            let enrolments = open.map(|(who, known)| convert::enrolment(who, known)).collect();
            Ok(v1::ShowEnrolmentsResponse { enrolments })
        };
        self.gate.handle(method!("Admin", "ShowEnrolments"), request, handler).await
    }

    async fn grant_certificate(
        &self,
        request: Request<v1::GrantCertificateRequest>,
    ) -> Result<Response<v1::GrantCertificateResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::GrantCertificateRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let identity: Identity = convert::parse(&body.identity, "identity")?;
            let wrong = || Refusal::field("certificate_pem");
            let (peer, key) = self.credentials.vouch(&body.certificate_pem).map_err(|refusal| {
                tracing::info!(code = refusal.code(), "a certificate to be granted is of no use");
                wrong()
            })?;
            if *peer.identity() != identity {
                return Err(wrong());
            }
            let certificate_pem = body.certificate_pem;
            let command = GrantCertificate { permit, identity, certificate_pem, key };
            let done = self.exchange.execute(call, command).await?;
            Ok(v1::GrantCertificateResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Admin", "GrantCertificate"), request, handler).await
    }

    async fn end_enrolment(
        &self,
        request: Request<v1::EndEnrolmentRequest>,
    ) -> Result<Response<v1::EndEnrolmentResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::EndEnrolmentRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let identity = convert::parse(&body.identity, "identity")?;
            let done = self.exchange.execute(call, EndEnrolment { permit, identity }).await?;
            Ok(v1::EndEnrolmentResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Admin", "EndEnrolment"), request, handler).await
    }

    async fn rotate_key(
        &self,
        request: Request<v1::RotateKeyRequest>,
    ) -> Result<Response<v1::RotateKeyResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::RotateKeyRequest| async move {
            let permit = self.exchange.state().permit::<Operate>(&caller)?;
            let key = convert::broker_key(body.key)?;
            let rotated = self.blocking(move |desk| {
                let done = RotateKey { permit, key }.rotate(&desk.exchange, call)?;
                let decided = done.reply == Rotation::Decided;
                let log_vkey = match key {
                    BrokerKey::Log if decided => desk.exchange.log_verifier()?,
                    BrokerKey::Log | BrokerKey::Root => String::new(),
                };
                let receipt = convert::receipt(done.receipt);
                Ok(v1::RotateKeyResponse { decided, log_vkey, receipt })
            });
            rotated.await
        };
        self.gate.mutate(method!("Admin", "RotateKey"), request, handler).await
    }
}
