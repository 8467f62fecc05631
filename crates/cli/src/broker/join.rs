//! `renkei join` and `renkei renew`: the first certificate of a system or a person, and every further one.
//!
//! Both do what can be done and may be run again at any time: they make a key and hand in a request, or find that it waits
//! (exit code 4), or fetch the certificate and take both into use. The key never leaves the machine. Its fingerprint is
//! shown so that its owner can tell it to whoever signs, by telephone or in person: whoever carried the request could have
//! exchanged it.

use std::path::{Path, PathBuf};

use clap::Args;
use renkei_api::ClientFile;
use renkei_api::v1::{
    EnrolmentState, GetCertificateRequest, JoinRequest, RequestCertificateRequest,
};
use renkei_pki::{BrokerAddress, CertificateFacts, IdentityFile};
use renkei_types::Digest;
use serde_json::json;

use super::enrolment::state_name;
use super::error::BrokerError;
use super::session::{self, Session, plain};
use crate::commands::pki::told;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;

#[derive(Args, Debug)]
pub(crate) struct JoinArguments {
    /// Where the broker answers those without a certificate
    #[arg(long, value_name = "https://HOST:PORT")]
    broker: BrokerAddress,

    /// The certificate of the authority whose brokers are trusted, as its operator handed it over
    #[arg(long, value_name = "ca.crt")]
    ca: PathBuf,

    /// The one-time token; better in the variable, where others on the machine do not see it
    #[arg(long, value_name = "TOKEN", env = "RENKEI_JOIN_TOKEN", hide_env_values = true)]
    token: String,

    /// The file for `--as` that is written in the end; key and certificate go beside it, into FILE.pem
    #[arg(long, value_name = "FILE.toml")]
    client_file: PathBuf,

    /// Where the broker serves those with a certificate; otherwise as the broker says, on the same host
    #[arg(long, value_name = "https://HOST:PORT")]
    address: Option<BrokerAddress>,
}

pub(super) fn run_join(
    arguments: &JoinArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    renkei_pki::ClientFile::require_absent(&arguments.client_file).map_err(told)?;
    let broker = ClientFile::without_certificate(arguments.broker.as_str(), &arguments.ca)?;
    session::over(environment, &broker, async |session| {
        let identity = IdentityFile::at(arguments.client_file.with_extension("pem"));
        let key = identity.waiting_or_new_key().map_err(told)?;
        let request_pem = key.request_pem().map_err(told)?;
        let call = JoinRequest { token: arguments.token.trim().to_owned(), request_pem };
        let answer = session.ask(call).await?;
        if answer.state() != EnrolmentState::Granted {
            return Ok(say_that_it_waits(session, key.fingerprint()));
        }
        let facts = identity.complete(&answer.certificate_pem).map_err(told)?;
        let address = match &arguments.address {
            Some(address) => address.clone(),
            None => served_at(&broker, answer.port)?,
        };
        let client = renkei_pki::ClientFile {
            address,
            ca: arguments.ca.clone(),
            certificate: identity.path().to_owned(),
            key: identity.path().to_owned(),
            log_key: None,
        };
        client.write(&arguments.client_file).map_err(told)?;
        Ok(say_that_it_is_there(session, &facts, &arguments.client_file))
    })
}

/// The broker's address for those with a certificate: the same host, the port that it told.
fn served_at(broker: &ClientFile, port: u32) -> Result<BrokerAddress, Failure> {
    let host = broker.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let address = format!("https://{host}:{port}").parse();
    Ok(address.map_err(|_| BrokerError::Answer { what: "port" })?)
}

pub(super) fn run_renew(environment: &Environment) -> Result<Exit, Failure> {
    let client_file = environment.client_file.as_deref().ok_or(BrokerError::NoClientFile)?;
    session::with(environment, async |session| {
        let file = ClientFile::read(client_file)?;
        let own = file.own_files().ok_or(BrokerError::NoClientFile)?;
        // Of a pair of files one would be exchanged before the other, so such a pair becomes one file.
        let one_file = own.certificate == own.key;
        let identity = if one_file {
            IdentityFile::at(&own.key)
        } else {
            IdentityFile::at(client_file.with_extension("pem"))
        };
        let waiting = identity.waiting_key().map_err(told)?;
        let known = session.ask(GetCertificateRequest {}).await?;
        let handed_in =
            waiting.as_ref().is_some_and(|key| known.fingerprint == key.fingerprint().as_bytes());
        if !handed_in {
            let key = identity.waiting_or_new_key().map_err(told)?;
            let call = RequestCertificateRequest {
                request_id: session.new_request_id().to_string(),
                request_pem: key.request_pem().map_err(told)?,
            };
            session.ask(call).await?;
            return Ok(say_that_it_waits(session, key.fingerprint()));
        }
        if known.state() != EnrolmentState::Granted {
            let fingerprint = Digest::from_bytes(
                known
                    .fingerprint
                    .try_into()
                    .map_err(|_| BrokerError::Answer { what: "fingerprint" })?,
            );
            return Ok(say_that_it_waits(session, fingerprint));
        }
        let facts = identity.complete(&known.certificate_pem).map_err(told)?;
        if !one_file {
            switch(client_file, &file, &identity)?;
        }
        Ok(say_that_it_is_there(session, &facts, client_file))
    })
}

/// Makes the client file name the new file, in one step. The older two stay where they are.
fn switch(client_file: &Path, file: &ClientFile, identity: &IdentityFile) -> Result<(), Failure> {
    let address = file.address().parse().map_err(|_| BrokerError::Answer { what: "address" })?;
    let client = renkei_pki::ClientFile {
        address,
        ca: file.ca().to_owned(),
        certificate: identity.path().to_owned(),
        key: identity.path().to_owned(),
        log_key: file.log_key().map(Path::to_path_buf),
    };
    client.replace(client_file).map_err(told)
}

fn say_that_it_waits(session: &Session<'_>, fingerprint: Digest) -> Exit {
    let environment = session.environment;
    if environment.json {
        json::print(&json!({
            "state": state_name(EnrolmentState::Waiting),
            "fingerprint": fingerprint.to_string(),
        }));
    } else {
        print_line!("{fingerprint}");
    }
    environment.note(
        "the request waits to be signed. Tell your operator this fingerprint of your key, by telephone or in person; then run the same command again",
        "申請は署名待ちです。この鍵の指紋を電話または対面で運用者に伝え、その後で同じコマンドをもう一度実行してください",
    );
    Exit::Unavailable
}

fn say_that_it_is_there(session: &Session<'_>, facts: &CertificateFacts, file: &Path) -> Exit {
    let environment = session.environment;
    let identity = facts.uris.first().map(|uri| plain(uri)).unwrap_or_default();
    let (file, until) = (file.display().to_string(), facts.not_after);
    if environment.json {
        json::print(&json!({
            "state": state_name(EnrolmentState::Granted),
            "identity": identity,
            "fingerprint": facts.fingerprint.to_string(),
            "serial": facts.serial.to_string(),
            "not_after": until.to_string(),
            "client_file": file,
        }));
    } else {
        print_line!("{identity}");
    }
    environment.note(
        &format!("{file}: use it with --as; the certificate is valid until {until}, renew it before with `renkei renew`"),
        &format!("{file}: --as で指定してください。証明書は {until} まで有効です。期限前に `renkei renew` で更新してください"),
    );
    Exit::Done
}
