//! `renkei pki status`: what was issued, and what expires.

use jiff::Timestamp;
use renkei_pki::{AuthorityFiles, IssuedCertificate, IssuedCertificates, State, expiry_notice};
use renkei_types::Clock;
use serde_json::{Value, json};

use super::arguments::StatusArguments;
use super::{certificate_json, holder, told};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

/// An authority takes longer to exchange than a certificate: everybody must be given the new one.
const AUTHORITY_SOON_DAYS: i64 = 180;
/// Half the life of a revocation list.
const CRL_SOON_DAYS: i64 = 15;

/// Something that ends.
struct Term {
    until: Timestamp,
    days_left: i64,
    state: State,
}

impl Term {
    fn new(now: Timestamp, until: Timestamp, soon_days: i64) -> Self {
        let days_left = until.duration_since(now).as_secs().div_euclid(24 * 60 * 60);
        Self { until, days_left, state: State::at(now, until, soon_days) }
    }
}

pub(super) fn run(arguments: &StatusArguments, environment: &Environment) -> Result<Exit, Failure> {
    let files = AuthorityFiles::new(&arguments.dir);
    let facts = files.certificate_facts().map_err(told)?;
    let list = files.crl_facts().map_err(told)?;
    let record = files.issued_certificates().map_err(told)?;
    let now = environment.clock.now();
    let authority = Term::new(now, facts.not_after, AUTHORITY_SOON_DAYS);
    let crl = Term::new(now, list.next_update, CRL_SOON_DAYS);
    if environment.json {
        let certificates = record.iter().map(|entry| entry_json(&record, entry, now));
        json::print(&json!({
            "authority": {
                "uri": facts.uris.first(),
                "serial": facts.serial.to_string(),
                "not_after": authority.until.to_string(),
                "days_left": authority.days_left,
                "notice_days": expiry_notice(now, authority.until),
                "state": authority.state.as_str(),
            },
            "crl": {
                "number": list.number,
                "revoked": list.revoked.len(),
                "next_update": crl.until.to_string(),
                "days_left": crl.days_left,
                "state": crl.state.as_str(),
            },
            "certificates": certificates.collect::<Vec<_>>(),
        }));
    } else {
        print(&record, &authority, &crl, now, environment);
    }
    warn(&authority, &crl, environment);
    warn_of_certificates(&record, now, environment);
    let expired = record.iter().any(|entry| record.state(entry, now) == State::Expired)
        || [authority.state, crl.state].contains(&State::Expired);
    Ok(if expired { Exit::FoundWrong } else { Exit::Done })
}

fn entry_json(record: &IssuedCertificates, entry: &IssuedCertificate, now: Timestamp) -> Value {
    let mut value = certificate_json(entry);
    value["days_left"] = json!(entry.days_left(now));
    value["notice_days"] = json!(notice(record, entry, now));
    value["state"] = json!(record.state(entry, now).as_str());
    value["revoked_at"] = json!(entry.revoked_at.map(|at| at.to_string()));
    value
}

/// The notice that is due of a certificate which nothing has replaced.
fn notice(record: &IssuedCertificates, entry: &IssuedCertificate, now: Timestamp) -> Option<u16> {
    match record.state(entry, now) {
        State::Valid | State::ExpiresSoon | State::Expired => expiry_notice(now, entry.not_after),
        State::Replaced | State::Revoked => None,
    }
}

fn print(
    record: &IssuedCertificates,
    authority: &Term,
    crl: &Term,
    now: Timestamp,
    environment: &Environment,
) {
    let header = vec![
        environment.say("name", "名前"),
        environment.say("identity", "識別名"),
        environment.say("serial", "シリアル番号"),
        environment.say("not after", "有効期限"),
        environment.say("days left", "残り日数"),
        environment.say("state", "状態"),
    ];
    let mut table = text_table(header, &[4]);
    for (name, term) in [("ca.crt", authority), ("crl.pem", crl)] {
        table.add_row(vec![
            name.to_owned(),
            String::new(),
            String::new(),
            term.until.to_string(),
            term.days_left.to_string(),
            state(term.state, environment).to_owned(),
        ]);
    }
    for entry in record.iter() {
        table.add_row(vec![
            entry.name.to_string(),
            holder(&entry.profile),
            entry.serial.to_string(),
            entry.not_after.to_string(),
            entry.days_left(now).to_string(),
            state(record.state(entry, now), environment).to_owned(),
        ]);
    }
    print_line!("{table}");
}

fn state(state: State, environment: &Environment) -> &'static str {
    let japanese = match state {
        State::Valid => "有効",
        State::ExpiresSoon => "まもなく期限",
        State::Expired => "期限切れ",
        State::Replaced => "更新済み",
        State::Revoked => "失効",
    };
    environment.language.pick(state.as_str(), japanese)
}

/// Names those that end soon, the first to end first.
fn warn_of_certificates(record: &IssuedCertificates, now: Timestamp, environment: &Environment) {
    let mut ending: Vec<_> =
        record.iter().filter(|entry| notice(record, entry, now).is_some()).collect();
    ending.sort_by_key(|entry| entry.not_after);
    for entry in ending {
        let (name, until, days) = (&entry.name, entry.not_after, entry.days_left(now));
        if days < 0 {
            environment.warn(
                &format!("{name} has ended ({until}): renew or revoke it"),
                &format!("{name} は期限切れです（{until}）。更新または失効してください"),
            );
        } else {
            environment.warn(
                &format!("{name} ends in {days} days ({until}): renew it"),
                &format!("{name} の期限まであと {days} 日です（{until}）。更新してください"),
            );
        }
    }
}

fn warn(authority: &Term, crl: &Term, environment: &Environment) {
    if authority.state != State::Valid {
        environment.warn(
            "the authority ends soon or has ended: make a new one, and let brokers and clients trust both until all certificates are exchanged",
            "認証局の期限が近いか、切れています。新しい認証局を作成し、すべての証明書を交換するまで両方を信頼させてください",
        );
    }
    if crl.state != State::Valid {
        environment.warn(
            "the revocation list is due: run `renkei pki crl` and give the new list to the brokers; after its end they refuse everybody",
            "失効リストの更新時期です。`renkei pki crl` を実行し、新しいリストをブローカーに配布してください。期限後はすべての接続が拒否されます",
        );
    }
}
