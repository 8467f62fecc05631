//! `renkei programme`: benefits and their rules.
//!
//! ```toml
//! agency = "131016/benefits"
//! name = "relief-2026"
//! title = "物価高騰対応給付金"
//! base_date = "2026-06-01"
//! unit = "household"              # or person
//! line_yen_max = 100000
//! transfer_date = "2026-12-01"
//! decline_until = "2026-11-20"    # 辞退: nothing of a push list is certified before the day after
//! [amount]                        # fixed = 50000; or, for each child or member:
//! each = 20000
//! at_most = 12
//! [change_limits]                 # a corrected list beyond them is put on hold
//! vanished_percent = 10
//! total_percent = 20
//! [consignor]                     # only where a bank's transfer file is needed
//! code = "0000000001"
//! name_kana = "ﾚﾝｹｲｼ"
//! bank_code = "0001"
//! branch_code = "001"
//! account_type = 1
//! account_number = "0000001"
//! ```
//! What the options say wins over the file; the consignor stands in the file only.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum as _};
use jiff::civil::Date;
use renkei_api::v1::amount_rule::Rule;
use renkei_api::v1::{
    AmountRule, ChangeLimits, Consignor, CreateProgrammeRequest, DivideRequest, DividedPerson,
    DivisionKind, EachAmount, ExcludeRequest, ExclusionReason, GetProgrammeRequest, HoldRequest,
    PayeeUnit, Programme, ReadmitRequest, ReconcileRequest, ReleaseHoldRequest, Stop, Unusual,
};
use renkei_tables::{ReadOptions, TableReader, built_in_column};
use renkei_types::{AgencyId, ListId, ProgrammeId, Yen};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::BrokerError;
use super::names::{DivisionArgument, ExclusionArgument, UnitArgument, short};
use super::session::{self, RequestArgument, plain, totals_json};
use super::sheet;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::table_input::read_text;

