//! `renkei audit sample`: leaves drawn at random for inspection, each with its proof.
//!
//! Nobody is trusted with the draw: what a broker answers must be the leaves that the root of its checkpoint draws, and each
//! proof must lead to that root. The formula: [`renkei_tlog::sample`].

use std::path::PathBuf;

use clap::Args;
use renkei_api::hex;
use renkei_api::v1::SampleRequest;
use renkei_tlog::hash::leaf_hash;
use renkei_tlog::sample::draw;
use renkei_tlog::{Checkpoint, LogCopy, LogError, Receipt, VerifierKey};
use renkei_types::Localised as _;
use serde_json::json;

use super::error::BrokerError;
use super::log_query::{LeafTable, leaf_value};
use super::session::{self, Session};
use crate::commands::audit_verify::read_key;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;

#[derive(Args, Debug)]
pub(crate) struct SampleArguments {
    /// Draw from this exported log instead of asking the broker
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// How many leaves to draw
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    size: u32,
    /// A text of your own that takes part in the draw, such as dice thrown when the log was already in your hands
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = dice)]
    dice: String,
    /// The log's public key, as its operator handed it over; without it, that of the client file. After a rotation the older
    /// key first
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
}

fn dice(text: &str) -> Result<String, &'static str> {
    if text.len() <= 64 { Ok(text.to_owned()) } else { Err("64 bytes at most") }
}

/// A leaf of the sample as it came.
struct Drawn {
    index: u64,
    leaf: Vec<u8>,
    proof: String,
}

pub(super) fn run(arguments: &SampleArguments, environment: &Environment) -> Result<Exit, Failure> {
    let keys: Vec<VerifierKey> =
        arguments.keys.iter().map(|file| read_key(file)).collect::<Result<_, _>>()?;
    let Some(folder) = &arguments.folder else {
        return session::with(environment, async |session| {
            let keys = if keys.is_empty() { session.log_keys() } else { &keys };
            let drawn = ask(session, arguments).await?;
            show(&drawn, arguments, keys, environment)
        });
    };
    let copy = match LogCopy::open(folder, needed(&keys)?) {
        // What is wrong with the log that is examined, and not with the question.
        Err(error @ (LogError::Checkpoint(_) | LogError::Damaged { .. })) => {
            let what = error.localised(environment.language);
            environment.warn(&format!("damaged: {what}"), &format!("改変あり: {what}"));
            return Ok(Exit::FoundWrong);
        }
        opened => opened?,
    };
    let signed = copy.signed().checkpoint();
    let dice = arguments.dice.as_bytes();
    let mut drawn = Vec::new();
    for index in draw(&signed.root, signed.size, arguments.size.into(), dice) {
        let (leaf, proof) = copy.proven(index)?;
        drawn.push(Drawn { index, leaf, proof: proof.to_text() });
    }
    show(&drawn, arguments, &keys, environment)
}

/// Without a key nothing that is shown proves anything.
fn needed(keys: &[VerifierKey]) -> Result<&[VerifierKey], BrokerError> {
    if keys.is_empty() { Err(BrokerError::OptionMissing { option: "key" }) } else { Ok(keys) }
}

async fn ask(session: &Session<'_>, arguments: &SampleArguments) -> Result<Vec<Drawn>, Failure> {
    let call = SampleRequest { leaves: arguments.size, dice: arguments.dice.clone().into_bytes() };
    let mut answers = session.stream(call).await?;
    let mut drawn = Vec::new();
    while let Some(answer) = answers.next().await? {
        drawn.push(Drawn { index: answer.leaf_index, leaf: answer.leaf, proof: answer.proof });
    }
    Ok(drawn)
}

