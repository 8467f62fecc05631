//! `renkei list`: from an open list to certified batches that reconcile to the yen.
//!
//! ```text
//! open -> list and upload -> upload FILE -> seal FILE -> (job) -> certify -> certify --batch, by another person -> export
//! ```

use std::path::PathBuf;

use clap::{Args, Subcommand};
use renkei_api::v1::{
    AccountCounts, Batch, BatchState, CertifyRequest, ExportTransferRequest, ListKind,
    OpenListRequest, ReconcileRequest, SealRequest, Totals,
};
use renkei_tables::Side;
use renkei_types::{BatchId, Digest, ListId, ProgrammeId, Slug, UploadId};
use serde_json::{Value, json};

use super::code_words::told;
use super::control_totals::{ShapeArguments, count};
use super::error::BrokerError;
use super::names::{KindArgument, short};
use super::new_file::NewFile;
use super::programme_shown::unusual_codes_told;
use super::session::{self, RequestArgument, Session, digest_json, plain, totals_json};
use super::{households, returned, sheet};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;

#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Open a list of a programme, and an upload for its file
    Open {
        /// The programme
        programme: ProgrammeId,
        /// A short name, unique within the programme
        #[arg(long, value_name = "NAME")]
        name: Slug,
        #[command(flatten)]
        shape: ShapeArguments,
        /// A sealed list of the programme whose place it takes: what is paid stays paid, all else begins anew
        #[arg(long, value_name = "LIST")]
        supersedes: Option<ListId>,
        /// Replace only the lines that the new file has, such as those whose transfer came back
        #[arg(long, requires = "supersedes")]
        lines_only: bool,
        /// How its payees come to be on it
        #[arg(long)]
        kind: Option<KindArgument>,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Send the list's file, or go on where an earlier run was cut off
    Upload {
        /// The upload that `list open` answered
        upload: UploadId,
        /// The file
        file: PathBuf,
    },
    /// Seal the list with its control totals
    Seal(SealArguments),
    /// Certify payable lines: first propose a batch, then another person certifies it
    Certify(CertifyArguments),
    /// Show lines and yen at every step
    Reconcile {
        /// The list
        list: ListId,
        /// Write the sheet (.html, .xlsx, .csv, .parquet or .json)
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show lines of a batch whose account somebody should look at before it is certified
    Accounts(returned::AccountsArguments),
    /// Show lines that are held back to protect somebody (支援措置); for protectors
    Households(households::HouseholdsArguments),
    /// Clear a line that is held back to protect somebody: one protector signs, another clears
    ClearHousehold(households::ClearArguments),
    /// Report what came back from the bank (振込不能); all else of the batch is paid
    Returns(returned::ReturnsArguments),
    /// Note that a payee has given money back (返還)
    Refund(returned::RefundArguments),
    /// Write a bank's transfer file (全銀協 総合振込) of a released batch
    Export {
        /// The batch
        #[arg(long, value_name = "ID")]
        batch: BatchId,
        /// Where it goes
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct SealArguments {
    /// The upload that `list open` answered
    upload: UploadId,
    /// The file that was sent; its bytes and digest are declared with the totals
    file: PathBuf,
    /// Lines of the list, as the system that made it counted them; counted here otherwise
    #[arg(long, value_name = "N", requires = "yen")]
    lines: Option<u64>,
    /// Yen of the list
    #[arg(long, value_name = "N", requires = "lines")]
    yen: Option<u64>,
    #[command(flatten)]
    shape: ShapeArguments,
    #[command(flatten)]
    request: RequestArgument,
}

#[derive(Args, Debug)]
pub(crate) struct CertifyArguments {
    /// The list
    list: ListId,
    /// Certify this batch, which another person has proposed
    #[arg(long, value_name = "ID")]
    batch: Option<BatchId>,
    /// Digest of the batch as it was examined; that of the broker otherwise
    #[arg(long, value_name = "sha256:HEX", requires = "batch")]
    digest: Option<Digest>,
    #[command(flatten)]
    request: RequestArgument,
}

pub(super) fn run(command: &ListCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        ListCommand::Open { programme, name, shape, supersedes, lines_only, kind, request } => {
            let shape = shape.shape()?;
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let call = OpenListRequest {
                    request_id: id.to_string(),
                    programme_id: programme.to_string(),
                    name: name.to_string(),
                    encoding: shape.encoding,
                    layout: shape.layout,
                    supersedes_list_id: supersedes.map(|list| list.to_string()).unwrap_or_default(),
                    lines_only: *lines_only,
                    kind: kind.map_or(ListKind::Unspecified, ListKind::from).into(),
                };
                let answer = session.change(&id, call).await?;
                let object = json!({"list_id": answer.list_id, "upload_id": answer.upload_id});
                let ids = format!("{} {}", answer.list_id, answer.upload_id);
                Ok(session.done(object, &ids, answer.receipt.as_ref()))
            })
        }
        ListCommand::Upload { upload, file } => session::with(environment, async |session| {
            let uploaded = session.upload(&upload.to_string(), file).await?;
            if environment.json {
                json::print(&json!({
                    "upload_id": upload.to_string(),
                    "bytes": uploaded.bytes,
                    "sha256": uploaded.sha256.to_string(),
                }));
            } else {
                print_line!("{}", uploaded.sha256);
                let bytes = uploaded.bytes;
                environment.note(
                    &format!("{bytes} bytes are durable; seal them with `renkei list seal`"),
                    &format!("{bytes} バイトを保存しました。`renkei list seal` で確定してください"),
                );
            }
            Ok(Exit::Done)
        }),
        ListCommand::Seal(arguments) => seal(arguments, environment),
        ListCommand::Certify(arguments) => {
            session::with(environment, async |session| certify(session, arguments).await)
        }
        ListCommand::Reconcile { list, output } => session::with(environment, async |session| {
            sheet::run(session, whole(*list), output.as_deref()).await
        }),
        ListCommand::Accounts(arguments) => {
            session::with(environment, async |session| returned::accounts(session, arguments).await)
        }
        ListCommand::Households(arguments) => {
            session::with(environment, async |session| households::show(session, arguments).await)
        }
        ListCommand::ClearHousehold(arguments) => {
            session::with(environment, async |session| households::clear(session, arguments).await)
        }
        ListCommand::Returns(arguments) => {
            session::with(environment, async |session| returned::returns(session, arguments).await)
        }
        ListCommand::Refund(arguments) => {
            session::with(environment, async |session| returned::refund(session, arguments).await)
        }
        ListCommand::Export { batch, output } => {
            session::with(environment, async |session| export(session, *batch, output).await)
        }
    }
}