#[derive(Debug, Subcommand)]
pub(crate) enum ProgrammeCommand {
    /// Set a benefit up
    Create {
        #[command(flatten)]
        rules: RulesArguments,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Show a programme
    Show {
        /// The programme
        programme: ProgrammeId,
    },
    /// Show lines and yen of all its lists at every step, at one moment
    Reconcile {
        /// The programme
        programme: ProgrammeId,
        /// Write the sheet (.html, .xlsx, .csv, .parquet or .json)
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Leave payees out of every list: they have declined, or are paid elsewhere
    Exclude {
        /// The programme
        programme: ProgrammeId,
        /// A table with 宛名番号 or 世帯番号
        file: PathBuf,
        /// Why
        #[arg(long)]
        reason: ExclusionArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Count persons to other households than the register does, where households are paid
    Divide {
        /// The programme
        programme: ProgrammeId,
        /// A table with 宛名番号 and 世帯番号: the person, and the household that is paid for the person
        file: PathBuf,
        /// Why
        #[arg(long)]
        kind: DivisionArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Take payees off the exclusions again: the first of two people signs, another readmits them
    Readmit {
        /// The programme
        programme: ProgrammeId,
        /// A table with 宛名番号 or 世帯番号, the same for both
        file: PathBuf,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Stop releases at once
    Hold(HoldArguments),
    /// Lift a hold: the first of two people signs, another lifts it
    ReleaseHold(HoldArguments),
}

#[derive(Args, Debug)]
pub(crate) struct HoldArguments {
    /// The programme
    programme: ProgrammeId,
    /// Only one list of it
    #[arg(long, value_name = "ID")]
    list: Option<ListId>,
    /// Only one payee of it: an id of a person or household in the register
    #[arg(long, value_name = "ID", conflicts_with = "list")]
    payee: Option<String>,
    #[command(flatten)]
    request: RequestArgument,
}

#[derive(Args, Debug, Default)]
pub(crate) struct RulesArguments {
    /// The rules (TOML); options win over it
    #[arg(value_name = "FILE.toml")]
    file: Option<PathBuf>,
    /// The agency that pays
    #[arg(long, value_name = "AGENCY")]
    agency: Option<AgencyId>,
    /// A short name, unique within the agency
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Base date (基準日)
    #[arg(long, value_name = "DATE")]
    base_date: Option<Date>,
    /// Whom it pays
    #[arg(long)]
    unit: Option<UnitArgument>,
    /// Most yen that one line may pay
    #[arg(long, value_name = "YEN")]
    line_yen_max: Option<u64>,
    /// Day of the transfers
    #[arg(long, value_name = "DATE")]
    transfer_date: Option<Date>,
}

/// The file of a programme.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    agency: Option<AgencyId>,
    name: Option<String>,
    title: Option<String>,
    base_date: Option<String>,
    unit: Option<String>,
    line_yen_max: Option<u64>,
    transfer_date: Option<String>,
    decline_until: Option<String>,
    amount: Option<AmountFile>,
    change_limits: Option<LimitsFile>,
    consignor: Option<ConsignorFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountFile {
    fixed: Option<u64>,
    each: Option<u64>,
    at_most: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    vanished_percent: u32,
    total_percent: u32,
}

/// The amount rule of a file: one of the two.
fn amount(file: AmountFile, path: &Path) -> Result<AmountRule, BrokerError> {
    let rule = match file {
        AmountFile { fixed: Some(yen), each: None, at_most: None } => Rule::FixedYen(yen),
        AmountFile { fixed: None, each: Some(yen), at_most: Some(most) } => {
            Rule::Each(EachAmount { yen, most })
        }
        _ => {
            return Err(BrokerError::ProgrammeFile {
                file: path.display().to_string(),
                line: None,
                what: "[amount] has fixed, or each and at_most".to_owned(),
            });
        }
    };
    Ok(AmountRule { rule: Some(rule) })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsignorFile {
    code: String,
    name_kana: String,
    bank_code: String,
    branch_code: String,
    account_type: u32,
    account_number: String,
}

impl From<ConsignorFile> for Consignor {
    fn from(file: ConsignorFile) -> Self {
        Self {
            code: file.code,
            name_kana: file.name_kana,
            bank_code: file.bank_code,
            branch_code: file.branch_code,
            account_type: file.account_type,
            account_number: file.account_number,
        }
    }
}

impl RulesArguments {
    fn programme(&self) -> Result<Programme, Failure> {
        let file = match &self.file {
            Some(path) => parse(&read_text(path)?, path)?,
            None => RulesFile::default(),
        };
        let unit = match (self.unit, &file.unit, &self.file) {
            (Some(unit), _, _) => Some(unit),
            (None, Some(name), Some(path)) => Some(unit_of(name, path)?),
            (None, _, _) => None,
        };
        let unit: PayeeUnit = needed(unit, "unit")?.into();
        // The broker is the judge of days in a file, and names the field.
        let day = |given: Option<Date>, in_file: Option<String>| {
            given.map(|date| date.to_string()).or(in_file)
        };
        let amount = match (file.amount, &self.file) {
            (Some(given), Some(path)) => Some(amount(given, path)?),
            (_, _) => None,
        };
        let limits = |limits: LimitsFile| ChangeLimits {
            vanished_percent: limits.vanished_percent,
            total_percent: limits.total_percent,
        };
        Ok(Programme {
            amount,
            change_limits: file.change_limits.map(limits),
            decline_until: file.decline_until.unwrap_or_default(),
            agency: needed(self.agency.clone().or(file.agency), "agency")?.to_string(),
            name: needed(self.name.clone().or(file.name), "name")?,
            title: needed(self.title.clone().or(file.title), "title")?,
            base_date: needed(day(self.base_date, file.base_date), "base-date")?,
            unit: unit.into(),
            line_yen_max: needed(self.line_yen_max.or(file.line_yen_max), "line-yen-max")?,
            transfer_date: needed(day(self.transfer_date, file.transfer_date), "transfer-date")?,
            consignor: file.consignor.map(Consignor::from),
            ..Programme::default()
        })
    }
}

fn needed<T>(value: Option<T>, option: &'static str) -> Result<T, BrokerError> {
    value.ok_or(BrokerError::OptionMissing { option })
}

fn unit_of(name: &str, path: &Path) -> Result<UnitArgument, BrokerError> {
    UnitArgument::from_str(name, false).map_err(|_| BrokerError::ProgrammeFile {
        file: path.display().to_string(),
        line: None,
        what: "unit is person or household".to_owned(),
    })
}

fn parse(text: &str, path: &Path) -> Result<RulesFile, BrokerError> {
    toml::from_str(text).map_err(|error| BrokerError::ProgrammeFile {
        file: path.display().to_string(),
        line: error.span().map(|span| text[..span.start].matches('\n').count() + 1),
        what: error.message().to_owned(),
    })
}

pub(super) fn run(command: &ProgrammeCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        ProgrammeCommand::Create { rules, request } => {
            let programme = rules.programme()?;
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let call = CreateProgrammeRequest {
                    request_id: id.to_string(),
                    programme: Some(programme),
                };
                let answer = session.change(&id, call).await?;
                let object = json!({
                    "programme_id": answer.programme_id,
                    "dataset_id": answer.dataset_id,
                });
                Ok(session.done(object, &answer.programme_id, answer.receipt.as_ref()))
            })
        }
        ProgrammeCommand::Show { programme } => session::with(environment, async |session| {
            let call = GetProgrammeRequest { programme_id: programme.to_string() };
            let programme = session.ask(call).await?.programme.unwrap_or_default();
            if environment.json {
                json::print(&programme_json(&programme));
            } else {
                show(&programme, environment);
            }
            Ok(Exit::Done)
        }),
        ProgrammeCommand::Reconcile { programme, output } => {
            session::with(environment, async |session| {
                let programme_id = programme.to_string();
                let call = ReconcileRequest { programme_id, ..ReconcileRequest::default() };
                sheet::run(session, call, output.as_deref()).await
            })
        }
        ProgrammeCommand::Exclude { programme, file, reason, request } => {
            let payees = ids(file)?;
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let call = ExcludeRequest {
                    request_id: id.to_string(),
                    programme_id: programme.to_string(),
                    reason: ExclusionReason::from(*reason).into(),
                    payees,
                };
                let answer = session.change(&id, call).await?;
                let (payees, late) = (answer.payees, answer.already_certified);
                environment.note(
                    &format!("{payees} payees are left out from now on"),
                    &format!("{payees} 件を今後の支給から除きます"),
                );
                if late > 0 {
                    environment.warn(
                        &format!("{late} payments to them are certified already and stand; stop them with `renkei programme hold` where they are not out yet"),
                        &format!("このうち {late} 件は既に確定済みです。未配信であれば `renkei programme hold` で止めてください"),
                    );
                }
                let object = json!({"payees": payees, "already_certified": late});
                Ok(session.done(object, "", answer.receipt.as_ref()))
            })
        }
        ProgrammeCommand::Divide { programme, file, kind, request } => {
            let persons = divided(file)?;
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let call = DivideRequest {
                    request_id: id.to_string(),
                    programme_id: programme.to_string(),
                    kind: DivisionKind::from(*kind).into(),
                    persons,
                };
                let answer = session.change(&id, call).await?;
                let (persons, late) = (answer.persons, answer.already_certified);
                environment.note(
                    &format!(
                        "{persons} persons are counted to the households of the file from now on"
                    ),
                    &format!("{persons} 人を、今後はファイルの世帯として扱います"),
                );
                if late > 0 {
                    environment.warn(
                        &format!("{late} payments to them are certified already and stand"),
                        &format!("このうち {late} 件は既に確定済みで、そのまま残ります"),
                    );
                }
                let object = json!({"persons": persons, "already_certified": late});
                Ok(session.done(object, "", answer.receipt.as_ref()))
            })
        }
        ProgrammeCommand::Readmit { programme, file, request } => {
            let payees = ids(file)?;
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let call = ReadmitRequest {
                    request_id: id.to_string(),
                    programme_id: programme.to_string(),
                    payees,
                };
                let answer = session.change(&id, call).await?;
                let (payees, open) = (answer.payees, session.totals(answer.open_again.as_ref()));
                if answer.readmitted {
                    environment.note(
                        &format!("{payees} payees are no longer excluded; open again: {open}"),
                        &format!("{payees} 件の除外を取り消しました。再び支給できる行: {open}"),
                    );
                } else {
                    environment.warn(
                        &format!("signed; {payees} payees stay excluded until another person readmits them with the same file (open again then: {open})"),
                        &format!("一人目として署名しました。別の人が同じファイルで取り消すまで {payees} 件は除外されたままです（取り消すと再び支給できる行: {open}）"),
                    );
                }
                let object = json!({
                    "programme_id": programme.to_string(),
                    "readmitted": answer.readmitted,
                    "payees": payees,
                    "open_again": totals_json(answer.open_again.as_ref()),
                });
                Ok(session.done(object, "", answer.receipt.as_ref()))
            })
        }
        ProgrammeCommand::Hold(arguments) => session::with(environment, async |session| {
            let id = session.request_id(arguments.request);
            let call = HoldRequest {
                request_id: id.to_string(),
                programme_id: arguments.programme.to_string(),
                list_id: arguments.list.map(|list| list.to_string()).unwrap_or_default(),
                payee: arguments.payee.clone().unwrap_or_default(),
            };
            let answer = session.change(&id, call).await?;
            environment.note(
                "stopped; two people lift it with `renkei programme release-hold`",
                "支払を停止しました。解除は2人が `renkei programme release-hold` で行います",
            );
            let object = json!({
                "programme_id": arguments.programme.to_string(),
                "list_id": arguments.list.map(|list| list.to_string()),
                "on_hold": true,
            });
            Ok(session.done(object, "", answer.receipt.as_ref()))
        }),
        ProgrammeCommand::ReleaseHold(arguments) => {
            session::with(environment, async |session| {
                let id = session.request_id(arguments.request);
                let call = ReleaseHoldRequest {
                    request_id: id.to_string(),
                    programme_id: arguments.programme.to_string(),
                    list_id: arguments.list.map(|list| list.to_string()).unwrap_or_default(),
                    payee: arguments.payee.clone().unwrap_or_default(),
                };
                let answer = session.change(&id, call).await?;
                let released = answer.batch_ids.len();
                if answer.lifted {
                    environment.note(
                    &format!("lifted; {released} batches are released by it"),
                    &format!("停止を解除しました。これにより {released} 件の確定対象を支払に回しました"),
                );
                } else {
                    environment.warn(
                        "signed; the hold stands until another person lifts it too",
                        "一人目として署名しました。別の人がもう一度解除するまで停止は続きます",
                    );
                }
                let object = json!({
                    "programme_id": arguments.programme.to_string(),
                    "list_id": arguments.list.map(|list| list.to_string()),
                    "on_hold": !answer.lifted,
                    "batch_ids": answer.batch_ids,
                });
                Ok(session.done(object, &answer.batch_ids.join("\n"), answer.receipt.as_ref()))
            })
        }
    }
}

