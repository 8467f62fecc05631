//! Audit: the log for those who read it; what persons are told of it has a file of its own.

mod subjects;

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use renkei_api::v1;
use renkei_exchange::audit::{LeafFilter, ReadLeaves};
use renkei_exchange::command::Call;
use renkei_exchange::permit::{ProveReceipt, ReadLog, SeeCheckpoints};
use renkei_exchange::{Caller, Refusal};
use renkei_tlog::checkpoint::claimed;
use renkei_tlog::hash::leaf_hash;
use renkei_tlog::leaf::{Code, ObjectId};
use renkei_tlog::proof::{consistency_proof, inclusion_proof};
use renkei_tlog::sample::draw;
use renkei_tlog::tile::files_of;
use renkei_tlog::{LogError, LogFolder, Receipt};
use renkei_types::Reason;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

use super::{Answers, Desk, method};
use crate::{convert, failure};

/// Most leaves in an answer, and how many where nothing is said.
const LEAVES_MAX: u32 = 10_000;
const LEAVES_DEFAULT: u32 = 1_000;
/// Most leaves of a sample, how many where nothing is said, and how many are read together.
const SAMPLE_MAX: u32 = 1_000;
const SAMPLE_DEFAULT: u32 = 60;
const SAMPLE_PIECE: usize = 20;
/// Most bytes of an auditor's own chance.
const DICE_BYTES_MAX: usize = 64;
/// Bytes of a file in a message.
const PIECE_BYTES: usize = 256 * 1024;

/// Codes of the closed list: any other would find nothing, which looks like an answer.
fn reason_codes(codes: &[String]) -> Result<BTreeSet<Code>, Refusal> {
    let code = |code: &String| {
        let known = Reason::ALL.iter().find(|reason| reason.as_str() == code);
        known.map(|reason| Code::from(*reason)).ok_or(Refusal::field("codes"))
    };
    codes.iter().map(code).collect()
}

fn filter(body: &v1::QueryRequest, state: &renkei_exchange::State) -> Result<LeafFilter, Refusal> {
    let about = match body.about.as_str() {
        "" => None,
        id => match id.parse::<ObjectId>() {
            Ok(object) => Some(state.names_about(&object)),
            Err(_) => Some([id.to_owned()].into()),
        },
    };
    let actor = (!body.actor.is_empty()).then_some(&body.actor);
    Ok(LeafFilter {
        operations: convert::parse_each(&body.operations, "operations")?,
        results: convert::parse_each(&body.results, "results")?,
        codes: reason_codes(&body.codes)?,
        from: convert::time(&body.from, "from")?,
        until: convert::time(&body.until, "until")?,
        actors: convert::parse_each(actor, "actor")?,
        staff: convert::parse_each(&body.staff, "staff")?,
        agencies: convert::parse_each(&body.agencies, "agencies")?,
        agreements: convert::parse_each(&body.agreements, "agreements")?,
        purposes: convert::parse_each(&body.purposes, "purposes")?,
        datasets: convert::parse_each(&body.datasets, "datasets")?,
        about,
    })
}

#[async_trait]
impl v1::audit_server::Audit for Desk {
    type QueryStream = Answers<v1::QueryResponse>;

    async fn query(
        &self,
        request: Request<v1::QueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let handler = |caller: Caller, body: v1::QueryRequest| async move {
            let state = self.exchange.state();
            let permit = state.permit::<ReadLog>(&caller)?;
            let filter = filter(&body, &state)?;
            let most = match body.leaves_max {
                0 => LEAVES_DEFAULT,
                most if most <= LEAVES_MAX => most,
                _ => return Err(Refusal::field("leaves_max")),
            };
            self.exchange.index_log().await?;
            let from = body.from_leaf;
            let find = move |desk: &Self| desk.exchange.find_leaves(&filter, from, most as usize);
            let found = self.blocking(find).await?;
            let read = ReadLeaves { permit, leaves: Some(found.len() as u64) };
            self.exchange.execute(Call::read(caller), read).await?;
            let answer =
                |(leaf_index, leaf): (u64, Vec<u8>)| Ok(v1::QueryResponse { leaf_index, leaf });
            let found = found.into_iter().map(answer);
            Ok(Box::pin(futures_util::stream::iter(found)) as Self::QueryStream)
        };
        self.gate.handle(method!("Audit", "Query"), request, handler).await
    }