fn seal(arguments: &SealArguments, environment: &Environment) -> Result<Exit, Failure> {
    let declared = match (arguments.lines, arguments.yen) {
        (Some(lines), Some(yen)) => Totals { lines, yen },
        // clap lets neither come alone.
        (Some(_) | None, _) => count(&arguments.file, &arguments.shape, Side::List, environment)?,
    };
    session::with(environment, async |session| {
        let id = session.request_id(arguments.request);
        let upload_id = arguments.upload.to_string();
        // Digests the file, and sends what may be missing.
        let uploaded = session.upload(&upload_id, &arguments.file).await?;
        let call = SealRequest {
            request_id: id.to_string(),
            upload_id: upload_id.clone(),
            bytes: uploaded.bytes,
            sha256: uploaded.sha256.as_bytes().to_vec(),
            declared: Some(declared),
        };
        let sealed = session.change(&id, call).await?;
        let counted = session.totals(sealed.counted.as_ref());
        let rejected = session.totals(sealed.rejected.as_ref());
        environment.note(
            &format!("sealed: {counted}; of these rejected: {rejected}"),
            &format!("確定: {counted}（うち受付不可 {rejected}）"),
        );
        let object = json!({
            "upload_id": upload_id,
            "bytes": uploaded.bytes,
            "sha256": uploaded.sha256.to_string(),
            "counted": totals_json(sealed.counted.as_ref()),
            "rejected": totals_json(sealed.rejected.as_ref()),
            "digest": digest_json(&sealed.digest),
            "unusual": sealed.unusual,
        });
        if !sealed.unusual.is_empty() {
            let codes = unusual_codes_told(&sealed.unusual, environment);
            environment.warn(
                &format!("the list is on hold ({codes}): look at it; two people lift the hold with `renkei programme release-hold --list`"),
                &format!("このリストの支払を停止しました（{codes}）。内容を確かめ、2人で `renkei programme release-hold --list` により解除してください"),
            );
        }
        Ok(session.done(object, "", sealed.receipt.as_ref()))
    })
}

