//! `renkei audit hand-over`: everything that an audit office keeps of a year, in one folder.
//!
//! ```text
//! DIR/log/            the bundle       DIR/reports/        the months of the fiscal year
//! DIR/log.vkey        its public key   DIR/verify_log.py   a check without renkei
//! DIR/policy          who must sign    DIR/README.*.md     how to check
//! DIR/leaf.schema.json                 DIR/SHA256SUMS      the digest of every other file
//! ```
//! Invariant: the folder appears when all of it is written and the log in it has been verified, or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use renkei_api::hex;
use renkei_api::v1::ExportBundleRequest;
use renkei_tlog::{Leaf, LogCopy, VerifierKey, verify_folder_by};
use renkei_types::{Clock as _, Digest, Language, Localised as _};
use serde_json::json;

use super::bundle::NewBundle;
use super::error::BrokerError;
use super::month_report::ReportRules;
use super::session::{self, Session};
use crate::commands::audit_verify::read_key;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::log_report::{Figures, Month, render};

/// What is the same in every folder.
const FIXED: [(&str, &str); 5] = [
    ("README.en.md", include_str!("../../../../docs/auditor/hand-over.en.md")),
    ("README.ja.md", include_str!("../../../../docs/auditor/hand-over.ja.md")),
    ("leaf.schema.json", include_str!("../../../../docs/auditor/leaf.schema.json")),
    ("requirements.txt", include_str!("../../../../docs/auditor/requirements.txt")),
    ("verify_log.py", include_str!("../../../../docs/auditor/verify_log.py")),
];

const SUMS: &str = "SHA256SUMS";

#[derive(Args, Debug)]
pub(crate) struct HandOverArguments {
    /// The fiscal year, by the year in which its April lies
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1970..=9998))]
    year: i16,
    /// The folder; must be absent or empty
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// The log's public key, as its operator handed it over. After a rotation the older key first
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,
    /// The policy by which witnesses sign, where there is one
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    rules: ReportRules,
}

pub(super) fn run(
    arguments: &HandOverArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let keys: Vec<VerifierKey> =
        arguments.keys.iter().map(|file| read_key(file)).collect::<Result<_, _>>()?;
    session::with(environment, async |session| hand_over(session, arguments, &keys).await)
}

async fn hand_over(
    session: &Session<'_>,
    arguments: &HandOverArguments,
    keys: &[VerifierKey],
) -> Result<Exit, Failure> {
    let environment = session.environment;
    let begins_later = |year: i16| {
        let april = Month::of_fiscal_year(year).next().and_then(|april| april.days().next());
        april.is_some_and(|first| environment.clock.today() < first)
    };
    if begins_later(arguments.year) {
        return Err(BrokerError::YearNotBegun { year: arguments.year }.into());
    }
    let folder = NewFolder::create(&arguments.output)?;
    let log = folder.beside.join("log");
    // Of a year that goes on there is no final checkpoint yet.
    let goes_on = begins_later(arguments.year + 1);
    let year = u32::try_from(arguments.year).ok().filter(|_| !goes_on);
    let call = ExportBundleRequest { fiscal_year: year.unwrap_or_default(), cosigned: false };
    super::audit::receive(session, NewBundle::create(&log)?, call).await?;
    if goes_on {
        environment.warn(
            "the fiscal year goes on: this is its log so far; hand it over again when it has ended",
            "年度の途中です。現時点までのログです。年度が終わってから、あらためて引き渡してください",
        );
    }
    let found = verify_folder_by(&log, keys)?;
    if let Some(bad) = found.first_bad {
        let what = bad.localised(environment.language);
        environment.warn(
            &format!("damaged: {what}; nothing was handed over"),
            &format!("改変あり: {what}。引き渡し用のフォルダーは作成していません"),
        );
        return Ok(Exit::FoundWrong);
    }
    // A key file is one line. The newest key signs; older ones announced it, each the next.
    if let Some((newest, older)) = keys.split_last() {
        folder.write("log.vkey", format!("{newest}\n").as_bytes())?;
        for (number, key) in (1..).zip(older) {
            folder.write(&format!("older-{number}.vkey"), format!("{key}\n").as_bytes())?;
        }
    }
    folder.write("policy", policy(arguments, keys)?.as_bytes())?;
    for (name, text) in FIXED {
        folder.write(name, text.as_bytes())?;
    }
    let months = reports(&folder, &LogCopy::open(&log, keys)?, arguments, environment)?;
    let files = folder.finish()?;
    let root = found.root.map(|root| root.to_string()).unwrap_or_default();
    let (size, name) = (found.size, arguments.output.display().to_string());
    if environment.json {
        json::print(&json!({
            "output": name,
            "year": arguments.year,
            "ended": !goes_on,
            "files": files,
            "months": months,
            "size": size,
            "root": root,
        }));
    }
    environment.note(
        &format!(
            "{name}: {size} entries, root {root}, verified; check it anywhere as README.en.md says"
        ),
        &format!("{name}: {size} 件、ルート {root}、検証済み。確かめ方は README.ja.md にあります"),
    );
    Ok(Exit::Done)
}