    type SampleStream = Answers<v1::SampleResponse>;

    async fn sample(
        &self,
        request: Request<v1::SampleRequest>,
    ) -> Result<Response<Self::SampleStream>, Status> {
        let handler = |caller: Caller, body: v1::SampleRequest| async move {
            let permit = self.exchange.state().permit::<ReadLog>(&caller)?;
            let wanted = match body.leaves {
                0 => SAMPLE_DEFAULT,
                wanted if wanted <= SAMPLE_MAX => wanted,
                _ => return Err(Refusal::field("leaves")),
            };
            if body.dice.len() > DICE_BYTES_MAX {
                return Err(Refusal::field("dice"));
            }
            let note = self.exchange.checkpoint().await?;
            let signed = claimed(note.as_bytes()).map_err(|error| Refusal::internal(&error))?;
            let drawn = draw(&signed.root, signed.size, wanted.into(), &body.dice);
            let read = ReadLeaves { permit, leaves: Some(drawn.len() as u64) };
            self.exchange.execute(Call::read(caller), read).await?;
            let mut answers = Vec::new();
            // The log is written in between: reading a thousand leaves at once would hold it up.
            for some in drawn.into_iter().collect::<Vec<_>>().chunks(SAMPLE_PIECE) {
                let (some, note) = (some.to_vec(), note.clone());
                let proven = move |log: &LogFolder| {
                    let answer = |index: &u64| sampled(log, *index, signed.size, &note);
                    some.iter().map(answer).collect::<Result<Vec<_>, _>>()
                };
                answers.extend(self.exchange.read_log(proven).await?.into_iter().map(Ok));
            }
            Ok(Box::pin(futures_util::stream::iter(answers)) as Self::SampleStream)
        };
        self.gate.handle(method!("Audit", "Sample"), request, handler).await
    }

    async fn checkpoint(
        &self,
        request: Request<v1::CheckpointRequest>,
    ) -> Result<Response<v1::CheckpointResponse>, Status> {
        let handler = |caller: Caller, _| async move {
            self.exchange.state().permit::<SeeCheckpoints>(&caller)?;
            Ok(v1::CheckpointResponse { checkpoint: self.exchange.checkpoint().await? })
        };
        self.gate.handle(method!("Audit", "Checkpoint"), request, handler).await
    }

    async fn proofs(
        &self,
        request: Request<v1::ProofsRequest>,
    ) -> Result<Response<v1::ProofsResponse>, Status> {
        let handler = |caller: Caller, body: v1::ProofsRequest| async move {
            self.exchange.state().permit::<SeeCheckpoints>(&caller)?;
            // Somebody who watches a disputed log needs what was signed last more than ever.
            let checkpoint = self.exchange.latest_checkpoint().await?;
            let wanted = body.proof.ok_or(Refusal::field("proof"))?;
            let asked_size = body.tree_size;
            let (tree_size, latest, hashes) = self
                .exchange
                .read_log(move |log| {
                    let latest = log.published().map_or(0, |checkpoint| checkpoint.size);
                    let tree_size = if asked_size == 0 { latest } else { asked_size };
                    Ok((tree_size, latest, hashes(log, wanted, tree_size)?))
                })
                .await?;
            let hashes = hashes.ok_or(Refusal::field("proof"))?;
            Ok(v1::ProofsResponse {
                tree_size,
                hashes: hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect(),
                checkpoint: if tree_size == latest { checkpoint } else { String::new() },
            })
        };
        self.gate.handle(method!("Audit", "Proofs"), request, handler).await
    }

    async fn add_cosignatures(
        &self,
        request: Request<v1::AddCosignaturesRequest>,
    ) -> Result<Response<v1::AddCosignaturesResponse>, Status> {
        let handler = |caller: Caller, body: v1::AddCosignaturesRequest| async move {
            self.exchange.state().permit::<SeeCheckpoints>(&caller)?;
            let standing = self.exchange.cosigned("courier", body.checkpoint).await?;
            let since = standing.since.and_then(|seconds| i64::try_from(seconds).ok());
            let since = since.and_then(|seconds| Timestamp::from_second(seconds).ok());
            Ok(v1::AddCosignaturesResponse {
                by: standing.by,
                met: standing.met,
                since: since.map(|since| since.to_string()).unwrap_or_default(),
            })
        };
        self.gate.handle(method!("Audit", "AddCosignatures"), request, handler).await
    }

