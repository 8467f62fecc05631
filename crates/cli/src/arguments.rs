//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use renkei_types::Language;

use crate::broker::BrokerCommand;
use crate::commands::check_config::CheckConfigArguments;
use crate::commands::pki::arguments::PkiCommand;
use crate::commands::roles::RolesArguments;
use crate::commands::selfcheck::SelfcheckArguments;
use crate::commands::serve::ServeArguments;
use crate::demo::DemoArguments;
use crate::shadow::Key;

/// Links lists to registers, and says why.
#[derive(Debug, Parser)]
#[command(name = "renkei", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Language of messages; the locale decides otherwise
    #[arg(long, global = true, value_enum)]
    pub(crate) lang: Option<LanguageArgument>,

    /// Print one JSON object to standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Whose certificate calls which broker
    #[arg(long = "as", global = true, value_name = "FILE.toml", env = "RENKEI_AS")]
    pub(crate) client_file: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A language on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LanguageArgument {
    /// English
    En,
    /// 日本語
    Ja,
}

impl From<LanguageArgument> for Language {
    fn from(argument: LanguageArgument) -> Self {
        match argument {
            LanguageArgument::En => Self::English,
            LanguageArgument::Ja => Self::Japanese,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Link the lines of a list to the records of a register
    Link(LinkArguments),
    /// Find the records of one file that are the same person
    Dedupe(DedupeArguments),
    /// Say why a line was linked to a record, or why not
    Explain(ExplainArguments),
    /// Measure predictions against a known truth, or say what to expect of them without one
    Evaluate(EvaluateArguments),
    /// Hold a result beside an older one: who is in one alone, who is paid otherwise, who twice
    Compare(CompareArguments),
    /// Make a synthetic register and payment list with known truth
    Generate(GenerateArguments),
    /// Examine a file for damage, wrong values and My Numbers
    Check(CheckArguments),
    /// Found a broker for a made-up city, and take a list through it from upload to bank file and audit
    Demo(DemoArguments),
    /// Run a broker
    Serve(ServeArguments),
    /// Check a broker's configuration
    CheckConfig(CheckConfigArguments),
    /// Issue, renew and revoke the certificates of brokers, systems and people
    Pki {
        /// What to do
        #[command(subcommand)]
        command: PkiCommand,
    },
    /// Look at what a broker needs to go on serving; exit with 1 if something ends soon, is missing or open to others
    Selfcheck(SelfcheckArguments),
    /// Say who may call what, and what takes two people
    Roles(RolesArguments),
    #[command(flatten)]
    Broker(BrokerCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// The two files and what they mean.
#[derive(Args, Debug)]
pub(crate) struct InputArguments {
    /// The register: who exists (CSV, XLSX, Parquet, or fixed-length with a layout)
    #[arg(long, value_name = "FILE")]
    pub(crate) register: PathBuf,

    /// The list whose lines are to be linked
    #[arg(long, value_name = "FILE")]
    pub(crate) list: PathBuf,

    /// What the columns mean (TOML); without it resident register and payment list
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,

    /// Layout of a fixed-length register (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) register_layout: Option<PathBuf>,

    /// Layout of a fixed-length list (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) list_layout: Option<PathBuf>,

    /// Number of threads; all processors otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Let several lines be linked to one record
    #[arg(long)]
    pub(crate) many_to_one: bool,
}

#[derive(Args, Debug)]
pub(crate) struct LinkArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// Where the links go, one row a line: .csv, .xlsx or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Also write every pair above the floor of the review band
    #[arg(long, value_name = "FILE")]
    pub(crate) candidates: Option<PathBuf>,

    /// Use this model as it is; without it one is trained on the two files
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,

    /// How many links made without a clerk one wrong link among them costs; decides what is linked
    #[arg(long, value_name = "LINKS", default_value_t = 2000, conflicts_with = "model",
          value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) false_link_cost: u32,

    /// What a person who is not found costs, in reviews; decides what is reviewed
    #[arg(long, value_name = "REVIEWS", default_value_t = 25, conflicts_with = "model",
          value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) missed_link_cost: u32,

    /// Write the model that was used
    #[arg(long, value_name = "FILE")]
    pub(crate) save_model: Option<PathBuf>,

    /// Write a report to look at
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Write what each blocking rule cost and brought: .json, .csv, .xlsx or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) blocking_report: Option<PathBuf>,