async fn certify(session: &Session<'_>, arguments: &CertifyArguments) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let (batch_id, digest) = match (arguments.batch, arguments.digest) {
        (None, _) => (String::new(), Vec::new()),
        (Some(batch), Some(digest)) => (batch.to_string(), digest.as_bytes().to_vec()),
        (Some(batch), None) => {
            let batch = find_batch(session, arguments.list, batch).await?;
            let totals = session.totals(batch.totals.as_ref());
            session.environment.note(
                &format!("certifying {}: {totals}", plain(&batch.batch_id)),
                &format!("確定対象 {}: {totals}", plain(&batch.batch_id)),
            );
            warn_of_findings(session, &batch);
            (batch.batch_id, batch.digest)
        }
    };
    let call = CertifyRequest {
        request_id: id.to_string(),
        list_id: arguments.list.to_string(),
        batch_id,
        digest,
    };
    let answer = session.change(&id, call).await?;
    let batch = answer.batch.unwrap_or_default();
    if answer.lines_already_paid > 0 {
        let lines = answer.lines_already_paid;
        session.environment.warn(
            &format!("{lines} lines are left out: their payee is paid by another line"),
            &format!("{lines} 件は別の行で支給済みのため除きました"),
        );
    }
    let totals = session.totals(batch.totals.as_ref());
    // Who signs second was told before.
    if arguments.batch.is_none() || arguments.digest.is_some() {
        warn_of_findings(session, &batch);
    }
    let state = told(&batch.state(), session.language());
    let text = format!("{state}: {totals}");
    session.environment.note(&text, &text);
    if batch.state() == BatchState::Certified {
        session.environment.warn(
            "not released: the programme, the list or a payee is on hold (`renkei programme show`, `renkei list reconcile`)",
            "支払には回していません。給付事業・リスト・受給者のいずれかが停止中です（`renkei programme show`、`renkei list reconcile`）",
        );
    }
    let mut object = batch_json(&batch);
    object["lines_already_paid"] = json!(answer.lines_already_paid);
    object["lines_incomplete"] = json!(answer.lines_incomplete);
    object["lines_excluded"] = json!(answer.lines_excluded);
    object["lines_held"] = json!(answer.lines_held);
    let (excluded, held) = (answer.lines_excluded, answer.lines_held);
    if excluded + held > 0 {
        session.environment.warn(
            &format!("left out: {excluded} lines whose payee the programme excludes, {held} whose payee is on hold"),
            &format!("除外した行: 給付事業の除外対象 {excluded} 件、支払停止中の受給者 {held} 件"),
        );
    }
    warn_of_unmet(session.environment, answer.stops_unmet, answer.exclusions_unmet);
    object["stops_unmet"] = json!(answer.stops_unmet);
    object["exclusions_unmet"] = json!(answer.exclusions_unmet);
    if answer.lines_incomplete > 0 {
        let lines = answer.lines_incomplete;
        session.environment.warn(
            &format!("{lines} lines are left out: a bank detail or the household is missing"),
            &format!("{lines} 行を除外しました: 口座情報または世帯番号が不足しています"),
        );
    }
    Ok(session.done(object, &batch.batch_id, answer.receipt.as_ref()))
}

/// A stop that stops nobody would be believed.
fn warn_of_unmet(environment: &Environment, stops: u64, exclusions: u64) {
    if stops > 0 {
        environment.warn(
            &format!("{stops} stops of a payee mean nobody in the register: they stop nobody; `renkei programme show` says who placed stops, and a stop that is placed again is refused where its id is wrong"),
            &format!("受給者の停止のうち {stops} 件は、台帳の誰にも当たらないため、誰も止めていません。停止した人は `renkei programme show` で分かります。もう一度停止すると、番号の誤りは断られます"),
        );
    }
    if exclusions > 0 {
        environment.warn(
            &format!("{exclusions} excluded payees are not in the register: nobody is left out for them; compare the table that excluded them with the register"),
            &format!("除外対象のうち {exclusions} 件は台帳になく、誰も除外していません。除外に使った表を台帳と見比べてください"),
        );
    }
}

