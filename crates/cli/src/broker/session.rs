//! One errand at a broker: connection, request ids, receipts.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use renkei_api::v1::{ProveReceiptRequest, ProveReceiptResponse, Receipt, Totals};
use renkei_api::{
    Answers, Backoff, Call, ClientFile, Connection, LogMemory, Rejection, StreamCall, Uploaded,
    hex, new_request_id, upload,
};
use renkei_pki::{CertificateFacts, expiry_notice};
use renkei_types::{Classify as _, Clock as _, Entropy, Kind, Language, Reason, RequestId, Yen};
use serde_json::{Value, json};

use super::error::BrokerError;
use crate::commands::pki::system_entropy::SystemEntropy;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::progress::Progress;

/// The id under which a change is made.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct RequestArgument {
    /// Repeat the request of this id instead of making a new one
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

/// Destructive commands say what they would do until they are told to do it.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ConfirmArgument {
    /// Do it; without it, only say what would be done
    #[arg(long)]
    pub(super) yes: bool,
}

/// A connection, and whom it talks for.
pub(super) struct Session<'e> {
    pub(super) environment: &'e Environment,
    pub(super) connection: Connection,
    entropy: Arc<dyn Entropy>,
    memory: Option<LogMemory>,
    /// Receipts that were given and are proven when the errand is done.
    unproven: RefCell<Vec<Receipt>>,
}

/// Connects with the client file of `--as`, and runs an errand.
pub(super) fn with(
    environment: &Environment,
    errand: impl AsyncFnOnce(&Session<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let path = environment.client_file.as_deref().ok_or(BrokerError::NoClientFile)?;
    let file = ClientFile::read(path)?;
    warn_of_end(&file, environment);
    over(environment, &file, errand)
}

/// Says that the caller's own certificate ends soon: nobody else would in time.
fn warn_of_end(file: &ClientFile, environment: &Environment) {
    let pem = file.own_files().and_then(|own| fs_err::read(&own.certificate).ok());
    // What is wrong with the file itself is told when the connection is opened.
    let facts = pem.and_then(|pem| CertificateFacts::from_pem(&pem).ok());
    let Some(until) = facts.map(|facts| facts.not_after) else { return };
    if expiry_notice(environment.clock.now(), until).is_some_and(|days| days > 0) {
        environment.warn(
            &format!("your certificate ends at {until}; renew it with `renkei renew`"),
            &format!("証明書の期限は {until} です。`renkei renew` で更新してください"),
        );
    }
}

/// The same with a client file that was read or made elsewhere.
pub(super) fn over(
    environment: &Environment,
    file: &ClientFile,
    errand: impl AsyncFnOnce(&Session<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let memory = file.log_memory()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CommandError::System)?;
    let done = runtime.block_on(async {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::open()?);
        let connection =
            Connection::open(file, Arc::clone(&entropy))?.with_clock(Arc::new(environment.clock));
        let unproven = RefCell::default();
        let session = Session { environment, connection, entropy, memory, unproven };
        let exit = errand(&session).await?;
        session.prove_receipts().await?;
        Ok(exit)
    });
    // A file that is still being read in the background must not hold the program up.
    runtime.shutdown_background();
    done
}

