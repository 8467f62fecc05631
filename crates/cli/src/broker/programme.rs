//! `renkei programme`: benefits, their rules, and whom they do not pay.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use renkei_api::v1::{
    CreateProgrammeRequest, DivideRequest, DividedPerson, DivisionKind, ExcludeRequest,
    ExclusionReason, GetProgrammeRequest, HoldRequest, ReadmitRequest, ReconcileRequest,
    ReleaseHoldRequest,
};
use renkei_tables::{ReadOptions, TableReader, built_in_column};
use renkei_types::{ListId, ProgrammeId};
use serde_json::json;

use super::error::BrokerError;
use super::names::{DivisionArgument, ExclusionArgument};
use super::programme_rules::RulesArguments;
use super::session::{self, RequestArgument, totals_json};
use super::{programme_shown, sheet, unknown_ids};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;

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

/// What is stopped or goes on.
#[derive(Args, Debug)]
pub(crate) struct HoldArguments {
    /// The programme
    programme: ProgrammeId,
    /// Only one list of it
    #[arg(long, value_name = "ID")]
    list: Option<ListId>,
    /// Only one payee of it: an id of a person or household in the register
    #[arg(long, value_name = "ID", conflicts_with = "list", value_parser = NonEmptyStringValueParser::new())]
    payee: Option<String>,
    #[command(flatten)]
    request: RequestArgument,
}

impl HoldArguments {
    /// What is meant, in a word.
    fn target(&self) -> &'static str {
        match (self.list, &self.payee) {
            (_, Some(_)) => "payee",
            (Some(_), None) => "list",
            (None, None) => "programme",
        }
    }
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
                json::print(&programme_shown::programme_json(&programme));
            } else {
                programme_shown::show(&programme, environment);
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
                let (before, added) =
                    (answer.known_before, payees - answer.known_before.min(payees));
                environment.note(
                    &format!("{added} payees are left out from now on; {before} of the {payees} in the file were excluded before"),
                    &format!("{added} 件を今後の支給から除きます（ファイルの {payees} 件のうち {before} 件は既に除外済み）"),
                );
                if late > 0 {
                    environment.warn(
                        &format!("{late} payments to them are certified already and stand; stop them with `renkei programme hold` where they are not out yet"),
                        &format!("このうち {late} 件は既に確定済みです。未配信であれば `renkei programme hold` で止めてください"),
                    );
                }
                unknown_ids::warn(answer.unknown.as_ref(), environment);
                let object = json!({
                    "payees": payees,
                    "known_before": before,
                    "already_certified": late,
                    "unknown": unknown_ids::to_json(answer.unknown.as_ref()),
                });
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
                if !answer.compared {
                    unknown_ids::warn_not_compared(environment);
                }
                let object = json!({
                    "persons": persons,
                    "already_certified": late,
                    "compared": answer.compared,
                });
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
            let of_payee = arguments.payee.is_some();
            if of_payee {
                let batches = answer.batches;
                environment.note(
                    &format!("batches that have the payee and wait: {batches}"),
                    &format!("この支給先を含み、待っている確定対象: {batches} 件"),
                );
            }
            if of_payee && !answer.compared {
                unknown_ids::warn_not_compared(environment);
            }
            let object = json!({
                "programme_id": arguments.programme.to_string(),
                "list_id": arguments.list.map(|list| list.to_string()),
                "target": arguments.target(),
                "on_hold": true,
                "batches": of_payee.then_some(answer.batches),
                "compared": of_payee.then_some(answer.compared),
            });
            Ok(session.done(object, "", answer.receipt.as_ref()))
        }),
        ProgrammeCommand::ReleaseHold(arguments) => session::with(environment, async |session| {
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
                let what = match arguments.target() {
                    "list" => ("the list", "リスト"),
                    "payee" => ("the payee", "支給先"),
                    _ => ("the whole programme", "給付事業全体"),
                };
                environment.note(
                        &format!("the hold on {} is lifted; {released} batches are released by it", what.0),
                        &format!("{}の停止を解除しました。これにより {released} 件の確定対象を支払に回しました", what.1),
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
                "target": arguments.target(),
                "on_hold": !answer.lifted,
                "batch_ids": answer.batch_ids,
            });
            Ok(session.done(object, &answer.batch_ids.join("\n"), answer.receipt.as_ref()))
        }),
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
            line: batch.lines.get(row).copied().unwrap_or_default(),
        }));
    }
    Ok(persons)
}