/// What certifiers should look at before they sign, and sign with the batch.
fn warn_of_findings(session: &Session<'_>, batch: &Batch) {
    let accounts = batch.accounts.unwrap_or_default();
    if accounts != AccountCounts::default() {
        let AccountCounts { holder_differs, family_account, shared_account } = accounts;
        session.environment.warn(
            &format!("accounts to look at (`renkei list accounts`): {holder_differs} lines whose holder is not known in the household, {family_account} of family members, {shared_account} shared by several payees"),
            &format!("口座の要確認（`renkei list accounts`）: 名義人が世帯にいない {holder_differs} 件、家族名義 {family_account} 件、複数の受給者が同じ口座 {shared_account} 件"),
        );
    }
    let separate = batch.separate_households;
    if separate > 0 {
        session.environment.warn(
            &format!("{separate} lines are paid to a household of their own only because somebody said so (`renkei programme divide --kind separate`): the household of the register may be paid too"),
            &format!("別世帯の申出（`renkei programme divide --kind separate`）だけを根拠に別の世帯として支給する行が {separate} 件あります。台帳上の世帯にも支給されている場合があります"),
        );
    }
}

async fn find_batch(session: &Session<'_>, list: ListId, batch: BatchId) -> Result<Batch, Failure> {
    let answer = session.ask(whole(list)).await?;
    let wanted = batch.to_string();
    let found = answer.batches.into_iter().find(|batch| batch.batch_id == wanted);
    Ok(found.ok_or(BrokerError::UnknownBatch)?)
}

fn whole(list: ListId) -> ReconcileRequest {
    ReconcileRequest { list_id: list.to_string(), ..ReconcileRequest::default() }
}

pub(super) fn state(batch: &Batch) -> &'static str {
    short(batch.state().as_str_name(), "BATCH_STATE_")
}

pub(super) fn batch_json(batch: &Batch) -> Value {
    let accounts = batch.accounts.unwrap_or_default();
    json!({
        "batch_id": batch.batch_id,
        "list_id": batch.list_id,
        "state": state(batch),
        "totals": totals_json(batch.totals.as_ref()),
        "digest": digest_json(&batch.digest),
        "proposed_by": batch.proposed_by,
        "certified_by": batch.certified_by,
        "feed_number": batch.feed_number,
        "returned": totals_json(batch.returned.as_ref()),
        "refunded": totals_json(batch.refunded.as_ref()),
        "accounts": {
            "holder_differs": accounts.holder_differs,
            "family_account": accounts.family_account,
            "shared_account": accounts.shared_account,
        },
        "separate_households": batch.separate_households,
    })
}

async fn export(
    session: &Session<'_>,
    batch: BatchId,
    output: &std::path::Path,
) -> Result<Exit, Failure> {
    let call = ExportTransferRequest { batch_id: batch.to_string() };
    let mut parts = session.stream(call).await?;
    let mut file = NewFile::create(output)?;
    let (mut totals, mut receipt, mut bytes) = (None, None, 0);
    while let Some(part) = parts.next().await? {
        totals = totals.or(part.totals);
        receipt = receipt.or(part.receipt);
        bytes += part.data.len();
        file.write(&part.data)?;
    }
    if bytes == 0 || totals.is_none() {
        return Err(BrokerError::Answer { what: "a transfer file without content" }.into());
    }
    file.finish()?;
    let (name, sum) = (output.display(), session.totals(totals.as_ref()));
    session.environment.note(&format!("{name}: {sum}"), &format!("{name}: {sum}"));
    let object = json!({
        "batch_id": batch.to_string(),
        "output": output.display().to_string(),
        "bytes": bytes,
        "totals": totals_json(totals.as_ref()),
    });
    Ok(session.done(object, "", receipt.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_names_its_state_and_digest() {
        let batch = Batch {
            state: BatchState::Proposed.into(),
            totals: Some(Totals { lines: 2, yen: 30 }),
            digest: vec![1; 32],
            ..Batch::default()
        };
        let object = batch_json(&batch);
        assert_eq!(object["state"], "PROPOSED");
        assert_eq!(object["totals"], json!({"lines": 2, "yen": 30}));
        assert_eq!(object["digest"], format!("sha256:{}", "01".repeat(32)));
    }
}
