//! Enrolment: the one call that is answered without a certificate.
//!
//! It has a desk of its own, with less on it than that of the other services, so that nothing else can be asked for on its
//! port. A token is looked at before the request is parsed: strangers make nobody check a signature.

use renkei_api::v1;
use renkei_exchange::command::Call;
use renkei_exchange::enrolment::{Join, Stage};
use renkei_exchange::{Exchange, Refusal};
use renkei_types::Digest;
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};

use super::method;
use crate::convert;
use crate::gate::Gate;

/// A token, a request and their frame: far more than they need.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// What the service works with.
struct EnrolmentDesk {
    gate: Gate,
    exchange: Exchange,
    /// Where those are served who have a certificate.
    port: u16,
}

/// What is answered on the port for enrolment: one service.
pub(crate) fn enrolment_routes(gate: Gate, exchange: Exchange, port: u16) -> Routes {
    let desk = EnrolmentDesk { gate, exchange, port };
    let service = v1::enrolment_server::EnrolmentServer::new(desk)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    Routes::new(service)
}

#[async_trait]
impl v1::enrolment_server::Enrolment for EnrolmentDesk {
    async fn join(
        &self,
        request: Request<v1::JoinRequest>,
    ) -> Result<Response<v1::JoinResponse>, Status> {
        let handler = |body: v1::JoinRequest| async move {
            let (token, now) = (Digest::of(body.token.as_bytes()), self.exchange.clock().now());
            self.exchange.state().invited(token, now)?;
            let request = convert::requested(body.request_pem)?;
            let done = self.exchange.execute(Call::own(), Join { token, request }).await?;
            let state = self.exchange.state();
            let (identity, enrolment) = state.invited(token, now)?;
            let requested = enrolment.requested().ok_or(Refusal::field("request_pem"))?;
            let certificate_pem = match &enrolment.stage {
                Stage::Granted(_, pem) => pem.clone(),
                Stage::Invited | Stage::Waiting(_) => String::new(),
            };
            Ok(v1::JoinResponse {
                state: convert::enrolment_state(&enrolment.stage).into(),
                identity: identity.to_string(),
                fingerprint: convert::bytes(requested.key),
                certificate_pem,
                port: self.port.into(),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.open(method!("Enrolment", "Join"), request, handler).await
    }
}
