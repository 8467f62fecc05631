//! `renkei selfcheck`: whether a broker will go on serving, looked at beside it and without disturbing it.
//!
//! What ends, what is missing and what others can read is found here before a Monday morning finds it. Exit code 1 where
//! something is wrong. Nothing is opened that the broker holds. Of keys only who may read them counts, but for the log's: its public
//! half is derived, as a start does, since only that tells whether this is the key that is to sign.
//! Who holds roles that one person should not hold is asked of the broker itself, by whoever `--as` names.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use renkei_broker::config::BrokerConfig;
use renkei_broker::{HeadFound, LogBeside, is_in_use};
use renkei_pki::{CertificateFacts, CrlFacts, expiry_notice};
use renkei_tlog::{Policy, SignedCheckpoint};
use renkei_types::{Clock as _, Language, Localised as _};
use serde_json::json;

use crate::broker::united_roles_of_all;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Args, Debug)]
pub(crate) struct SelfcheckArguments {
    /// The broker's configuration (TOML)
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// What was looked at, and what was found.
struct Finding {
    about: &'static str,
    /// Whether somebody has to act.
    wrong: bool,
    english: String,
    japanese: String,
}

impl Finding {
    fn new(about: &'static str, wrong: bool, english: String, japanese: String) -> Self {
        Self { about, wrong, english, japanese }
    }

    /// Something that ends: wrong from its first notice on. Revocation lists live for 30 days, so their first notice is the
    /// second one.
    fn end(about: &'static str, now: Timestamp, end: Timestamp, first_notice: u16) -> Self {
        let notice = expiry_notice(now, end).filter(|days| *days <= first_notice);
        let days = end.duration_since(now).as_secs().div_euclid(24 * 60 * 60);
        let (english, japanese) = match notice {
            Some(0) => (format!("has ended ({end})"), format!("期限切れ（{end}）")),
            Some(_) | None => {
                (format!("ends in {days} days ({end})"), format!("期限まであと {days} 日（{end}）"))
            }
        };
        Self::new(about, notice.is_some(), english, japanese)
    }