/// The policy that was given; else the newest key alone signs.
fn policy(arguments: &HandOverArguments, keys: &[VerifierKey]) -> Result<String, Failure> {
    match &arguments.policy {
        Some(file) => crate::table_input::read_text(file),
        None => Ok(keys.last().map_or_else(String::new, |key| format!("log {key}\nquorum none\n"))),
    }
}

/// Writes a report for each month of the fiscal year that has begun; answers how many.
fn reports(
    folder: &NewFolder,
    log: &LogCopy,
    arguments: &HandOverArguments,
    environment: &Environment,
) -> Result<usize, Failure> {
    let today = environment.clock.today();
    let begun = |month: &Month| month.days().next().is_some_and(|first| first <= today);
    let months = Month::of_fiscal_year(arguments.year).filter(begun);
    let mut figures: Vec<Figures> = months.map(|month| arguments.rules.figures(month)).collect();
    for leaf in log.leaves() {
        let leaf = Leaf::parse(&leaf?)?;
        figures.iter_mut().for_each(|figures| figures.add(&leaf));
    }
    for figures in &figures {
        let published = arguments.rules.published(figures);
        let name = |ending: &str| format!("reports/{}.{ending}", figures.month);
        folder.write(&name("json"), format!("{}\n", published.json()).as_bytes())?;
        for (language, ending) in [(Language::English, "en.html"), (Language::Japanese, "ja.html")]
        {
            folder.write(&name(ending), render(&published, language).as_bytes())?;
        }
    }
    Ok(figures.len())
}

/// A folder on its way, under a name of its own beside the one that it will have.
struct NewFolder {
    target: PathBuf,
    beside: PathBuf,
}

impl NewFolder {
    fn create(target: &Path) -> Result<Self, Failure> {
        let unwritable = |error| CommandError::file(target, error);
        if target.symlink_metadata().is_ok() {
            if fs_err::read_dir(target).map_err(unwritable)?.next().is_some() {
                let folder = target.display().to_string();
                return Err(BrokerError::FolderInUse { folder }.into());
            }
            fs_err::remove_dir(target).map_err(unwritable)?;
        }
        let mut beside = target.components().collect::<PathBuf>().into_os_string();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        fs_err::create_dir(&beside).map_err(|error| CommandError::file(&beside, error))?;
        Ok(Self { target: target.to_owned(), beside })
    }

    /// Writes a file; its folder is made where it is missing.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let place = self.beside.join(name);
        let parent = place.parent().unwrap_or(&self.beside);
        let written = fs_err::create_dir_all(parent).and_then(|()| fs_err::write(&place, bytes));
        Ok(written.map_err(|error| CommandError::file(&place, error))?)
    }

    /// Writes the list of digests and gives the folder its name; answers how many files it has.
    fn finish(self) -> Result<usize, Failure> {
        let mut sums = BTreeMap::new();
        digests(&self.beside, "", &mut sums)?;
        let lines: Vec<String> = sums
            .iter()
            .map(|(name, digest)| format!("{}  {name}\n", hex(digest.as_bytes())))
            .collect();
        self.write(SUMS, lines.concat().as_bytes())?;
        let named = fs_err::rename(&self.beside, &self.target);
        named.map_err(|error| CommandError::file(&self.target, error))?;
        Ok(sums.len() + 1)
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // Gone where it was given its name. Best effort: the error that matters is the one that stopped the command.
        let _ = fs_err::remove_dir_all(&self.beside);
    }
}

/// The digest of every file of a folder, by its path with slashes.
fn digests(
    folder: &Path,
    prefix: &str,
    sums: &mut BTreeMap<String, Digest>,
) -> Result<(), Failure> {
    let unreadable = |error| CommandError::file(folder, error);
    for entry in fs_err::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            digests(&path, &format!("{name}/"), sums)?;
        } else {
            let bytes = fs_err::read(&path).map_err(|error| CommandError::file(&path, error))?;
            sums.insert(name, Digest::of(&bytes));
        }
    }
    Ok(())
}
