//! `renkei pki`: the certificates of brokers, systems and people.
//!
//! The ceremony is in `renkei-pki`; here it is asked for and told. Files are looked for before a certificate is issued, so
//! that none is recorded which could not be written.

pub(crate) mod arguments;
mod status;
pub(crate) mod system_entropy;

use std::num::NonZeroU16;
use std::path::Path;

use renkei_pki::{
    Authority, AuthorityFiles, CertificateFiles, CertificateRequest, ClientFile, Issued,
    IssuedCertificate, PkiError, Profile, Unparseable, Validity,
};
use renkei_types::{Classify, Kind, Language, Localised, Slug};
use serde_json::{Value, json};

use self::arguments::{
    CrlArguments, InitArguments, IssueArguments, PkiCommand, RenewArguments, RequestFileArguments,
    RevokeArguments,
};
use self::system_entropy::SystemEntropy;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::table_input::read_text;

pub(crate) fn run(command: &PkiCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        PkiCommand::Init(arguments) => init(arguments, environment),
        PkiCommand::Issue(arguments) => issue(arguments, environment),
        PkiCommand::Renew(arguments) => renew(arguments, environment),
        PkiCommand::Revoke(arguments) => revoke(arguments, environment),
        PkiCommand::Crl(arguments) => crl(arguments, environment),
        PkiCommand::Status(arguments) => status::run(arguments, environment),
    }
}

/// Errors of files are told as those of other commands.
pub(crate) fn told(error: PkiError) -> Failure {
    if let PkiError::File { file, source } = error {
        return CommandError::file(&file, source).into();
    }
    error.into()
}

fn validity(days: Option<NonZeroU16>) -> Validity {
    days.map_or(Validity::Standard, Validity::Days)
}

fn init(arguments: &InitArguments, environment: &Environment) -> Result<Exit, Failure> {
    let entropy = SystemEntropy::open()?;
    let (dir, domain) = (&arguments.dir, &arguments.trust_domain);
    let authority = Authority::init(dir, domain, &environment.clock, &entropy).map_err(told)?;
    let facts = authority.certificate_facts();
    let files = authority.files();
    if environment.json {
        json::print(&json!({
            "trust_domain": domain,
            "serial": facts.serial.to_string(),
            "not_before": facts.not_before.to_string(),
            "not_after": facts.not_after.to_string(),
            "certificate": text(&files.certificate),
            "key": text(&files.key),
            "crl": text(&files.crl),
            "issued": text(&files.issued),
        }));
    } else {
        let (dir, until) = (dir.display(), facts.not_after);
        environment.note(
            &format!("{dir}: authority of {domain}, valid until {until}. Give ca.crt to brokers and clients; ca.key never leaves this folder"),
            &format!("{dir}: {domain} の認証局を作成しました（{until} まで有効）。ca.crt はブローカーとクライアントに配布し、ca.key はこのフォルダーから出さないでください"),
        );
    }
    Ok(Exit::Done)
}

fn issue(arguments: &IssueArguments, environment: &Environment) -> Result<Exit, Failure> {
    let entropy = SystemEntropy::open()?;
    let profile = arguments.profile();
    let name = arguments.name.clone().unwrap_or_else(|| profile.default_name());
    let out = arguments.out.as_deref().unwrap_or(&arguments.dir);
    let files = CertificateFiles::new(out, &name);
    let mut authority =
        Authority::open(&arguments.dir, &environment.clock, &entropy).map_err(told)?;
    files.require_absent().map_err(told)?;
    if let Some(client_file) = &arguments.client_file {
        ClientFile::require_absent(client_file).map_err(told)?;
    }
    let validity = validity(arguments.days);
    let issued = match requested(&arguments.request)? {
        Some(request) => authority.issue_requested(&name, &profile, validity, &request),
        None => authority.issue_as(&name, &profile, validity),
    };
    let issued = issued.map_err(told)?;
    files.write(&issued).map_err(told)?;
    if let (Some(at), Some(address)) = (&arguments.client_file, &arguments.address) {
        let client = ClientFile {
            address: address.clone(),
            ca: authority.files().certificate.clone(),
            certificate: files.certificate.clone(),
            key: files.key.clone(),
            log_key: None,
        };
        client.write(at).map_err(told)?;
    }
    tell_issued(&authority, &issued, &files, arguments.client_file.as_deref(), environment)
}

fn renew(arguments: &RenewArguments, environment: &Environment) -> Result<Exit, Failure> {
    let entropy = SystemEntropy::open()?;
    let mut authority =
        Authority::open(&arguments.dir, &environment.clock, &entropy).map_err(told)?;
    let name = name_of(&authority, &arguments.name).map_err(told)?;
    let request = requested(&arguments.request)?;
    let files = match &arguments.out {
        Some(out) => CertificateFiles::new(out, &name),
        None => {
            let files = CertificateFiles::new(&arguments.dir, &name);
            if request.is_none() {
                files.require_present().map_err(told)?;
            }
            files
        }
    };
    let validity = validity(arguments.days);
    let issued = match request {
        Some(request) => authority.renew_requested(&arguments.name, validity, &request),
        None => authority.renew(&arguments.name, validity),
    };
    let issued = issued.map_err(told)?;
    files.write(&issued).map_err(told)?;
    tell_issued(&authority, &issued, &files, None, environment)
}

/// The request that was named, if it is for the key of which its owner told the fingerprint.
fn requested(arguments: &RequestFileArguments) -> Result<Option<CertificateRequest>, Failure> {
    let Some((csr, fingerprint)) = arguments.csr.as_deref().zip(arguments.fingerprint) else {
        return Ok(None);
    };
    let request = CertificateRequest::from_pem(&read_text(csr)?);
    let request = request.map_err(|source| RequestFileError { file: text(csr), source })?;
    if request.fingerprint() != fingerprint {
        return Err(PkiError::OtherFingerprint.into());
    }
    Ok(Some(request))
}

