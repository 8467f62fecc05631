//! `renkei key`: other keys in the place of the broker's own, by two operators.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use renkei_api::v1::{BrokerKey, RotateKeyRequest};
use renkei_types::Language;
use serde_json::json;

use super::code_words::told;
use super::names::short;
use super::new_file::NewFile;
use super::session::{self, ConfirmArgument, RequestArgument, Session, plain};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;

/// A key of the broker's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum KeyArgument {
    /// Wraps the data keys
    Root,
    /// Signs the log
    Log,
}

impl From<KeyArgument> for BrokerKey {
    fn from(argument: KeyArgument) -> Self {
        match argument {
            KeyArgument::Root => Self::Root,
            KeyArgument::Log => Self::Log,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Propose another key, or agree to what another operator has proposed within a day
    Rotate {
        /// Which key
        key: KeyArgument,
        /// Where the log's next public key goes, for auditors; only with the second person's agreement
        #[arg(long, value_name = "FILE")]
        vkey: Option<PathBuf>,
        #[command(flatten)]
        confirm: ConfirmArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
}

pub(super) fn run(command: &KeyCommand, environment: &Environment) -> Result<Exit, Failure> {
    let KeyCommand::Rotate { key, vkey, confirm, request } = command;
    if !confirm.yes {
        return Ok(say_what_would_be_done(*key, environment));
    }
    session::with(environment, async |session| {
        let id = session.request_id(*request);
        let key = BrokerKey::from(*key);
        let call = RotateKeyRequest { request_id: id.to_string(), key: key.into() };
        let answer = session.change(&id, call).await?;
        if let Some(file) = vkey.as_deref().filter(|_| !answer.log_vkey.is_empty()) {
            let mut file = NewFile::create(file)?;
            file.write(answer.log_vkey.as_bytes())?;
            file.finish()?;
        }
        let log_vkey = answer.log_vkey.trim_end();
        let object = json!({
            "key": name(key),
            "decided": answer.decided,
            "log_vkey": (!log_vkey.is_empty()).then_some(log_vkey),
        });
        explain(session, key, answer.decided);
        Ok(session.done(object, &plain(log_vkey), answer.receipt.as_ref()))
    })
}

fn name(key: BrokerKey) -> &'static str {
    short(key.as_str_name(), "BROKER_KEY_")
}

fn explain(session: &Session<'_>, key: BrokerKey, decided: bool) {
    let environment = session.environment;
    match (key, decided) {
        (_, false) => environment.note(
            "proposed; nothing has changed. Another operator runs the same command within a day",
            "提案しました。まだ何も変わっていません。別の運用者が1日以内に同じコマンドを実行してください",
        ),
        (BrokerKey::Log, true) => environment.note(
            "the log is signed with the next key. Hand log.vkey to every auditor; they verify with --key OLD --key NEW",
            "記録は新しい鍵で署名されます。log.vkey を監査人全員に渡してください。検証は --key 旧 --key 新 で行います",
        ),
        (BrokerKey::Root | BrokerKey::Unspecified, true) => environment.note(
            "every data key is wrapped with the next root key. Put root.key into the safe, and back up the keys anew",
            "すべてのデータ鍵を新しいルート鍵で包み直しました。root.key を金庫に入れ、鍵のバックアップを取り直してください",
        ),
    }
}

fn say_what_would_be_done(key: KeyArgument, environment: &Environment) -> Exit {
    let key = BrokerKey::from(key);
    if environment.json {
        json::print(&json!({"key": name(key), "done": false}));
    }
    let (key, japanese) = (name(key), told(&key, Language::Japanese));
    environment.note(
        &format!("would propose another {key} key, or agree to another operator's proposal; add --yes to do it"),
        &format!("{japanese}鍵の交換を提案するか、別の運用者の提案に同意します。実行するには --yes を付けてください"),
    );
    Exit::Done
}
