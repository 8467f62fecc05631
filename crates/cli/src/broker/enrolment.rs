//! `renkei enrolment`: requests for certificates on their way to whoever signs, and certificates on their way back.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use renkei_api::hex;
use renkei_api::v1::{
    EndEnrolmentRequest, EnrolmentEntry, EnrolmentState, GrantCertificateRequest,
    ShowEnrolmentsRequest,
};
use renkei_types::Identity;
use serde_json::{Value, json};

use super::code_words::told;
use super::error::BrokerError;
use super::names::short;
use super::new_file::NewFile;
use super::session::{
    self, ConfirmArgument, RequestArgument, Session, digest_json, local_time, plain,
};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::table_input::read_text;
use crate::text_table::text_table;

#[derive(Debug, Subcommand)]
pub(crate) enum EnrolmentCommand {
    /// Show every invitation and every request for a certificate
    List,
    /// Write a request to a file, to be brought to whoever has the authority's key
    Export {
        /// Whose request
        identity: Identity,
        /// Where it goes
        #[arg(long, value_name = "FILE.csr")]
        output: PathBuf,
    },
    /// Bring the certificate for a request; by another operator than the one who invited
    Grant {
        /// Whose request
        identity: Identity,
        /// The certificate (PEM)
        #[arg(long, value_name = "FILE.crt")]
        certificate: PathBuf,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// End an invitation or a request
    End {
        /// Whose
        identity: Identity,
        #[command(flatten)]
        confirm: ConfirmArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
}

pub(super) fn run(command: &EnrolmentCommand, environment: &Environment) -> Result<Exit, Failure> {
    if let EnrolmentCommand::End { identity, confirm, .. } = command
        && !confirm.yes
    {
        return Ok(say_what_would_end(identity, environment));
    }
    session::with(environment, async |session| match command {
        EnrolmentCommand::List => list(session).await,
        EnrolmentCommand::Export { identity, output } => export(session, identity, output).await,
        EnrolmentCommand::Grant { identity, certificate, request } => {
            let id = session.request_id(*request);
            let identity = identity.to_string();
            let call = GrantCertificateRequest {
                request_id: id.to_string(),
                identity: identity.clone(),
                certificate_pem: read_text(certificate)?,
            };
            let answer = session.change(&id, call).await?;
            Ok(session.done(json!({"identity": identity}), &identity, answer.receipt.as_ref()))
        }
        EnrolmentCommand::End { identity, request, .. } => {
            let id = session.request_id(*request);
            let identity = identity.to_string();
            let call =
                EndEnrolmentRequest { request_id: id.to_string(), identity: identity.clone() };
            let answer = session.change(&id, call).await?;
            let object = json!({"identity": identity, "done": true});
            Ok(session.done(object, &identity, answer.receipt.as_ref()))
        }
    })
}

fn say_what_would_end(identity: &Identity, environment: &Environment) -> Exit {
    if environment.json {
        json::print(&json!({"identity": identity.to_string(), "done": false}));
    }
    environment.note(
        &format!("would end the invitation or the request of {identity}; add --yes to do it"),
        &format!("{identity} の招待または申請を取り消します。実行するには --yes を付けてください"),
    );
    Exit::Done
}

/// How a state is called in JSON and in tables: `WAITING`.
pub(super) fn state_name(state: EnrolmentState) -> &'static str {
    short(state.as_str_name(), "ENROLMENT_STATE_")
}

async fn list(session: &Session<'_>) -> Result<Exit, Failure> {
    let enrolments = session.ask(ShowEnrolmentsRequest {}).await?.enrolments;
    let environment = session.environment;
    if environment.json {
        let all: Vec<_> = enrolments.iter().map(entry_json).collect();
        json::print(&json!({"enrolments": all}));
        return Ok(Exit::Done);
    }
    let header = vec![
        environment.say("identity", "名義"),
        environment.say("state", "状態"),
        environment.say("until", "期限"),
        environment.say("invited by", "招待者"),
        environment.say("fingerprint of the key", "鍵の指紋"),
    ];
    let mut table = text_table(header, &[]);
    for entry in &enrolments {
        let fingerprint = match entry.fingerprint.as_slice() {
            [] => String::new(),
            bytes => format!("sha256:{}", hex(bytes)),
        };
        table.add_row(vec![
            plain(&entry.identity),
            told(&entry.state(), environment.language),
            local_time(&entry.until),
            plain(&entry.invited_by),
            fingerprint,
        ]);
    }
    print_line!("{table}");
    Ok(Exit::Done)
}

fn entry_json(entry: &EnrolmentEntry) -> Value {
    let invited_by = (!entry.invited_by.is_empty()).then_some(&entry.invited_by);
    json!({
        "identity": entry.identity,
        "state": state_name(entry.state()),
        "until": entry.until,
        "invited_by": invited_by,
        "fingerprint": digest_json(&entry.fingerprint),
    })
}

async fn export(
    session: &Session<'_>,
    identity: &Identity,
    output: &Path,
) -> Result<Exit, Failure> {
    let enrolments = session.ask(ShowEnrolmentsRequest {}).await?.enrolments;
    let wanted = identity.to_string();
    let of_identity = |entry: &&EnrolmentEntry| {
        entry.identity == wanted && entry.state() == EnrolmentState::Waiting
    };
    let entry = enrolments.iter().find(of_identity).ok_or(BrokerError::NoRequest)?;
    let mut file = NewFile::create(output)?;
    file.write(entry.request_pem.as_bytes())?;
    file.finish()?;
    let output = output.display().to_string();
    if session.environment.json {
        let mut object = entry_json(entry);
        object["output"] = json!(output);
        json::print(&object);
    }
    session.environment.note(
        &format!("{output}: sign it with `renkei pki issue --csr {output} --identity {wanted} --fingerprint ...`, with the fingerprint that its owner tells you"),
        &format!("{output}: `renkei pki issue --csr {output} --identity {wanted} --fingerprint ...` で署名してください。指紋は必ず本人から直接聞いてください"),
    );
    Ok(Exit::Done)
}