/// The ids of a table of payees: of households where it has them, else of persons.
fn ids(path: &Path) -> Result<Vec<String>, Failure> {
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let column = ["household_id", "resident_id"]
        .iter()
        .find_map(|column| built_in_column(reader.header(), column));
    let column = column.ok_or(BrokerError::PayeeColumn { file: path.display().to_string() })?;
    let mut ids = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        ids.extend((0..batch.rows()).map(|row| batch.cell(column, row).trim().to_owned()));
    }
    Ok(ids)
}

/// The persons of a table, each with the household that is paid for the person.
fn divided(path: &Path) -> Result<Vec<DividedPerson>, Failure> {
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let columns = ["resident_id", "household_id"].map(|it| built_in_column(reader.header(), it));
    let [Some(person), Some(household)] = columns else {
        return Err(BrokerError::DivisionColumns { file: path.display().to_string() }.into());
    };
    let mut persons = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        persons.extend((0..batch.rows()).map(|row| DividedPerson {
            register_id: batch.cell(person, row).trim().to_owned(),
            household_id: batch.cell(household, row).trim().to_owned(),
        }));
    }
    Ok(persons)
}

/// A hold in words.
fn stop_text(stop: &Stop, environment: &Environment) -> String {
    let unusual =
        |found: Unusual| match found {
            Unusual::PayeesVanished => environment.say("many lines are gone", "消えた行が多い"),
            Unusual::TotalMoved => environment.say("the sum moved much", "合計が大きく変わった"),
            Unusual::LineIsTotal => environment
                .say("one line is as much as a whole list", "1行の金額がリスト全体に等しい"),
            Unusual::OneAccount => environment
                .say("most lines pay into one account", "過半の行が同じ口座に振り込まれる"),
            Unusual::Unspecified => "?",
        };
    let reasons: Vec<&str> = stop.unusual().map(unusual).collect();
    let by = match stop.placed_by.as_str() {
        "" => environment.say("the broker", "連携サーバー").to_owned(),
        by => plain(by),
    };
    let mut text = format!("{} ({by})", environment.say("stopped", "停止中"));
    if !reasons.is_empty() {
        text = format!("{text}: {}", reasons.join(environment.say(", ", "、")));
    }
    if !stop.lifted_by.is_empty() {
        let first = plain(&stop.lifted_by);
        let signed = environment.say("lifting signed by", "解除の一人目");
        text = format!("{text}; {signed} {first}");
    }
    text
}

