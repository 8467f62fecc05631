//! `renkei audit witness`: cosigning other offices' logs, and carrying checkpoints where there is no network.
//!
//! ```text
//! broker's side     request --output FILE          accept FILE ANSWER...
//!                        │  courier, mail                ▲
//! witness's side         └──> sign FILE ANSWER ──────────┘        or `serve`, which answers over HTTPS
//! ```
//! What a witness remembers lies in its own folder (`--state`); losing it is losing what it can vouch for.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use renkei_api::v1::{AddCosignaturesRequest, CheckpointRequest, ProofsRequest, proofs_request};
use renkei_tlog::checkpoint::claimed;
use renkei_tlog::{Hash, Origin, VerifierKey};
use renkei_witness::{
    Refused, ServerIdentity, Submission, Witness, WitnessError, key_file, origin_name,
};
use serde_json::json;

use super::error::BrokerError;
use super::new_file::NewFile;
use super::session::{self, Session};
use crate::commands::audit_verify::read_key;
use crate::commands::pki::system_entropy::SystemEntropy;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::table_input::read_text;

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Make the key of a witness; the line for others' policies is written beside it
    Key {
        /// The witness's name, such as pref.example/renkei-witness; it can never change
        #[arg(long, value_name = "NAME")]
        name: Origin,
        /// Where the private key goes; the public line gets the ending .vkey
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Answer requests for cosignatures over HTTPS, or over HTTP to this machine
    Serve(ServeArguments),
    /// Answer a request that came as a file
    Sign {
        #[command(flatten)]
        own: OwnArguments,
        /// The request
        request: PathBuf,
        /// Where the answer goes: the cosignature, or what this witness has cosigned last
        answer: PathBuf,
    },
    /// Write a request for a cosignature of the broker's present checkpoint
    Request {
        /// The size that the witness has cosigned last; its last answer says it
        #[arg(long, value_name = "SIZE", default_value_t = 0)]
        old: u64,
        /// Ask for this checkpoint instead, such as the final one of a fiscal year (keys/log-2026.checkpoint)
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// Where the request goes
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Hand the broker what witnesses have answered to a request
    Accept {
        /// The request
        request: PathBuf,
        /// The answers; those to one request together
        #[arg(required = true)]
        answers: Vec<PathBuf>,
    },
}

/// Who a witness is, and whose logs it cosigns.
#[derive(Args, Debug)]
pub(crate) struct OwnArguments {
    /// Where it keeps what it has cosigned; made where there is none
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Its private key, with the .vkey beside it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The public key of a log that it cosigns (log.vkey); may be given several times, of one log the newest key last
    #[arg(long = "log", value_name = "VKEY", required = true)]
    logs: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    own: OwnArguments,
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Its certificate (PEM), needed unless it listens to this machine alone
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

pub(super) fn run(command: &WitnessCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        WitnessCommand::Key { name, key } => {
            let made = key_file::create(key, name.clone(), &SystemEntropy::open()?)?;
            let file = key_file::line_of(key).display().to_string();
            if environment.json {
                json::print(&json!({"vkey": made.to_string(), "file": file}));
            } else {
                print_line!("{made}");
            }
            environment.note(
                &format!("{file} is for the policies of others; keep the key itself to yourself"),
                &format!("{file} を相手の方針（policy）に載せてもらってください。鍵そのものは渡さないでください"),
            );
            Ok(Exit::Done)
        }
        WitnessCommand::Serve(arguments) => serve(arguments, environment),
        WitnessCommand::Sign { own, request, answer } => sign(own, request, answer, environment),
        WitnessCommand::Request { old, checkpoint, output } => {
            let given = checkpoint.as_deref().map(read_text).transpose()?;
            session::with(environment, async |session| make(session, *old, given, output).await)
        }
        WitnessCommand::Accept { request, answers } => {
            session::with(environment, async |session| accept(session, request, answers).await)
        }
    }
}

fn open(own: &OwnArguments, environment: &Environment) -> Result<Witness, Failure> {
    let key = key_file::read(&own.key)?;
    let logs =
        own.logs.iter().map(|file| read_key(file)).collect::<Result<Vec<VerifierKey>, _>>()?;
    let witness = Witness::open(&own.state, key, logs, Arc::new(environment.clock));
    Ok(witness.map_err(|error| CommandError::file(&own.state, error))?)
}

fn serve(arguments: &ServeArguments, environment: &Environment) -> Result<Exit, Failure> {
    let witness = Arc::new(open(&arguments.own, environment)?);
    let read = |path: &Path| fs_err::read(path).map_err(|error| CommandError::file(path, error));
    let identity = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(ServerIdentity::from_pem(&read(certificate)?, &read(key)?)?)
        }
        _ if arguments.listen.ip().is_loopback() => None,
        _ => return Err(BrokerError::WitnessInTheClear.into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(CommandError::System)?.block_on(async {
        let shutdown = crate::commands::serve::shutdown_signal().map_err(CommandError::System)?;
        let listener =
            tokio::net::TcpListener::bind(arguments.listen).await.map_err(CommandError::System)?;
        let address = listener.local_addr().map_err(CommandError::System)?;
        environment.note(
            &format!("the witness listens on {address}"),
            &format!("立会者は {address} で待ち受けています"),
        );
        if environment.json {
            json::print(&json!({"listening": address.to_string()}));
        }
        renkei_witness::serve(listener, identity, witness, shutdown).await;
        Ok(Exit::Done)
    })
}

/// The name under which a request's log is remembered.
fn name_of(request: &[u8]) -> Option<String> {
    let submission = Submission::parse(request).ok()?;
    let claims = claimed(submission.note.as_bytes()).ok()?;
    Some(origin_name(&claims.origin))
}

fn sign(
    own: &OwnArguments,
    request: &Path,
    answer: &Path,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let witness = open(own, environment)?;
    let text = fs_err::read(request).map_err(|error| CommandError::file(request, error))?;
    match witness.add_checkpoint(&text) {
        Ok(lines) => {
            write(answer, &lines)?;
            if environment.json {
                json::print(&json!({"cosigned": true}));
            }
            Ok(Exit::Done)
        }
        Err(WitnessError::Refused(refused)) => {
            // What is remembered goes back in place of a cosignature: the broker sees from it where to go on, or what is wrong.
            let tells = matches!(refused, Refused::OtherSize { .. } | Refused::Inconsistent { .. });
            if tells
                && let Some(name) = name_of(&text)
                && let Some(kept) = witness.checkpoint(&name)?
            {
                write(answer, &kept)?;
            }
            Err(refused.into())
        }
        Err(error) => Err(error.into()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = NewFile::create(path)?;
    file.write(text.as_bytes())?;
    file.finish()
}

async fn make(
    session: &Session<'_>,
    old: u64,
    given: Option<String>,
    output: &Path,
) -> Result<Exit, Failure> {
    let note = match given {
        Some(note) => claimed(note.as_bytes()).map(|_| note)?,
        None => session.ask(CheckpointRequest {}).await?.checkpoint,
    };
    let unusable = || BrokerError::Answer { what: "a checkpoint that is none" };
    let size = claimed(note.as_bytes()).map_err(|_| unusable())?.size;
    let mut proof = Vec::new();
    if (1..size).contains(&old) {
        let call =
            ProofsRequest { tree_size: size, proof: Some(proofs_request::Proof::OldSize(old)) };
        for hash in session.ask(call).await?.hashes {
            let hash = <[u8; 32]>::try_from(hash.as_slice()).map_err(|_| unusable())?;
            proof.push(Hash::from_bytes(hash));
        }
    }
    write(output, &Submission { old_size: old, proof, note }.to_text())?;
    if session.environment.json {
        json::print(&json!({"old_size": old, "size": size}));
    }
    Ok(Exit::Done)
}

async fn accept(
    session: &Session<'_>,
    request: &Path,
    answers: &[PathBuf],
) -> Result<Exit, Failure> {
    let submission = Submission::parse(read_text(request)?.as_bytes())?;
    let mut note = submission.note;
    for file in answers {
        let answer = read_text(file)?;
        if answer.starts_with('\u{2014}') {
            note.push_str(&answer);
            continue;
        }
        // A witness that was elsewhere has sent what it remembers. The broker says whether that is of its own past.
        let kept = claimed(answer.as_bytes())
            .map_err(|_| CommandError::NoAnswer { file: file.display().to_string() })?;
        session.ask(AddCosignaturesRequest { checkpoint: answer }).await?;
        let (file, size) = (file.display(), kept.size);
        session.environment.warn(
            &format!("{file}: this witness has cosigned {size} entries last; make its request again: renkei audit witness request --old {size}"),
            &format!("{file}: この立会者が最後に連署したのは {size} 件です。renkei audit witness request --old {size} で依頼を作り直してください"),
        );
    }
    let told = session.ask(AddCosignaturesRequest { checkpoint: note }).await?;
    let since = (!told.since.is_empty()).then_some(&told.since);
    if session.environment.json {
        json::print(&json!({"by": told.by, "met": told.met, "since": since}));
    } else {
        let by = if told.by.is_empty() { "-".to_owned() } else { told.by.join(", ") };
        print_line!("{by} {} {}", told.met, since.map_or("-", String::as_str));
    }
    if !told.met {
        session.environment.warn(
            "too few witnesses have cosigned this checkpoint; hand in all answers to one request together",
            "この時点の連署は必要数に足りません。一つの依頼への答えはまとめて渡してください",
        );
    }
    Ok(if told.met { Exit::Done } else { Exit::FoundWrong })
}