/// A file that holds no request.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {source}")]
struct RequestFileError {
    file: String,
    source: Unparseable,
}

impl Classify for RequestFileError {
    fn kind(&self) -> Kind {
        self.source.kind()
    }
}

impl Localised for RequestFileError {
    fn localised(&self, language: Language) -> String {
        format!("{}: {}", self.file, self.source.localised(language))
    }
}

/// The name under which a certificate is recorded.
fn name_of(authority: &Authority<'_>, name_or_serial: &str) -> Result<Slug, PkiError> {
    let found = authority.issued().find(name_or_serial)?;
    match found.last() {
        Some(entry) => Ok(entry.name.clone()),
        None => Err(PkiError::Unknown { file: authority.files().issued.clone() }),
    }
}

fn tell_issued(
    authority: &Authority<'_>,
    issued: &Issued,
    files: &CertificateFiles,
    client_file: Option<&Path>,
    environment: &Environment,
) -> Result<Exit, Failure> {
    if environment.json {
        let found = authority.issued().find(&issued.serial.to_string()).map_err(told)?;
        let mut value = found.last().map(|entry| certificate_json(entry)).unwrap_or_default();
        value["certificate"] = json!(text(&files.certificate));
        value["key"] = json!(issued.key_pem.is_some().then(|| text(&files.key)));
        value["client_file"] = json!(client_file.map(text));
        json::print(&value);
    } else {
        let (until, serial) = (issued.not_after, &issued.serial);
        let key = issued.key_pem.is_some().then_some(files.key.as_path());
        let written = [Some(files.certificate.as_path()), key, client_file];
        let written: Vec<String> = written.into_iter().flatten().map(text).collect();
        let written = written.join(" ");
        environment.note(
            &format!("{written}: serial number {serial}, valid until {until}"),
            &format!("{written}: シリアル番号 {serial}、{until} まで有効"),
        );
    }
    Ok(Exit::Done)
}

fn revoke(arguments: &RevokeArguments, environment: &Environment) -> Result<Exit, Failure> {
    let files = AuthorityFiles::new(&arguments.dir);
    let revoked: Vec<IssuedCertificate> = if arguments.yes {
        let entropy = SystemEntropy::open()?;
        let mut authority =
            Authority::open(&arguments.dir, &environment.clock, &entropy).map_err(told)?;
        authority.revoke(&arguments.name).map_err(told)?
    } else {
        files.certificate_facts().map_err(told)?;
        let record = files.issued_certificates().map_err(told)?;
        record.revocable(&arguments.name).map_err(told)?.into_iter().cloned().collect()
    };
    if environment.json {
        let list = files.crl_facts().map_err(told)?;
        json::print(&json!({
            "revoked": arguments.yes,
            "certificates": revoked.iter().map(certificate_json).collect::<Vec<_>>(),
            "crl": {
                "file": text(&files.crl),
                "number": list.number,
                "next_update": list.next_update.to_string(),
            },
        }));
    } else {
        for entry in &revoked {
            print_line!("{} {} {}", entry.name, entry.serial, holder(&entry.profile));
        }
    }
    let (count, list) = (revoked.len(), files.crl.display());
    if arguments.yes {
        environment.note(
            &format!("{count} revoked; give {list} to the brokers"),
            &format!("{count} 件を失効しました。{list} をブローカーに配布してください"),
        );
    } else {
        environment.note(
            &format!("{count} would be revoked, nothing was changed; repeat with --yes"),
            &format!("{count} 件が失効の対象です。まだ何も変更していません。実行するには --yes を付けてください"),
        );
    }
    Ok(Exit::Done)
}

fn crl(arguments: &CrlArguments, environment: &Environment) -> Result<Exit, Failure> {
    let entropy = SystemEntropy::open()?;
    let mut authority =
        Authority::open(&arguments.dir, &environment.clock, &entropy).map_err(told)?;
    let next = authority.next_crl_update(validity(arguments.days)).map_err(told)?;
    authority.crl_pem(next).map_err(told)?;
    let files = authority.files();
    if environment.json {
        let list = files.crl_facts().map_err(told)?;
        json::print(&json!({
            "file": text(&files.crl),
            "number": list.number,
            "revoked": list.revoked.len(),
            "next_update": list.next_update.to_string(),
        }));
    } else {
        let file = files.crl.display();
        environment.note(
            &format!("{file}: the next one is due by {next}; give this one to the brokers"),
            &format!("{file}: 次回更新期限 {next}。ブローカーに配布してください"),
        );
    }
    Ok(Exit::Done)
}

/// Whose a certificate is, in one line.
fn holder(profile: &Profile) -> String {
    match profile {
        Profile::Client { identity } => identity.to_string(),
        Profile::Broker { dns, ips } => {
            let names = dns.iter().map(ToString::to_string);
            names.chain(ips.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
        }
    }
}

fn certificate_json(entry: &IssuedCertificate) -> Value {
    let (profile, identity, dns, ips) = match &entry.profile {
        Profile::Broker { dns, ips } => ("broker", None, dns.as_slice(), ips.as_slice()),
        Profile::Client { identity } => ("client", Some(identity.to_string()), &[][..], &[][..]),
    };
    json!({
        "name": entry.name.as_str(),
        "profile": profile,
        "identity": identity,
        "dns": dns.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "ips": ips.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "serial": entry.serial.to_string(),
        "not_before": entry.not_before.to_string(),
        "not_after": entry.not_after.to_string(),
    })
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