    /// Show values in the report instead of masking them
    #[arg(long, requires = "report")]
    pub(crate) with_records: bool,

    /// Add the list's own columns to the output
    #[arg(long)]
    pub(crate) keep_columns: bool,

    /// Exit with 1 if a line was rejected
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DedupeArguments {
    /// The file (CSV, XLSX, Parquet, or fixed-length with a layout)
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Where record and cluster ids go: .csv, .xlsx or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Also write every pair above the floor of the review band
    #[arg(long, value_name = "FILE")]
    pub(crate) pairs: Option<PathBuf>,

    /// What the columns mean (TOML); without it a resident register or a payment list
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,

    /// Layout of a fixed-length file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) layout: Option<PathBuf>,

    /// Number of threads; all processors otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Use this model as it is (`dedupe --save-model`); without it one is trained on the file
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,

    /// Two records are joined if they are one person with at least this probability
    #[arg(long, value_name = "P", default_value_t = 0.5, conflicts_with = "model",
          value_parser = probability)]
    pub(crate) threshold: f64,

    /// Write the model that was used
    #[arg(long, value_name = "FILE")]
    pub(crate) save_model: Option<PathBuf>,

    /// Exit with 1 if a record was rejected
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// The model that linked (`link --save-model`)
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// Id of the line
    pub(crate) list_id: String,

    /// Id of the record; the best candidate otherwise
    pub(crate) register_id: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct EvaluateArguments {
    /// Output of `link`, or its candidates file
    #[arg(long, value_name = "FILE")]
    pub(crate) predictions: PathBuf,

    /// Two columns: list id, register id (empty: nobody); without it only what is expected is told
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,

    /// Two columns: list id, error classes of the line
    #[arg(long, value_name = "FILE", requires = "truth")]
    pub(crate) classes: Option<PathBuf>,

    /// Exit with 1 unless each figure reaches its value, such as linked.precision=0.9995,best.f1=0.998;
    /// `review_share` must not exceed its value
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CompareArguments {
    /// The old result, made by hand or by another system
    #[arg(long, value_name = "FILE")]
    pub(crate) old: PathBuf,

    /// The new result: output of `link --keep-columns`, `job results` or `delivery read`, or any list
    #[arg(long, value_name = "FILE")]
    pub(crate) new: PathBuf,

    /// By what payees are told apart; the surest that both files have, unless given
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<Key>,

    /// Write everybody about whom the results differ
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Tell what each person is paid
    #[arg(long)]
    pub(crate) with_records: bool,
}

#[derive(Args, Debug)]
pub(crate) struct GenerateArguments {
    /// Residents in the register
    #[arg(long, value_name = "N")]
    pub(crate) residents: usize,

    /// Lines in the payment list
    #[arg(long, value_name = "N")]
    pub(crate) lines: usize,

    /// How many errors the list has
    #[arg(long, value_name = "MIX")]
    pub(crate) mix: MixArgument,

    /// The same seed gives the same files
    #[arg(long, value_name = "S")]
    pub(crate) seed: u64,

    /// Where residents.csv, payments.csv, truth.csv and classes.csv go
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// A mix of errors on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum MixArgument {
    /// A list as lists usually are
    Typical,
    /// A list with many errors
    Nasty,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// `resident`, `payment-list`, or a schema file (TOML); guessed from the header otherwise
    #[arg(long, value_name = "S")]
    pub(crate) schema: Option<String>,

    /// Layout of a fixed-length file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) layout: Option<PathBuf>,

    /// Write a copy in which what can be repaired without guessing is repaired
    #[arg(long, value_name = "FILE")]
    pub(crate) repair: Option<PathBuf>,
}

/// A probability between 0 and 1 that is neither.
fn probability(text: &str) -> Result<f64, &'static str> {
    let read = text.parse().ok().filter(|probability| (1e-6..=1.0 - 1e-6).contains(probability));
    read.ok_or("not a probability between 0.000001 and 0.999999")
}