    async fn prove_receipt(
        &self,
        request: Request<v1::ProveReceiptRequest>,
    ) -> Result<Response<v1::ProveReceiptResponse>, Status> {
        let handler = |caller: Caller, body: v1::ProveReceiptRequest| async move {
            self.exchange.state().permit::<ProveReceipt>(&caller)?;
            let note = self.exchange.checkpoint().await?;
            let proven = self.exchange.read_log(move |log| proven(log, &body, &note)).await?;
            Ok(proven.ok_or(Reason::NoAgreement)?)
        };
        self.gate.handle(method!("Audit", "ProveReceipt"), request, handler).await
    }

    type ExportBundleStream = Answers<v1::ExportBundleResponse>;

    async fn export_bundle(
        &self,
        request: Request<v1::ExportBundleRequest>,
    ) -> Result<Response<Self::ExportBundleStream>, Status> {
        let handler = |caller: Caller, body: v1::ExportBundleRequest| async move {
            let permit = self.exchange.state().permit::<ReadLog>(&caller)?;
            let ended = match body.fiscal_year {
                0 => None,
                _ if body.cosigned => return Err(Refusal::field("cosigned")),
                year => Some(self.exchange.final_checkpoint(year)?),
            };
            let read = ReadLeaves { permit, leaves: None };
            self.exchange.execute(Call::read(caller), read).await?;
            // Where nothing more is signed, what was signed is what the auditor needs most.
            self.exchange.catch_up_log().await?;
            let folder = self.exchange.paths().log();
            // Files of full tiles never change; the others are read while nothing is written.
            let files =
                self.exchange.read_log(move |log| early_files(log, body.cosigned, ended)).await?;
            let (early, late) = files.ok_or(Reason::NotWitnessed)?;
            let (sender, receiver) = mpsc::channel(4);
            let desk = self.clone();
            tokio::spawn(async move {
                for (name, bytes) in early {
                    if !send_file(&desk, &sender, &name, &bytes).await {
                        return;
                    }
                }
                for name in late {
                    let (folder, file) = (folder.clone(), name.clone());
                    let bytes = desk
                        .blocking(move |_| {
                            read_file(&folder, &file).map_err(|error| Refusal::internal(&error))
                        })
                        .await;
                    let sent = match bytes {
                        Ok(bytes) => send_file(&desk, &sender, &name, &bytes).await,
                        Err(refusal) => desk.send(&sender, Err(failure::status(&refusal))).await,
                    };
                    if !sent {
                        return;
                    }
                }
            });
            Ok(Box::pin(ReceiverStream::new(receiver)) as Self::ExportBundleStream)
        };
        self.gate.handle(method!("Audit", "ExportBundle"), request, handler).await
    }

    async fn subject_report(
        &self,
        request: Request<v1::SubjectReportRequest>,
    ) -> Result<Response<v1::SubjectReportResponse>, Status> {
        let handler = |caller: Caller, call, body| self.tell_subject(caller, call, body);
        self.gate.mutate(method!("Audit", "SubjectReport"), request, handler).await
    }

    async fn held_subjects(
        &self,
        request: Request<v1::HeldSubjectsRequest>,
    ) -> Result<Response<v1::HeldSubjectsResponse>, Status> {
        let handler = |caller: Caller, body| self.show_held_subjects(caller, body);
        self.gate.handle(method!("Audit", "HeldSubjects"), request, handler).await
    }

    async fn release_subject(
        &self,
        request: Request<v1::ReleaseSubjectRequest>,
    ) -> Result<Response<v1::ReleaseSubjectResponse>, Status> {
        let handler = |caller: Caller, call, body| self.tell_held_subject(caller, call, body);
        self.gate.mutate(method!("Audit", "ReleaseSubject"), request, handler).await
    }
}