    fn unusable(about: &'static str, path: &Path) -> Self {
        let path = path.display();
        let english = format!("{path} cannot be read or is not what it should be");
        Self::new(about, true, english, format!("{path} を読めないか、内容が違います"))
    }
}

pub(crate) fn run(
    arguments: &SelfcheckArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let config = BrokerConfig::read(&arguments.config)?;
    let now = environment.clock.now();
    let mut findings = ends(&config, now);
    let keys = [("root.key", &config.root_key), ("log.key", &config.log_key)];
    findings.extend(keys.into_iter().map(|(name, handed)| match handed {
        Some(credential) => handed_over(name, credential),
        None => key(&config, name),
    }));
    findings.extend(log(&config, now));
    findings.push(witnesses(&config, now));
    // Persons and roles are known to the broker alone.
    if environment.client_file.is_some() {
        findings.extend(roles(united_roles_of_all(environment)));
    }
    let wrong = findings.iter().any(|finding| finding.wrong);
    if environment.json {
        let found = findings.iter().map(|finding| {
            json!({"about": finding.about, "ok": !finding.wrong, "what": finding.english})
        });
        json::print(&json!({"ok": !wrong, "findings": found.collect::<Vec<_>>()}));
    } else {
        print(&findings, environment);
    }
    Ok(if wrong { Exit::FoundWrong } else { Exit::Done })
}

/// Everything of the TLS files that ends.
fn ends(config: &BrokerConfig, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let certificates =
        [("tls.certificate", &config.tls.certificate), ("tls.client_ca", &config.tls.client_ca)];
    for (about, path) in certificates {
        let read = fs_err::read(path).ok();
        match read.and_then(|pem| CertificateFacts::all_from_pem(&pem).ok()) {
            Some(all) => findings
                .extend(all.iter().map(|facts| Finding::end(about, now, facts.not_after, 30))),
            None => findings.push(Finding::unusable(about, path)),
        }
    }
    let (about, path) = ("tls.crl", &config.tls.crl);
    match fs_err::read(path).ok().and_then(|pem| CrlFacts::all_from_pem(&pem).ok()) {
        Some(all) => {
            findings.extend(all.iter().map(|facts| Finding::end(about, now, facts.next_update, 14)))
        }
        None => findings.push(Finding::unusable(about, path)),
    }
    findings
}

/// A key that the service manager hands over is there; who can read it is the manager's affair.
fn handed_over(name: &'static str, credential: &Path) -> Finding {
    if fs_err::metadata(credential).is_err() {
        return Finding::unusable(name, credential);
    }
    let english = "is handed over by the service manager".to_owned();
    Finding::new(name, false, english, "サービス管理から渡されています".to_owned())
}

/// A key is there and nobody else can read it.
fn key(config: &BrokerConfig, name: &'static str) -> Finding {
    let path = config.keys.join(name);
    let shown = path.display().to_string();
    match fs_err::metadata(&path) {
        Err(_) if config.store_paths().has_signed() => Finding::new(
            name,
            true,
            format!("{shown} is gone: restore it from the safe"),
            format!("{shown} がありません。金庫から戻してください"),
        ),
        Err(_) => Finding::new(
            name,
            true,
            format!("{shown} is not there; before the first start it is made by itself"),
            format!("{shown} がありません（初回の起動前であれば自動で作られます）"),
        ),
        Ok(metadata) if is_exposed(&metadata) => Finding::new(
            name,
            true,
            format!("{shown} can be read by others: find out who did, then `chmod 600` it"),
            format!(
                "{shown} は他の利用者も読める状態です。読まれていないことを確認し、`chmod 600` を実行してください"
            ),
        ),
        Ok(_) => Finding::new(
            name,
            false,
            "is there, for its owner alone".to_owned(),
            "所有者だけが読めます".to_owned(),
        ),
    }
}

/// Whether the log begins with what was signed last, without which the broker does not start, and whether auditors will believe the key
/// that signs it.
fn log(config: &BrokerConfig, now: Timestamp) -> Vec<Finding> {
    let about = "log.head";
    let LogBeside { place, is_key_announced, unsigned_since } =
        match config.store_paths().check_log_head() {
            Ok(found) => found,
            Err(error) => {
                let why = |language| error.localised(language);
                return vec![Finding::new(
                    about,
                    true,
                    why(Language::English),
                    why(Language::Japanese),
                )];
            }
        };
    let (english, japanese) = match place {
        HeadFound::InLog | HeadFound::Nowhere => {
            ("the log goes on from what was signed last", "監査ログは最後に署名した内容の続きです")
        }
        HeadFound::InJournal => (
            "the log's folder (store/log) is empty or ends before what was signed last; the journal has the rest, and the next start builds it again",
            "監査ログのフォルダー（store/log）は空か、最後に署名した内容より短くなっています。残りはジャーナルにあり、次の起動で作り直されます",
        ),
    };
    let mut findings = vec![Finding::new(about, false, english.to_owned(), japanese.to_owned())];
    // Of a broker whose log is disputed another finding tells. The last question takes the place of a broker that starts, for a
    // moment, so it is asked only where it matters.
    let is_disputed = config.keys.join("log.dispute").exists();
    let late = unsigned_since.filter(|_| !is_disputed).and_then(|since| unsigned(now, since));
    findings.extend(late.filter(|_| is_in_use(&config.store)));
    if !is_key_announced {
        findings.push(Finding::new(
            "log.key",
            true,
            "the log does not announce this key, since the journal was rolled back past its announcement: auditors refuse what it signs. Replace it at once (`renkei key rotate log`), tell them why, and give them the public halves of all keys (operations, section 8)".to_owned(),
            "ログにこの鍵の予告がありません（ジャーナルが予告より前の状態に戻されたためです）。この鍵の署名は監査人に受け入れられません。すぐに鍵を交換し（`renkei key rotate log`）、理由を監査人に伝え、すべての鍵の公開鍵を渡してください（運用手引きの8）".to_owned(),
        ));
    }
    findings
}

/// For how long entries may wait to be signed. It takes seconds where all is well.
const UNSIGNED_MINUTES_MAX: i64 = 10;

/// What is said where a broker serves and has not signed what it did since.
fn unsigned(now: Timestamp, since: Timestamp) -> Option<Finding> {
    let late = now.duration_since(since) > jiff::SignedDuration::from_mins(UNSIGNED_MINUTES_MAX);
    late.then(|| {
        Finding::new(
            "log.head",
            true,
            format!("the broker works, and nothing that it did since {since} is signed: look into the process log, which says why (a full disk, a folder of the log or of keys that cannot be written, witnesses that are not heard)"),
            format!("サーバーは動いていますが、{since} 以後の記録が署名されていません。動作ログで理由を確かめてください（ディスクの空き不足、書き込めないログや鍵のフォルダー、応答しない立会者など）"),
        )
    })
}

/// Whether enough witnesses have cosigned of late, where any have to.
fn witnesses(config: &BrokerConfig, now: Timestamp) -> Finding {
    let about = "witness";
    if config.keys.join("log.dispute").exists() {
        return Finding::new(
            about,
            true,
            "a witness knows another past of the log (keys/log.dispute), so the broker only reads. Stop it, keep store and keys, tell the auditor, put back the newest store and remove log.dispute; if what is lost cannot be had again, have the witness put its memory away, rename log.dispute to log.dispute.accepted and start; if nobody put anything back, replace the log's key at once after that (operations, section 9)".to_owned(),
            "立会者の知る過去とログが一致せず（keys/log.dispute）、読み取り専用です。サーバーを止め、ストアと鍵をそのまま保管し、監査人に連絡してください。最新のストアを戻せたら log.dispute を除いて起動します。失われた分を戻せないときは、立会者に記憶を移してもらい、log.dispute を log.dispute.accepted に改名して起動します。誰も戻していないのなら、その後すぐにログの鍵を交換してください（運用手引きの9）".to_owned(),
        );
    }
    let Some(witness) = &config.witness else {
        return Finding::new(
            about,
            false,
            "none is configured: only the operator's own word says that the log has one past"
                .to_owned(),
            "設定されていません。監査ログの過去が一つであることは運用者の言葉だけが頼りです"
                .to_owned(),
        );
    };
    let Ok(policy) = Policy::read(&witness.policy) else {
        return Finding::unusable(about, &witness.policy);
    };
    if !policy.needs_witnesses() {
        return Finding::new(
            about,
            false,
            "the policy asks for no cosignature (quorum none)".to_owned(),
            "方針は連署を求めていません（quorum none）".to_owned(),
        );
    }
    // What was cosigned last may be by a key that was replaced since.
    let keys = config.store_paths().log_verifiers().unwrap_or_default();
    let kept = fs_err::read(config.store.join("log/cosigned")).ok();
    let kept = kept.and_then(|note| SignedCheckpoint::open(&note, &keys).ok());
    let since = kept.and_then(|kept| policy.standing(&kept, None).ok()?.since);
    let since = since.and_then(|since| Timestamp::from_second(i64::try_from(since).ok()?).ok());
    let grace = witness.grace;
    match since {
        Some(since) if now.duration_since(since).unsigned_abs() <= grace => Finding::new(
            about,
            false,
            format!("enough witnesses have cosigned at {since}"),
            format!("{since} に必要数の立会者が連署しています"),
        ),
        Some(since) => Finding::new(
            about,
            true,
            format!(
                "enough witnesses have last cosigned at {since}, longer ago than the grace: nothing is released"
            ),
            format!("必要数の連署は {since} が最後で猶予を過ぎ、確定と書き出しが止まっています"),
        ),
        None => Finding::new(
            about,
            true,
            "too few witnesses have ever cosigned: nothing is released".to_owned(),
            "必要数の連署がまだなく、確定と書き出しはできません".to_owned(),
        ),
    }
}

/// Whether somebody holds roles that rules which take two people mean to part. A broker that does not answer is not a finding
/// about roles: what of it is broken, the others tell.
fn roles(found: Result<Vec<(String, String)>, Failure>) -> Vec<Finding> {
    let about = "roles";
    let found = match found {
        Ok(found) => found,
        Err(failure) => {
            let why = |language| failure.message(language);
            let english = format!("not looked at: {}", why(Language::English));
            let japanese = format!("確認できません: {}", why(Language::Japanese));
            return vec![Finding::new(about, false, english, japanese)];
        }
    };
    if found.is_empty() {
        let english = "nobody holds roles that two people should hold".to_owned();
        let japanese = "別々の人が持つべき役割を兼ねる人はいません".to_owned();
        return vec![Finding::new(about, false, english, japanese)];
    }
    let one = |(who, pairs): (String, String)| {
        let english = format!("{who} holds roles that two people should hold: {pairs}");
        Finding::new(about, true, english, format!("{who} が別々の人の役割を兼ねています: {pairs}"))
    };
    found.into_iter().map(one).collect()
}

#[cfg(unix)]
fn is_exposed(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &std::fs::Metadata) -> bool {
    false
}

fn print(findings: &[Finding], environment: &Environment) {
    let header = vec![
        environment.say("about", "対象"),
        environment.say("state", "状態"),
        environment.say("found", "結果"),
    ];
    let mut table = text_table(header, &[]);
    for finding in findings {
        let state = if finding.wrong {
            environment.say("act", "要対応")
        } else {
            environment.say("good", "良好")
        };
        let found = match environment.language {
            Language::English => &finding.english,
            Language::Japanese => &finding.japanese,
        };
        table.add_row(vec![finding.about.to_owned(), state.to_owned(), found.clone()]);
    }
    print_line!("{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broker_does_is_signed_within_minutes_or_somebody_has_to_act() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let since = at("2026-11-21T03:00:00Z");
        assert!(unsigned(at("2026-11-21T03:10:00Z"), since).is_none());
        let late = unsigned(at("2026-11-21T03:10:01Z"), since).expect("a finding");
        assert!(late.wrong && late.english.contains("2026-11-21T03:00:00Z"), "{}", late.english);
    }
}
