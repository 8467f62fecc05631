//! Invitations, requests for certificates and the broker's own keys as messages.

use renkei_api::v1;
use renkei_exchange::Refusal;
use renkei_exchange::enrolment::{Enrolment, Requested, Stage};
use renkei_exchange::rotation::BrokerKey;
use renkei_pki::CertificateRequest;
use renkei_types::Identity;

pub(crate) fn broker_key(code: i32) -> Result<BrokerKey, Refusal> {
    match v1::BrokerKey::try_from(code) {
        Ok(v1::BrokerKey::Root) => Ok(BrokerKey::Root),
        Ok(v1::BrokerKey::Log) => Ok(BrokerKey::Log),
        Ok(v1::BrokerKey::Unspecified) | Err(_) => Err(Refusal::field("key")),
    }
}

/// A request for a certificate, its signature checked.
pub(crate) fn requested(pem: String) -> Result<Requested, Refusal> {
    let request = CertificateRequest::from_pem(&pem).map_err(|_| Refusal::field("request_pem"))?;
    Ok(Requested { key: request.fingerprint(), pem })
}

pub(crate) fn enrolment_state(stage: &Stage) -> v1::EnrolmentState {
    match stage {
        Stage::Invited => v1::EnrolmentState::Invited,
        Stage::Waiting(_) => v1::EnrolmentState::Waiting,
        Stage::Granted(..) => v1::EnrolmentState::Granted,
    }
}

pub(crate) fn enrolment(identity: &Identity, known: &Enrolment) -> v1::EnrolmentEntry {
    let requested = known.requested();
    v1::EnrolmentEntry {
        identity: identity.to_string(),
        state: enrolment_state(&known.stage).into(),
        invited_by: known.invited_by.as_ref().map(ToString::to_string).unwrap_or_default(),
        until: known.until.to_string(),
        fingerprint: requested.map(|known| super::bytes(known.key)).unwrap_or_default(),
        request_pem: requested.map(|known| known.pem.clone()).unwrap_or_default(),
    }
}