fn unit_name(programme: &Programme) -> &'static str {
    short(programme.unit().as_str_name(), "PAYEE_UNIT_")
}

fn show(programme: &Programme, environment: &Environment) {
    let hold = match &programme.stop {
        Some(stop) => stop_text(stop, environment),
        None => environment.say("released when certified", "確定後に支払").to_owned(),
    };
    let amount = match programme.amount.as_ref().and_then(|amount| amount.rule.as_ref()) {
        None => environment.say("any", "定めなし").to_owned(),
        Some(Rule::FixedYen(yen)) => Yen(*yen).to_string(),
        Some(Rule::Each(each)) => {
            format!("{} × 1–{}", Yen(each.yen), each.most)
        }
    };
    let excluded: u64 = programme.exclusions.iter().map(|exclusion| exclusion.payees).sum();
    let readmitted = programme.readmissions.iter().filter(|one| !one.second.is_empty());
    let readmitted: u64 = readmitted.map(|one| one.payees).sum();
    let rows = [
        (environment.say("programme", "給付事業"), plain(&programme.programme_id)),
        (environment.say("agency", "実施機関"), plain(&programme.agency)),
        (environment.say("name", "略称"), plain(&programme.name)),
        (environment.say("title", "名称"), plain(&programme.title)),
        (environment.say("base date", "基準日"), plain(&programme.base_date)),
        (environment.say("unit", "支給単位"), unit_name(programme).to_owned()),
        (
            environment.say("yen at most", "一件の上限（円）"),
            Yen(programme.line_yen_max).to_string(),
        ),
        (environment.say("yen of a line", "一件の金額（円）"), amount),
        (environment.say("may decline until", "辞退の期限"), plain(&programme.decline_until)),
        (environment.say("excluded payees", "除外"), excluded.to_string()),
        (environment.say("of these readmitted", "うち除外取消"), readmitted.to_string()),
        (environment.say("transfer date", "振込日"), plain(&programme.transfer_date)),
        (environment.say("dataset", "データセット"), plain(&programme.dataset_id)),
        (environment.say("releases", "支払"), hold),
        (environment.say("lists", "リスト"), plain(&programme.list_ids.join(" "))),
    ];
    for (name, value) in rows {
        print_line!("{name}: {value}");
    }
}

