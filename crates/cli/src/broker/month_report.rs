//! `renkei audit report`: a month of the log in figures, of an exported log or as the broker answers.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use renkei_api::v1::QueryRequest;
use renkei_tlog::{Leaf, LogCopy, VerifierKey, verify_folder_by};
use renkei_types::Localised as _;

use super::error::BrokerError;
use super::new_file::NewFile;
use super::session::{self, Session};
use crate::commands::audit_verify::read_key;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::log_report::{Figures, Month, OfficeHours, Published, render};
use crate::progress::Progress;

/// Most leaves that one question answers.
const LEAVES_MAX: u32 = 10_000;

#[derive(Args, Debug)]
pub(crate) struct ReportArguments {
    /// Read this exported log, which is verified first, instead of asking the broker
    #[arg(value_name = "FOLDER", requires = "keys")]
    folder: Option<PathBuf>,
    /// The log's public key, as for `audit verify`
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// The month, in Japan
    #[arg(long, value_name = "YYYY-MM")]
    month: Month,
    /// Where the page goes, an HTML file that needs nothing else
    #[arg(long, value_name = "FILE.html")]
    output: Option<PathBuf>,
    #[command(flatten)]
    rules: ReportRules,
}

/// How a report counts, and what it shows.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReportRules {
    /// When offices are open
    #[arg(long, value_name = "HH:MM-HH:MM", default_value = "08:30-17:15")]
    office_hours: OfficeHours,
    /// Days on which they are closed beside Saturdays and Sundays
    #[arg(long, value_name = "DATE,...", value_delimiter = ',')]
    holiday: Vec<Date>,
    /// From so many look-ups within an hour on somebody is named under mass look-ups
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..))]
    mass: u64,
    /// Withhold nothing: for those who may see the log itself, not to be passed on
    #[arg(long)]
    exact: bool,
}

impl ReportRules {
    /// Nothing counted yet.
    pub(super) fn figures(&self, month: Month) -> Figures {
        let holidays = self.holiday.iter().copied().collect();
        Figures::new(month, OfficeHours { holidays, ..self.office_hours.clone() })
    }

    /// What is shown of figures.
    pub(super) fn published<'f>(&self, figures: &'f Figures) -> Published<'f> {
        Published::new(figures, self.exact, self.mass)
    }
}

pub(super) fn run(arguments: &ReportArguments, environment: &Environment) -> Result<Exit, Failure> {
    let figures = arguments.rules.figures(arguments.month);
    let Some(folder) = &arguments.folder else {
        return session::with(environment, async |session| {
            let figures = ask(session, arguments.month, figures).await?;
            show(&figures, arguments, environment)
        });
    };
    let keys: Vec<VerifierKey> =
        arguments.keys.iter().map(|file| read_key(file)).collect::<Result<_, _>>()?;
    let found = verify_folder_by(folder, &keys)?;
    if let Some(bad) = found.first_bad {
        let what = bad.localised(environment.language);
        environment.warn(&format!("damaged: {what}"), &format!("改変あり: {what}"));
        return Ok(Exit::FoundWrong);
    }
    let mut figures = figures;
    for leaf in LogCopy::open(folder, &keys)?.leaves() {
        count(&leaf?, &mut figures)?;
    }
    show(&figures, arguments, environment)
}

/// Counts a leaf.
fn count(leaf: &[u8], figures: &mut Figures) -> Result<(), Failure> {
    figures.add(&Leaf::parse(leaf)?);
    Ok(())
}

/// Has the broker answer the leaves of the month, page by page.
async fn ask(
    session: &Session<'_>,
    month: Month,
    mut figures: Figures,
) -> Result<Figures, Failure> {
    let (from, until) = month.bounds();
    let progress = Progress::lines(session.environment, "reading the log", "監査ログの取得", 0);
    let (mut next, mut all) = (0, 0);
    loop {
        let mut leaves = session
            .stream(QueryRequest {
                from: from.to_string(),
                until: until.to_string(),
                from_leaf: next,
                leaves_max: LEAVES_MAX,
                ..QueryRequest::default()
            })
            .await?;
        let mut page = 0;
        while let Some(answer) = leaves.next().await? {
            if answer.leaf_index < next {
                let what = "a leaf that comes before those of the page before";
                return Err(BrokerError::Answer { what }.into());
            }
            next = answer.leaf_index + 1;
            count(&answer.leaf, &mut figures)?;
            page += 1;
        }
        all += u64::from(page);
        progress.set(all);
        if page < LEAVES_MAX {
            return Ok(figures);
        }
    }
}

fn show(
    figures: &Figures,
    arguments: &ReportArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let published = arguments.rules.published(figures);
    if let Some(output) = &arguments.output {
        write(output, &render(&published, environment.language))?;
    }
    if environment.json {
        json::print(&published.json());
        return Ok(Exit::Done);
    }
    for (english, japanese, cell) in [
        ("look-ups", "照会", published.look_ups),
        ("off hours", "時間外の照会", published.off_hours),
        ("refusals", "拒否", published.refusals),
    ] {
        let withheld = environment.say("withheld", "非表示");
        let count = cell.shown().map_or(withheld.to_owned(), |count| count.to_string());
        print_line!("{}: {count}", environment.say(english, japanese));
    }
    for actor in published.actors.iter().filter(|actor| actor.mass) {
        let name = super::session::plain(actor.name);
        print_line!("{}: {name}", environment.say("mass look-ups", "大量照会"));
    }
    Ok(Exit::Done)
}

/// Writes a page whole.
fn write(output: &Path, page: &str) -> Result<(), Failure> {
    let mut file = NewFile::create(output)?;
    file.write(page.as_bytes())?;
    file.finish()
}
