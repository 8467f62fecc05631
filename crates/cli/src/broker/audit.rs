//! `renkei audit`: the log, for those who do not trust the operator.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use renkei_api::hex;
use renkei_api::v1::{
    CheckpointRequest, ExportBundleRequest, ProofsRequest, Receipt, proofs_request,
};
use renkei_types::{DatasetId, Digest, InvalidDigest};
use serde_json::json;

use super::bundle::NewBundle;
use super::hand_over::{self, HandOverArguments};
use super::log_query::{QueryArguments, query};
use super::month_report::{self, ReportArguments};
use super::sample::{self, SampleArguments};
use super::session::{self, Session, plain};
use super::{subject, subject_query};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::progress::Progress;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show leaves of the log that fit a question
    Query(Box<QueryArguments>),
    /// Draw leaves at random for inspection, with their proofs; anybody can draw the same ones again
    Sample(SampleArguments),
    /// Count a month: mass look-ups, off hours, refusals; with a page of plots
    Report(ReportArguments),
    /// Write the whole log as a folder that can be verified offline
    Bundle {
        /// The folder; must be absent or empty
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        /// Only as far as enough witnesses have cosigned, so that it verifies with --policy
        #[arg(long)]
        cosigned: bool,
        /// The log as it was when this fiscal year ended, by the year in which its April lies
        #[arg(long, value_name = "YEAR", conflicts_with = "cosigned", value_parser = clap::value_parser!(u32).range(1970..=9998))]
        year: Option<u32>,
    },
    /// Write what an audit office keeps of a year: the log, reports, how to verify, and the digest of every file
    HandOver(HandOverArguments),
    /// Show a signed checkpoint over every leaf that is durable now
    Checkpoint,
    /// Show a proof that a leaf is in the log, or that the log has only grown
    Proof(ProofArguments),
    /// Show a proof that the leaf of a receipt is in the log, for whoever has the receipt
    Receipt(ReceiptArguments),
    /// Tell a person who used their data, when, for what and under which basis
    Subject(super::subject::SubjectArguments),
    /// Show questions of persons that wait for protectors
    SubjectHeld {
        /// The register
        dataset: DatasetId,
    },
    /// Tell a protector what was held back of an answer, once
    SubjectRelease(super::subject::ReleaseArguments),
    /// Check proofs of entries offline, with the log's public key alone
    VerifyEntries(crate::commands::audit_verify_entries::VerifyEntriesArguments),
    /// Verify an exported log offline, with its public key alone
    Verify(crate::commands::audit_verify::VerifyArguments),
    /// Follow the checkpoints of a log, one JSON object for each; exit code 1 where one does not continue the one before
    Watch(super::watch::WatchArguments),
    /// Cosign checkpoints of other logs, and carry checkpoints to witnesses and back
    #[command(subcommand)]
    Witness(super::witness::WitnessCommand),
}

#[derive(Args, Debug)]
pub(crate) struct ProofArguments {
    /// Proof that this leaf is in the tree
    #[arg(
        long,
        value_name = "INDEX",
        required_unless_present = "old_size",
        conflicts_with = "old_size"
    )]
    leaf: Option<u64>,
    /// Proof that the tree continues the tree of this size
    #[arg(long, value_name = "SIZE")]
    old_size: Option<u64>,
    /// Size of the tree; that of the latest checkpoint otherwise
    #[arg(long, value_name = "SIZE", default_value_t = 0)]
    size: u64,
}

#[derive(Args, Debug)]
pub(crate) struct ReceiptArguments {
    /// Index of the leaf, from the receipt
    #[arg(value_name = "INDEX")]
    leaf: u64,
    /// Its hash, from the receipt: 64 hexadecimal digits
    #[arg(value_name = "HASH", value_parser = leaf_hash)]
    hash: Digest,
}

fn leaf_hash(text: &str) -> Result<Digest, InvalidDigest> {
    format!("sha256:{text}").parse()
}

