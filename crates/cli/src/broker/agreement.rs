//! `renkei agreement`: rights to use a dataset.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use renkei_api::v1::{
    ActivateAgreementRequest, Agreement, AgreementState, AgreementTerms, ApproveAgreementRequest,
    EndAgreementRequest, Operation, ProposeAgreementRequest, ResumeAgreementRequest, ShowRequest,
    SuspendAgreementRequest,
};
use renkei_types::{AgencyId, AgreementId, Clock as _, DatasetId, LegalBasis};
use serde_json::{Value, json};

use super::code_words::{all_told, told};
use super::names::{OperationArgument, short};
use super::plan;
use super::session::{self, ConfirmArgument, RequestArgument, Session, digest_json, plain};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Debug, Subcommand)]
pub(crate) enum AgreementCommand {
    /// Draft an agreement
    Propose {
        #[command(flatten)]
        terms: TermsArguments,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Approve an agreement; by an operator of the agency that provides the dataset
    Approve {
        /// The agreement
        agreement: AgreementId,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Put an approved agreement in force; by another operator than who proposed it
    Activate {
        /// The agreement
        agreement: AgreementId,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Stop an agreement at once; by one operator of the provider, the consumer or the broker
    Suspend {
        /// The agreement
        agreement: AgreementId,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Lift a suspension; by another person than who suspended
    Resume {
        /// The agreement
        agreement: AgreementId,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// End an agreement for good, or withdraw a proposal
    End {
        /// The agreement
        agreement: AgreementId,
        #[command(flatten)]
        confirm: ConfirmArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Show every agreement
    List {
        /// Only those that end within so many days, or under which data must be destroyed by then
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=36_600))]
        ending: Option<u32>,
    },
    /// Say which agreements a kind of benefit needs; needs no broker
    Plan {
        /// The kind of benefit; without it, the kinds
        programme: Option<String>,
    },
    /// Show the closed list of legal bases; needs no broker
    Bases,
}

#[derive(Args, Debug)]
pub(crate) struct TermsArguments {
    /// The agency that may use the dataset
    #[arg(long, value_name = "AGENCY")]
    consumer: AgencyId,
    /// The dataset
    #[arg(long, value_name = "ID")]
    dataset: DatasetId,
    /// Code of the legal basis, such as KOJOHO_69_2_2; see `agreement bases`
    #[arg(long, value_name = "CODE")]
    legal_basis: LegalBasis,
    /// Code of the purpose (事務)
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// The fields that may be shown
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
    fields: Vec<String>,
    /// What is allowed
    #[arg(long, value_name = "OPERATION,...", value_delimiter = ',', required = true)]
    operations: Vec<OperationArgument>,
    /// First day
    #[arg(long, value_name = "DATE")]
    valid_from: Date,
    /// Last day; the end of the fiscal year unless given
    #[arg(long, value_name = "DATE")]
    valid_until: Option<Date>,
    /// Most records that may be shown or sent in answers on one day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    daily_records_max: u64,
    /// Days after which what was received must be destroyed
    #[arg(long, value_name = "DAYS")]
    retention_days: u32,
    /// Day from which persons who ask are told what was done with their data, or `never`; at once unless given
    #[arg(long, value_name = "DATE|never")]
    told_from: Option<ToldFrom>,
}

/// From when on persons are told.
#[derive(Clone, Copy, Debug)]
enum ToldFrom {
    Day(Date),
    Never,
}

impl std::str::FromStr for ToldFrom {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        if text == "never" { Ok(Self::Never) } else { text.parse().map(Self::Day) }
    }
}

impl TermsArguments {
    fn terms(&self) -> AgreementTerms {
        let operations = self.operations.iter();
        AgreementTerms {
            consumer: self.consumer.to_string(),
            dataset_id: self.dataset.to_string(),
            legal_basis: self.legal_basis.to_string(),
            purpose: self.purpose.clone(),
            fields: self.fields.clone(),
            operations: operations.map(|one| i32::from(Operation::from(*one))).collect(),
            valid_from: self.valid_from.to_string(),
            valid_until: self.valid_until.map(|day| day.to_string()).unwrap_or_default(),
            daily_records_max: self.daily_records_max,
            retention_days: self.retention_days,
            told_from: match self.told_from {
                None => String::new(),
                Some(ToldFrom::Day(day)) => day.to_string(),
                Some(ToldFrom::Never) => "NEVER".to_owned(),
            },
        }
    }
}

pub(super) fn run(command: &AgreementCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        AgreementCommand::Plan { programme } => {
            return plan::run(programme.as_deref(), environment);
        }
        AgreementCommand::Bases => return Ok(plan::bases(environment)),
        AgreementCommand::End { agreement, confirm, .. } if !confirm.yes => {
            return Ok(say_what_would_end(*agreement, environment));
        }
        AgreementCommand::Propose { .. }
        | AgreementCommand::Approve { .. }
        | AgreementCommand::Activate { .. }
        | AgreementCommand::Suspend { .. }
        | AgreementCommand::Resume { .. }
        | AgreementCommand::End { .. }
        | AgreementCommand::List { .. } => {}
    }
    session::with(environment, async |session| match command {
        AgreementCommand::Plan { .. } | AgreementCommand::Bases => Ok(Exit::Done),
        AgreementCommand::Propose { terms, request } => {
            let id = session.request_id(*request);
            let call =
                ProposeAgreementRequest { request_id: id.to_string(), terms: Some(terms.terms()) };
            let answer = session.change(&id, call).await?;
            if terms.valid_until.is_none() {
                let until = plain(&answer.valid_until);
                environment.note(
                    &format!("it ends with the fiscal year, on {until}; renew it before"),
                    &format!("終期の指定がないため年度末の {until} に終わります。続ける場合はそれまでに更新してください"),
                );
            }
            let object = json!({
                "agreement_id": answer.agreement_id,
                "valid_until": answer.valid_until,
            });
            Ok(session.done(object, &answer.agreement_id, answer.receipt.as_ref()))
        }
        AgreementCommand::Approve { agreement, request } => {
            let id = session.request_id(*request);
            let agreement_id = agreement.to_string();
            let call = ApproveAgreementRequest {
                request_id: id.to_string(),
                agreement_id: agreement_id.clone(),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({"agreement_id": agreement_id, "state": "APPROVED"});
            Ok(session.done(object, &agreement_id, answer.receipt.as_ref()))
        }
        AgreementCommand::Activate { agreement, request } => {
            let id = session.request_id(*request);
            let agreement_id = agreement.to_string();
            let call = ActivateAgreementRequest {
                request_id: id.to_string(),
                agreement_id: agreement_id.clone(),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({"agreement_id": agreement_id, "state": "ACTIVE"});
            Ok(session.done(object, &agreement_id, answer.receipt.as_ref()))
        }
        AgreementCommand::Suspend { agreement, request } => {
            let id = session.request_id(*request);
            let agreement_id = agreement.to_string();
            let call = SuspendAgreementRequest {
                request_id: id.to_string(),
                agreement_id: agreement_id.clone(),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({"agreement_id": agreement_id, "state": "SUSPENDED"});
            Ok(session.done(object, &agreement_id, answer.receipt.as_ref()))
        }
        AgreementCommand::Resume { agreement, request } => {
            let id = session.request_id(*request);
            let agreement_id = agreement.to_string();
            let call = ResumeAgreementRequest {
                request_id: id.to_string(),
                agreement_id: agreement_id.clone(),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({"agreement_id": agreement_id, "state": "ACTIVE"});
            Ok(session.done(object, &agreement_id, answer.receipt.as_ref()))
        }
        AgreementCommand::End { agreement, request, .. } => {
            let id = session.request_id(*request);
            let agreement_id = agreement.to_string();
            let call = EndAgreementRequest {
                request_id: id.to_string(),
                agreement_id: agreement_id.clone(),
            };
            let answer = session.change(&id, call).await?;
            let day = plain(&answer.destroy_by);
            environment.note(
                &format!("what was received under it must be destroyed by {day}"),
                &format!("この取決めで受け取ったデータは {day} までに消去してください"),
            );
            let object = json!({
                "agreement_id": agreement_id,
                "state": "ENDED",
                "destroy_by": answer.destroy_by,
            });
            Ok(session.done(object, &agreement_id, answer.receipt.as_ref()))
        }
        AgreementCommand::List { ending } => list(session, *ending).await,
    })
}

fn say_what_would_end(agreement: AgreementId, environment: &Environment) -> Exit {
    if environment.json {
        json::print(&json!({"agreement_id": agreement.to_string(), "done": false}));
        return Exit::Done;
    }
    environment.note(
        &format!("would end {agreement} for good, on open streams and running jobs too; add --yes to do it, or suspend it"),
        &format!("{agreement} を終了します（元に戻せません。接続中・実行中のものも止まります）。実行するには --yes を付けてください。一時的に止めるなら suspend を使います"),
    );
    Exit::Done
}

/// What comes to an end, counted from today; a day that is past is below zero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Days {
    /// Until its last day, where it can be used on it.
    end: Option<i64>,
    /// Until what was received must be gone, where anything was received.
    destroy: Option<i64>,
}

impl Days {
    fn of(agreement: &Agreement, today: Date) -> Self {
        let days = |day: &str| {
            let span = today.until(day.parse::<Date>().ok()?).ok()?;
            Some(i64::from(span.get_days()))
        };
        let valid_until = agreement.terms.as_ref().map_or("", |terms| terms.valid_until.as_str());
        let state = agreement.state();
        let stands = matches!(state, AgreementState::Active | AgreementState::Suspended);
        Self {
            end: days(valid_until).filter(|_| stands),
            destroy: days(&agreement.destroy_by).filter(|_| !agreement.activated_by.is_empty()),
        }
    }

    /// Whether something falls into the next so many days. What is past is told until the data is due, and on that day.
    fn within(self, ending: u32) -> bool {
        let near =
            |days: Option<i64>| days.is_some_and(|days| (0..=i64::from(ending)).contains(&days));
        near(self.end) || near(self.destroy)
    }
}

async fn list(session: &Session<'_>, ending: Option<u32>) -> Result<Exit, Failure> {
    let mut agreements = session.ask(ShowRequest {}).await?.agreements;
    let environment = session.environment;
    let today = environment.clock.today();
    agreements.retain(|one| ending.is_none_or(|ending| Days::of(one, today).within(ending)));
    if environment.json {
        let agreements: Vec<_> = agreements.iter().map(|one| agreement_json(one, today)).collect();
        json::print(&json!({"agreements": agreements}));
        return Ok(Exit::Done);
    }
    let header = vec![
        environment.say("agreement", "取決め"),
        environment.say("state", "段階"),
        environment.say("consumer", "利用機関"),
        environment.say("dataset", "データセット"),
        environment.say("purpose", "事務"),
        environment.say("operations", "操作"),
        environment.say("period", "期間"),
        environment.say("days left", "残り日数"),
        environment.say("destroy by", "消去期限"),
    ];
    let mut table = text_table(header, &[7]);
    for agreement in &agreements {
        let terms = agreement.terms.clone().unwrap_or_default();
        let days = Days::of(agreement, today);
        table.add_row(vec![
            plain(&agreement.agreement_id),
            told(&agreement.state(), environment.language),
            plain(&terms.consumer),
            plain(&terms.dataset_id),
            plain(&terms.purpose),
            all_told(terms.operations(), environment.language),
            plain(&format!("{} – {}", terms.valid_from, terms.valid_until)),
            days.end.map(|days| days.to_string()).unwrap_or_default(),
            days.destroy.map(|_| plain(&agreement.destroy_by)).unwrap_or_default(),
        ]);
    }
    print_line!("{table}");
    Ok(Exit::Done)
}

fn state(agreement: &Agreement) -> &'static str {
    short(agreement.state().as_str_name(), "AGREEMENT_STATE_")
}

fn operations(terms: &AgreementTerms) -> Vec<&'static str> {
    terms.operations().map(|one| short(one.as_str_name(), "OPERATION_")).collect()
}

fn agreement_json(agreement: &Agreement, today: Date) -> Value {
    let terms = agreement.terms.clone().unwrap_or_default();
    let days = Days::of(agreement, today);
    json!({
        "agreement_id": agreement.agreement_id,
        "state": state(agreement),
        "consumer": terms.consumer,
        "dataset_id": terms.dataset_id,
        "legal_basis": terms.legal_basis,
        "purpose": terms.purpose,
        "fields": terms.fields,
        "operations": operations(&terms),
        "valid_from": terms.valid_from,
        "valid_until": terms.valid_until,
        "daily_records_max": terms.daily_records_max,
        "retention_days": terms.retention_days,
        "told_from": terms.told_from,
        "proposed_by": agreement.proposed_by,
        "approved_by": agreement.approved_by,
        "activated_by": agreement.activated_by,
        "suspended_by": agreement.suspended_by,
        "ended_by": agreement.ended_by,
        "ended_on": agreement.ended_on,
        "days_left": days.end,
        "destroy_by": agreement.destroy_by,
        "days_until_destruction": days.destroy,
        "digest": digest_json(&agreement.digest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(state: AgreementState, until: &str, destroy_by: &str) -> Agreement {
        Agreement {
            state: state.into(),
            activated_by: "somebody".to_owned(),
            destroy_by: destroy_by.to_owned(),
            terms: Some(AgreementTerms { valid_until: until.to_owned(), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn a_report_names_what_ends_and_what_must_be_destroyed_within_its_days() {
        let today: Date = "2027-02-01".parse().expect("a day");
        let active = agreement(AgreementState::Active, "2027-03-31", "2028-03-30");
        assert_eq!(Days::of(&active, today), Days { end: Some(58), destroy: Some(423) });
        assert!(Days::of(&active, today).within(58) && !Days::of(&active, today).within(57));
        // Over, and its data is due in ten days.
        let over = agreement(AgreementState::Ended, "2027-03-31", "2027-02-11");
        assert_eq!(Days::of(&over, today), Days { end: None, destroy: Some(10) });
        assert!(Days::of(&over, today).within(10) && !Days::of(&over, today).within(9));
        // Never in force: nothing was received.
        let proposal = Agreement {
            activated_by: String::new(),
            ..agreement(AgreementState::Proposed, "2027-02-02", "2027-02-03")
        };
        assert!(!Days::of(&proposal, today).within(60));
    }
}