/// A leaf of a sample with its proof.
fn sampled(
    log: &LogFolder,
    leaf_index: u64,
    size: u64,
    note: &str,
) -> Result<v1::SampleResponse, LogError> {
    let leaf = log.read_leaf(leaf_index)?;
    let none = LogError::NoEntry { index: leaf_index, size };
    let proof = inclusion_proof(log, leaf_index, size)?.ok_or(none)?;
    let proof = Receipt::of_note(&proof, note).to_text();
    Ok(v1::SampleResponse { leaf_index, leaf, proof })
}

/// The checkpoint of a bundle with the tiles that are not full, and the names of all others. With `cosigned` it is the last one
/// that enough witnesses have cosigned; nothing where there is none.
fn early_files(
    log: &LogFolder,
    cosigned: bool,
    ended: Option<String>,
) -> Result<Option<BundleFiles>, LogError> {
    let note = match (ended, cosigned) {
        (Some(final_checkpoint), _) => Some(final_checkpoint.into_bytes()),
        (None, true) => log.cosigned()?,
        (None, false) => log.note()?,
    };
    let Some(note) = note else { return Ok(None) };
    let size = claimed(&note)?.size;
    let mut early = vec![("checkpoint".to_owned(), Bytes::from(note))];
    let (full, partial): (Vec<_>, Vec<_>) = files_of(size).partition(|tile| tile.is_full());
    for tile in partial {
        early.push((tile.to_string(), log.tile_as_of(tile)?.into()));
    }
    Ok(Some((early, full.iter().map(ToString::to_string).collect())))
}

/// Files with their bytes, and names of others.
type BundleFiles = (Vec<(String, Bytes)>, Vec<String>);

/// A receipt with its proofs; nothing where the log has no such leaf.
fn proven(
    log: &LogFolder,
    asked: &v1::ProveReceiptRequest,
    note: &str,
) -> Result<Option<v1::ProveReceiptResponse>, LogError> {
    let (index, size) = (asked.leaf_index, claimed(note.as_bytes())?.size);
    if index >= size || leaf_hash(&log.read_leaf(index)?).as_bytes()[..] != asked.leaf_hash {
        return Ok(None);
    }
    let Some(inclusion) = inclusion_proof(log, index, size)? else { return Ok(None) };
    let old = asked.known_size;
    let consistency = match (1..size).contains(&old) {
        true => consistency_proof(log, old, size)?.map_or_else(Vec::new, |proof| proof.hashes),
        false => Vec::new(),
    };
    Ok(Some(v1::ProveReceiptResponse {
        proof: Receipt::of_note(&inclusion, note).to_text(),
        consistency: consistency.iter().map(|hash| hash.as_bytes().to_vec()).collect(),
    }))
}

/// The hashes of a proof; nothing where the tree has no such leaf or is not that large.
fn hashes(
    log: &LogFolder,
    wanted: v1::proofs_request::Proof,
    tree_size: u64,
) -> Result<Option<Vec<renkei_tlog::Hash>>, LogError> {
    if tree_size > log.size() {
        return Ok(None);
    }
    match wanted {
        v1::proofs_request::Proof::LeafIndex(index) if index < tree_size => {
            Ok(inclusion_proof(log, index, tree_size)?.map(|proof| proof.hashes))
        }
        v1::proofs_request::Proof::OldSize(old) if (1..=tree_size).contains(&old) => {
            Ok(consistency_proof(log, old, tree_size)?.map(|proof| proof.hashes))
        }
        v1::proofs_request::Proof::LeafIndex(_) | v1::proofs_request::Proof::OldSize(_) => Ok(None),
    }
}

fn read_file(folder: &Path, name: &str) -> Result<Bytes, std::io::Error> {
    fs_err::read(folder.join(name)).map(Bytes::from)
}

/// Sends a file in pieces; false when nobody takes them.
async fn send_file(desk: &Desk, sender: &Sender, name: &str, bytes: &Bytes) -> bool {
    for start in (0..bytes.len()).step_by(PIECE_BYTES) {
        let data = bytes.slice(start..bytes.len().min(start + PIECE_BYTES));
        let message = v1::ExportBundleResponse { path: name.to_owned(), data };
        if !desk.send(sender, Ok(message)).await {
            return false;
        }
    }
    true
}

type Sender = mpsc::Sender<Result<v1::ExportBundleResponse, Status>>;