pub(super) fn run(command: &AuditCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        AuditCommand::Query(arguments) => session::with(environment, async |session| {
            if arguments.subject.is_empty() {
                query(session, arguments).await
            } else {
                subject_query::query(session, arguments).await
            }
        }),
        AuditCommand::Sample(arguments) => sample::run(arguments, environment),
        AuditCommand::Report(arguments) => month_report::run(arguments, environment),
        AuditCommand::Bundle { output, cosigned, year } => {
            let fiscal_year = year.unwrap_or_default();
            let call = ExportBundleRequest { cosigned: *cosigned, fiscal_year };
            session::with(environment, async |session| bundle(session, output, call).await)
        }
        AuditCommand::HandOver(arguments) => hand_over::run(arguments, environment),
        AuditCommand::Checkpoint => session::with(environment, async |session| {
            let checkpoint = session.ask(CheckpointRequest {}).await?.checkpoint;
            if environment.json {
                json::print(&json!({"checkpoint": checkpoint}));
            } else {
                // A signed note ends with a line break of its own.
                print_line!("{}", checkpoint.strip_suffix('\n').unwrap_or(&checkpoint));
            }
            Ok(Exit::Done)
        }),
        AuditCommand::Proof(arguments) => {
            session::with(environment, async |session| proof(session, arguments).await)
        }
        AuditCommand::Receipt(arguments) => session::with(environment, async |session| {
            let receipt = Receipt::of_leaf(arguments.leaf, *arguments.hash.as_bytes());
            let proof = session.prove(&receipt).await?.proof;
            if environment.json {
                json::print(&json!({"proof": proof}));
            } else {
                print_line!("{}", proof.strip_suffix('\n').unwrap_or(&proof));
            }
            Ok(Exit::Done)
        }),
        AuditCommand::Subject(arguments) => {
            session::with(environment, async |session| subject::tell(session, arguments).await)
        }
        AuditCommand::SubjectHeld { dataset } => {
            session::with(environment, async |session| subject::held(session, *dataset).await)
        }
        AuditCommand::SubjectRelease(arguments) => {
            session::with(environment, async |session| subject::release(session, arguments).await)
        }
        AuditCommand::VerifyEntries(arguments) => {
            crate::commands::audit_verify_entries::run(arguments, environment)
        }
        AuditCommand::Verify(arguments) => {
            crate::commands::audit_verify::run(arguments, environment)
        }
        AuditCommand::Watch(arguments) => super::watch::run(arguments, environment),
        AuditCommand::Witness(command) => super::witness::run(command, environment),
    }
}

/// Receives the log, or what a call asks for of it; answers how many files and bytes it has.
pub(super) async fn receive(
    session: &Session<'_>,
    mut bundle: NewBundle,
    call: ExportBundleRequest,
) -> Result<(usize, u64), Failure> {
    let mut parts = session.stream(call).await?;
    let progress = Progress::bytes(session.environment, "receiving", "受信", 0);
    let mut received = 0;
    while let Some(part) = parts.next().await? {
        bundle.write(&part.path, &part.data)?;
        received += part.data.len() as u64;
        progress.set(received);
    }
    bundle.finish()
}

async fn bundle(
    session: &Session<'_>,
    output: &std::path::Path,
    call: ExportBundleRequest,
) -> Result<Exit, Failure> {
    let (files, bytes) = receive(session, NewBundle::create(output)?, call).await?;
    let name = output.display().to_string();
    if session.environment.json {
        json::print(&json!({"output": name, "files": files, "bytes": bytes}));
    }
    session.environment.note(
        &format!("{name}: {files} files; verify them with: renkei audit verify {name} --key FILE"),
        &format!("{name}: {files} ファイル。検証は renkei audit verify {name} --key FILE"),
    );
    Ok(Exit::Done)
}

async fn proof(session: &Session<'_>, arguments: &ProofArguments) -> Result<Exit, Failure> {
    use proofs_request::Proof;
    let proof = match (arguments.leaf, arguments.old_size) {
        (Some(leaf), _) => Some(Proof::LeafIndex(leaf)),
        (None, old_size) => old_size.map(Proof::OldSize),
    };
    let call = ProofsRequest { tree_size: arguments.size, proof };
    let answer = session.ask(call).await?;
    let hashes: Vec<String> = answer.hashes.iter().map(|hash| hex(hash)).collect();
    if session.environment.json {
        json::print(&json!({
            "tree_size": answer.tree_size,
            "leaf_index": arguments.leaf,
            "old_size": arguments.old_size,
            "hashes": hashes,
            "checkpoint": answer.checkpoint,
        }));
        return Ok(Exit::Done);
    }
    print_line!("{}", answer.tree_size);
    for hash in &hashes {
        print_line!("{hash}");
    }
    for line in answer.checkpoint.lines() {
        session.environment.note(&plain(line), &plain(line));
    }
    Ok(Exit::Done)
}
