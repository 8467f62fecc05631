//! `renkei agreement`: rights to use a dataset.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use renkei_api::v1::{
    ActivateAgreementRequest, Agreement, AgreementTerms, ApproveAgreementRequest, Operation,
    ProposeAgreementRequest, ShowRequest,
};
use renkei_types::{AgencyId, AgreementId, DatasetId};
use serde_json::{Value, json};

use super::names::{OperationArgument, short};
use super::session::{self, RequestArgument, Session, digest_json, plain};
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
    /// Show every agreement
    List,
}

#[derive(Args, Debug)]
pub(crate) struct TermsArguments {
    /// The agency that may use the dataset
    #[arg(long, value_name = "AGENCY")]
    consumer: AgencyId,
    /// The dataset
    #[arg(long, value_name = "ID")]
    dataset: DatasetId,
    /// Code of the legal basis, such as KOJOHO_69_2_2
    #[arg(long, value_name = "CODE")]
    legal_basis: String,
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
    /// Last day
    #[arg(long, value_name = "DATE")]
    valid_until: Date,
    /// Most records that may be shown or sent in answers on one day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    daily_records_max: u64,
    /// Days after which what was received must be destroyed
    #[arg(long, value_name = "DAYS")]
    retention_days: u32,
}

impl TermsArguments {
    fn terms(&self) -> AgreementTerms {
        let operations = self.operations.iter();
        AgreementTerms {
            consumer: self.consumer.to_string(),
            dataset_id: self.dataset.to_string(),
            legal_basis: self.legal_basis.clone(),
            purpose: self.purpose.clone(),
            fields: self.fields.clone(),
            operations: operations.map(|one| i32::from(Operation::from(*one))).collect(),
            valid_from: self.valid_from.to_string(),
            valid_until: self.valid_until.to_string(),
            daily_records_max: self.daily_records_max,
            retention_days: self.retention_days,
        }
    }
}

pub(super) fn run(command: &AgreementCommand, environment: &Environment) -> Result<Exit, Failure> {
    session::with(environment, async |session| match command {
        AgreementCommand::Propose { terms, request } => {
            let id = session.request_id(*request);
            let call =
                ProposeAgreementRequest { request_id: id.to_string(), terms: Some(terms.terms()) };
            let answer = session.change(&id, call).await?;
            let object = json!({"agreement_id": answer.agreement_id});
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
        AgreementCommand::List => list(session).await,
    })
}

async fn list(session: &Session<'_>) -> Result<Exit, Failure> {
    let agreements = session.ask(ShowRequest {}).await?.agreements;
    let environment = session.environment;
    if environment.json {
        let agreements: Vec<_> = agreements.iter().map(agreement_json).collect();
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
    ];
    let mut table = text_table(header, &[]);
    for agreement in &agreements {
        let terms = agreement.terms.clone().unwrap_or_default();
        table.add_row(vec![
            plain(&agreement.agreement_id),
            state(agreement).to_owned(),
            plain(&terms.consumer),
            plain(&terms.dataset_id),
            plain(&terms.purpose),
            operations(&terms).join(", "),
            plain(&format!("{} – {}", terms.valid_from, terms.valid_until)),
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

fn agreement_json(agreement: &Agreement) -> Value {
    let terms = agreement.terms.clone().unwrap_or_default();
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
        "proposed_by": agreement.proposed_by,
        "approved_by": agreement.approved_by,
        "activated_by": agreement.activated_by,
        "digest": digest_json(&agreement.digest),
    })
}