impl Session<'_> {
    /// The request id that was given, or a new one.
    pub(super) fn request_id(&self, argument: RequestArgument) -> RequestId {
        argument.request_id.unwrap_or_else(|| self.new_request_id())
    }

    /// A new request id.
    pub(super) fn new_request_id(&self) -> RequestId {
        new_request_id(&self.environment.clock, &*self.entropy)
    }

    /// Chance.
    pub(super) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// Asks something.
    pub(super) async fn ask<C: Call>(&self, call: C) -> Result<C::Answer, Failure> {
        Ok(self.connection.call(call).await?)
    }

    /// Asks for a stream of answers.
    pub(super) async fn stream<C: StreamCall>(&self, call: C) -> Result<Answers<C::Part>, Failure> {
        Ok(self.connection.stream(call).await?)
    }

    /// Changes something. If it is not known whether that was done, says how to repeat the errand; `errand` is the id
    /// that the user may give, which is that of the errand's first call.
    pub(super) async fn change<C: Call>(
        &self,
        errand: &RequestId,
        call: C,
    ) -> Result<C::Answer, Failure> {
        match self.connection.call(call).await {
            Ok(answer) => Ok(answer),
            Err(rejection) => {
                if rejection.leaves_doubt() {
                    self.say_how_to_repeat(errand);
                }
                Err(rejection.into())
            }
        }
    }

    /// Sends a file's bytes, or what an earlier run left over of them.
    pub(super) async fn upload(&self, upload_id: &str, path: &Path) -> Result<Uploaded, Failure> {
        let unreadable = |error| CommandError::file(path, error);
        let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let bytes = file.metadata().await.map_err(unreadable)?.len();
        let progress = Progress::bytes(self.environment, "uploading", "送信", bytes);
        let uploaded = upload(&self.connection, upload_id, file, |at| progress.set(at)).await;
        match uploaded {
            Ok(uploaded) => Ok(uploaded),
            Err(renkei_api::UploadError::Read(error)) => Err(unreadable(error).into()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn say_how_to_repeat(&self, errand: &RequestId) {
        self.environment.warn(
            &format!("it is not known whether this was done; run the same command again with --request-id {errand}, which does nothing twice"),
            &format!("完了したかどうか不明です。同じコマンドに --request-id {errand} を付けて再実行してください（二重には処理されません）"),
        );
    }

    pub(super) fn language(&self) -> Language {
        self.environment.language
    }

    /// The end of a change: one JSON object with its receipt, or the data alone and the receipt as a remark.
    pub(super) fn done(&self, mut object: Value, data: &str, receipt: Option<&Receipt>) -> Exit {
        self.unproven.borrow_mut().extend(receipt.cloned());
        if self.environment.json {
            object["receipt"] = receipt_json(receipt);
            json::print(&object);
            return Exit::Done;
        }
        if !data.is_empty() {
            print_line!("{data}");
        }
        if let Some(receipt) = receipt {
            let (index, hash) = (receipt.leaf_index, receipt.leaf_hash_hex());
            self.environment.note(
                &format!("in the log: leaf {index}, {hash}"),
                &format!("記録: {index} 番 {hash}"),
            );
        }
        Exit::Done
    }

    /// Has the receipts of the errand proven, and keeps them and the checkpoint that proves them. Without the log's public
    /// key there is nothing to prove them by.
    async fn prove_receipts(&self) -> Result<(), Failure> {
        for receipt in self.unproven.take() {
            let Some(memory) = &self.memory else { continue };
            let question = memory.question(&receipt)?;
            match self.connection.call(question.clone()).await {
                // What was asked for is done; who has lost patience asks for the proof later.
                Err(rejection) if rejection.reason() == Some(Reason::NotWitnessed) => {
                    let (index, hash) = (receipt.leaf_index, receipt.leaf_hash_hex());
                    self.environment.warn(
                        &format!("done, and not proven yet: the broker signs nothing until its witnesses are heard; later: renkei audit receipt {index} {hash}"),
                        &format!("完了しましたが、まだ証明されていません。立会者が応じるまでサーバーは署名しません。後で確認してください: renkei audit receipt {index} {hash}"),
                    );
                }
                answer => self.believe(memory, &question, &answer?)?,
            }
        }
        Ok(())
    }

    /// The log's public keys, where the client file names them.
    pub(super) fn log_keys(&self) -> &[renkei_tlog::VerifierKey] {
        self.memory.as_ref().map_or(&[], LogMemory::keys)
    }

    /// Asks for the proof of a receipt. Where the log's public key is known, it is checked and kept.
    pub(super) async fn prove(&self, receipt: &Receipt) -> Result<ProveReceiptResponse, Failure> {
        let Some(memory) = &self.memory else {
            let (leaf_index, leaf_hash) = (receipt.leaf_index, receipt.leaf_hash.clone());
            return self.ask(ProveReceiptRequest { leaf_index, leaf_hash, known_size: 0 }).await;
        };
        let question = memory.question(receipt)?;
        let answer = self.ask(question.clone()).await?;
        self.believe(memory, &question, &answer)?;
        Ok(answer)
    }

    /// Checks the proof of a receipt and keeps it.
    fn believe(
        &self,
        memory: &LogMemory,
        question: &ProveReceiptRequest,
        answer: &ProveReceiptResponse,
    ) -> Result<(), Failure> {
        let checkpoint = memory.accept(question, answer)?;
        let (index, size) = (question.leaf_index, checkpoint.size);
        self.environment.note(
            &format!("proven: leaf {index} is in the log of {size} entries, which goes on from the one that was shown last"),
            &format!("証明済み: {index} 番は {size} 件の監査ログに含まれ、ログは前回示されたものの続きです"),
        );
        Ok(())
    }

    /// Lines and yen for people.
    pub(super) fn totals(&self, totals: Option<&Totals>) -> String {
        let Totals { lines, yen } = totals.copied().unwrap_or_default();
        let yen = Yen(yen);
        self.language().pick(format!("{lines} lines, {yen} yen"), format!("{lines} 件 {yen} 円"))
    }
}

/// Streams that may break without an answer in between.
const BREAKS_MAX: u32 = 5;

/// Whether a stream that ended is to be opened again, after a wait: where it was cut off and not too often before.
pub(super) async fn resumes(
    backoff: &mut Backoff,
    broken: Option<Rejection>,
) -> Result<bool, Rejection> {
    match broken {
        None => Ok(false),
        Some(rejection)
            if rejection.kind() == Kind::Unavailable && backoff.attempt() < BREAKS_MAX =>
        {
            backoff.wait().await;
            Ok(true)
        }
        Some(rejection) => Err(rejection),
    }
}

/// A receipt, or null where the broker gave none.
pub(super) fn receipt_json(receipt: Option<&Receipt>) -> Value {
    receipt.map_or(
        Value::Null,
        |receipt| json!({"leaf_index": receipt.leaf_index, "leaf_hash": receipt.leaf_hash_hex()}),
    )
}

/// The fiscal year of link codes, or null where residents are named by their ids.
pub(super) fn code_year(year: u32) -> Value {
    if year == 0 { Value::Null } else { json!(year) }
}

/// `{lines, yen}`.
pub(super) fn totals_json(totals: Option<&Totals>) -> Value {
    let totals = totals.copied().unwrap_or_default();
    json!({"lines": totals.lines, "yen": totals.yen})
}

/// A SHA-256 as it is written everywhere, or null where there is none yet.
pub(super) fn digest_json(bytes: &[u8]) -> Value {
    if bytes.is_empty() { Value::Null } else { json!(format!("sha256:{}", hex(bytes))) }
}

/// A time as people read it: minutes, by the clocks of Japan. JSON keeps the broker's own.
pub(super) fn local_time(time: &str) -> String {
    let japan = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    match time.parse::<jiff::Timestamp>() {
        Ok(time) => time.to_zoned(japan).strftime("%Y-%m-%d %H:%M JST").to_string(),
        Err(_) => plain(time),
    }
}

/// Text of others, harmless to a terminal: control characters become visible.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_a_terminal() {
        assert_eq!(plain("山田\u{1b}[2J太郎\n"), "山田\u{fffd}[2J太郎\u{fffd}");
    }

    #[test]
    fn times_are_told_by_the_clocks_of_japan() {
        assert_eq!(local_time("2026-11-21T15:04:05.123456789Z"), "2026-11-22 00:04 JST");
        assert_eq!(local_time(""), "");
    }

    #[test]
    fn receipts_and_digests_are_written_in_hexadecimal() {
        let receipt = Receipt::of_leaf(7, [0xab; 32]);
        assert_eq!(
            receipt_json(Some(&receipt)),
            json!({"leaf_index": 7, "leaf_hash": "ab".repeat(32)})
        );
        assert_eq!(receipt_json(None), Value::Null);
        assert_eq!(digest_json(&[]), Value::Null);
        assert_eq!(digest_json(&[1, 2]), json!("sha256:0102"));
    }
}