pub(super) fn stop_json(stop: &Stop) -> Value {
    let who = |who: &String| if who.is_empty() { Value::Null } else { json!(who) };
    let unusual = stop.unusual().map(|found| short(found.as_str_name(), "UNUSUAL_"));
    json!({
        "placed_by": who(&stop.placed_by),
        "unusual": unusual.collect::<Vec<_>>(),
        "lifted_by": who(&stop.lifted_by),
    })
}

fn programme_json(programme: &Programme) -> Value {
    let consignor = programme.consignor.as_ref().map(|consignor| {
        json!({
            "code": consignor.code,
            "name_kana": consignor.name_kana,
            "bank_code": consignor.bank_code,
            "branch_code": consignor.branch_code,
            "account_type": consignor.account_type,
            "account_number": consignor.account_number,
        })
    });
    json!({
        "programme_id": programme.programme_id,
        "agency": programme.agency,
        "name": programme.name,
        "title": programme.title,
        "base_date": programme.base_date,
        "unit": unit_name(programme),
        "line_yen_max": programme.line_yen_max,
        "transfer_date": programme.transfer_date,
        "consignor": consignor,
        "dataset_id": programme.dataset_id,
        "amount": programme.amount.as_ref().and_then(|amount| amount.rule.as_ref()).map(|rule| {
            match rule {
                Rule::FixedYen(yen) => json!({"fixed": yen}),
                Rule::Each(each) => json!({"each": each.yen, "at_most": each.most}),
            }
        }),
        "decline_until": Some(&programme.decline_until).filter(|day| !day.is_empty()),
        "change_limits": programme.change_limits.map(|limits| {
            let ChangeLimits { vanished_percent, total_percent } = limits;
            json!({"vanished_percent": vanished_percent, "total_percent": total_percent})
        }),
        "readmissions": programme
            .readmissions
            .iter()
            .map(|one| json!({"payees": one.payees, "first": one.first, "second": one.second}))
            .collect::<Vec<_>>(),
        "exclusions": programme
            .exclusions
            .iter()
            .map(|exclusion| {
                let reason = short(exclusion.reason().as_str_name(), "EXCLUSION_REASON_");
                json!({"reason": reason, "payees": exclusion.payees})
            })
            .collect::<Vec<_>>(),
        "stop": programme.stop.as_ref().map(stop_json),
        "on_hold": programme.on_hold,
        "list_ids": programme.list_ids,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "agency = \"131016/benefits\"\nname = \"relief\"\ntitle = \"給付金\"\n\
        base_date = \"2026-06-01\"\nunit = \"household\"\nline_yen_max = 100000\n\
        transfer_date = \"2026-12-01\"\n[consignor]\ncode = \"0000000001\"\nname_kana = \"ﾚﾝｹｲｼ\"\n\
        bank_code = \"0001\"\nbranch_code = \"001\"\naccount_type = 1\naccount_number = \"0000001\"\n";

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("programme.toml");
        fs_err::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn a_file_gives_the_rules_and_options_win() {
        let (_folder, path) = written(FILE);
        let rules =
            RulesArguments { file: Some(path), line_yen_max: Some(5), ..RulesArguments::default() };
        let programme = rules.programme().map_err(|_| "refused").expect("a programme");
        assert_eq!(programme.agency, "131016/benefits");
        assert_eq!(programme.unit(), PayeeUnit::Household);
        assert_eq!((programme.base_date.as_str(), programme.line_yen_max), ("2026-06-01", 5));
        assert_eq!(programme.consignor.expect("a consignor").bank_code, "0001");
    }

    #[test]
    fn an_amount_rule_is_fixed_or_for_each_and_not_both() {
        let rule = |text: &str| {
            let (_folder, path) =
                written(&FILE.replace("[consignor]", &format!("{text}\n[consignor]")));
            let rules = RulesArguments { file: Some(path), ..RulesArguments::default() };
            rules.programme().ok().and_then(|programme| programme.amount?.rule)
        };
        assert_eq!(rule("[amount]\nfixed = 50000"), Some(Rule::FixedYen(50_000)));
        let each = EachAmount { yen: 20_000, most: 12 };
        assert_eq!(rule("[amount]\neach = 20000\nat_most = 12"), Some(Rule::Each(each)));
        assert_eq!(rule("[amount]\nfixed = 1\neach = 2\nat_most = 3"), None);
        assert_eq!(rule("[amount]\neach = 2"), None);
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line() {
        let error = parse(&FILE.replace("title", "titel"), Path::new("p.toml")).expect_err("typo");
        assert!(error.to_string().starts_with("p.toml, line 3: "), "{error}");
    }

    #[test]
    fn what_neither_file_nor_options_say_is_asked_for() {
        let failure = RulesArguments::default().programme().expect_err("nothing given");
        assert!(failure.message(renkei_types::Language::English).contains("--unit"));
        assert_eq!(failure.exit(), Exit::Unusable);
    }
}