fn show(
    drawn: &[Drawn],
    arguments: &SampleArguments,
    keys: &[VerifierKey],
    environment: &Environment,
) -> Result<Exit, Failure> {
    let Some(Checkpoint { size, root, .. }) = proven(drawn, arguments, needed(keys)?) else {
        environment.warn(
            "the proofs do not hold, or these are not the leaves that the checkpoint draws: keep the log as it is, and run audit verify",
            "証明が成り立たないか、チェックポイントから選ばれる記録ではありません。ログをそのまま保管し、audit verify を実行してください",
        );
        return Ok(Exit::FoundWrong);
    };
    let mut table = LeafTable::new(environment);
    for one in drawn {
        let leaf = leaf_value(&one.leaf);
        if environment.json {
            let hash = hex(leaf_hash(&one.leaf).as_bytes());
            json::print(&json!({
                "leaf_index": one.index,
                "leaf_hash": hash,
                "leaf": leaf,
                "proof": one.proof,
            }));
        } else {
            table.add(one.index, &leaf);
        }
    }
    if !environment.json {
        print_line!("{table}");
    }
    let count = drawn.len();
    environment.note(
        &format!("{count} of {size} leaves, drawn by root {root}; every proof holds"),
        &format!(
            "{size} 件から {count} 件を抽出しました（ルート {root}）。すべての証明が成り立ちます"
        ),
    );
    Ok(Exit::Done)
}

/// The checkpoint, where it draws exactly these leaves and has all of them.
fn proven(
    drawn: &[Drawn],
    arguments: &SampleArguments,
    keys: &[VerifierKey],
) -> Option<Checkpoint> {
    let mut checkpoint: Option<Checkpoint> = None;
    for one in drawn {
        let receipt =
            Receipt::parse(&one.proof).ok().filter(|receipt| receipt.index() == one.index)?;
        let shown = receipt.verify(&one.leaf, keys).ok()?.checkpoint().clone();
        if *checkpoint.get_or_insert_with(|| shown.clone()) != shown {
            return None;
        }
    }
    let Checkpoint { size, root, .. } = checkpoint.as_ref()?;
    let wanted = draw(root, *size, arguments.size.into(), arguments.dice.as_bytes());
    drawn.iter().map(|one| one.index).eq(wanted).then_some(checkpoint).flatten()
}

#[cfg(test)]
mod tests {
    use renkei_tlog::{LogFolder, LogKey};
    use renkei_types::SeededEntropy;

    use super::*;

    #[test]
    fn only_the_leaves_that_the_root_draws_are_believed_with_their_proofs() {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = "kita.example/log".parse().expect("an origin");
        let key = LogKey::generate(origin, &SeededEntropy::new(1));
        let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
        let leaves: Vec<String> = (0..300).map(|n| format!("{{\"n\":{n}}}")).collect();
        log.append(&leaves).expect("appended");
        let signed = log.publish(&key).expect("published").checkpoint().clone();
        let copy = LogCopy::open(folder.path(), &[key.verifier()]).expect("a copy");
        let drawn = |index: u64| {
            let (leaf, proof) = copy.proven(index).expect("a leaf");
            Drawn { index, leaf, proof: proof.to_text() }
        };
        let arguments =
            SampleArguments { folder: None, size: 5, dice: "3".to_owned(), keys: Vec::new() };
        let keys = [key.verifier()];
        let right: Vec<u64> = draw(&signed.root, 300, 5, b"3").into_iter().collect();
        let taken = |indexes: &[u64]| indexes.iter().map(|index| drawn(*index)).collect::<Vec<_>>();
        assert_eq!(proven(&taken(&right), &arguments, &keys), Some(signed));
        let mut other = right.clone();
        other[0] = (0..300).find(|index| !right.contains(index)).expect("another");
        other.sort_unstable();
        assert_eq!(proven(&taken(&other), &arguments, &keys), None, "chosen");
        assert_eq!(proven(&taken(&right[1..]), &arguments, &keys), None, "too few");
        let mut changed = taken(&right);
        changed[2].leaf = b"{}".to_vec();
        assert_eq!(proven(&changed, &arguments, &keys), None, "changed");
        assert_eq!(proven(&taken(&right), &arguments, &[]), None, "signed by nobody known");
    }
}
