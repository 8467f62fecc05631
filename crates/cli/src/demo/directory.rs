//! The directory of the demo: bodies, parties, the register, the programme, and the agreements that let data flow.
//!
//! ```text
//! residents --(LINK, IDENTIFY, REVIEW)--> benefits --(DELIVER)--> treasury
//! ```
//! Each agreement needs three people: one proposes, the provider's operator approves, another operator puts it in force.

use jiff::ToSpan as _;
use jiff::civil::Date;
use renkei_api::v1::{
    ActivateAgreementRequest, AddAgencyRequest, AddPartyRequest, Agency, AgreementTerms,
    ApproveAgreementRequest, Consignor, CreateDatasetRequest, CreateProgrammeRequest, Operation,
    PayeeUnit, Programme, ProposeAgreementRequest,
};
use renkei_types::Clock as _;

use super::city::{BODIES, City, Client, FOUNDERS, MEMBERS, agency, member};
use crate::failure::{CommandError, Failure};

/// The purpose (事務) of both agreements, and the name of the programme.
pub(super) const PURPOSE: &str = "benefit-2026";
/// 個人情報保護法 69条2項2号: use that the body needs for its own duties.
const LEGAL_BASIS: &str = "KOJOHO_69_2_2";
const PROGRAMME_TITLE: &str = "見本市 物価高騰対応給付金（架空）";
const LINE_YEN_MAX: u64 = 150_000;
/// More than any tour shows in a day, and still a limit.
const DAILY_RECORDS_MAX: u64 = 1_000_000;
const RETENTION_DAYS: u32 = 365;
const PAYMENT_FIELDS: [&str; 5] =
    ["account_holder_kana", "bank_code", "branch_code", "account_type", "account_number"];

/// What was set up.
pub(super) struct Directory {
    /// The register.
    pub(super) dataset_id: String,
    /// The benefit.
    pub(super) programme_id: String,
}

/// Sets everything up that the tour needs.
pub(super) async fn set_up(
    city: &City<'_>,
    register_fields: &[String],
) -> Result<Directory, Failure> {
    let operator = city.connect("operator-1")?;
    for (body, title) in BODIES {
        // The founders' own body is there from the start.
        if member(FOUNDERS[0]).body != body {
            let agency = Agency { agency: agency(body), title: title.to_owned() };
            let request_id = operator.request_id();
            operator.ask(AddAgencyRequest { request_id, agency: Some(agency) }).await?;
        }
    }
    for member in MEMBERS.iter().filter(|member| !FOUNDERS.contains(&member.name)) {
        let call = AddPartyRequest {
            request_id: operator.request_id(),
            identity: member.identity().to_string(),
            roles: vec![member.role.into()],
        };
        operator.ask(call).await?;
    }
    let register = CreateDatasetRequest {
        request_id: operator.request_id(),
        provider: agency("residents"),
        name: "residents".to_owned(),
        title: "住民記録（架空）".to_owned(),
        fields: register_fields.to_vec(),
    };
    let register = operator.ask(register).await?;
    let today = city.environment.clock.today();
    let programme = CreateProgrammeRequest {
        request_id: operator.request_id(),
        programme: Some(programme(today)?),
    };
    let programme = operator.ask(programme).await?;
    let people = Signers {
        proposes: &operator,
        approves: &city.connect("residents-operator")?,
        activates: &city.connect("operator-2")?,
    };
    let operations = [Operation::Link, Operation::Identify, Operation::Review];
    let fields = register_fields.to_vec();
    let terms = self::terms(today, "benefits", &register.dataset_id, fields, &operations)?;
    people.agree(terms).await?;
    let people = Signers { approves: &city.connect("benefits-operator")?, ..people };
    let fields = PAYMENT_FIELDS.map(str::to_owned).to_vec();
    let terms =
        self::terms(today, "treasury", &programme.dataset_id, fields, &[Operation::Deliver])?;
    people.agree(terms).await?;
    Ok(Directory { dataset_id: register.dataset_id, programme_id: programme.programme_id })
}

fn later(today: Date, days: i32) -> Result<String, CommandError> {
    let day = today.checked_add(days.days());
    day.map(|day| day.to_string()).map_err(|error| CommandError::Plain(error.to_string()))
}

fn programme(today: Date) -> Result<Programme, CommandError> {
    Ok(Programme {
        agency: agency("benefits"),
        name: PURPOSE.to_owned(),
        title: PROGRAMME_TITLE.to_owned(),
        base_date: today.to_string(),
        unit: PayeeUnit::Person.into(),
        line_yen_max: LINE_YEN_MAX,
        transfer_date: later(today, 14)?,
        consignor: Some(Consignor {
            code: "0000000001".to_owned(),
            name_kana: "ﾐﾎﾝｼ".to_owned(),
            bank_code: "9001".to_owned(),
            branch_code: "001".to_owned(),
            account_type: 1,
            account_number: "0000001".to_owned(),
        }),
        ..Programme::default()
    })
}

fn terms(
    today: Date,
    consumer: &str,
    dataset_id: &str,
    fields: Vec<String>,
    operations: &[Operation],
) -> Result<AgreementTerms, CommandError> {
    Ok(AgreementTerms {
        consumer: agency(consumer),
        dataset_id: dataset_id.to_owned(),
        legal_basis: LEGAL_BASIS.to_owned(),
        purpose: PURPOSE.to_owned(),
        fields,
        operations: operations.iter().map(|&operation| operation.into()).collect(),
        valid_from: today.to_string(),
        valid_until: later(today, 365)?,
        daily_records_max: DAILY_RECORDS_MAX,
        retention_days: RETENTION_DAYS,
        told_from: String::new(),
    })
}

/// The three people of an agreement.
struct Signers<'a> {
    proposes: &'a Client,
    approves: &'a Client,
    activates: &'a Client,
}

impl Signers<'_> {
    async fn agree(&self, terms: AgreementTerms) -> Result<(), Failure> {
        let request_id = self.proposes.request_id();
        let call = ProposeAgreementRequest { request_id, terms: Some(terms) };
        let agreement_id = self.proposes.ask(call).await?.agreement_id;
        let request_id = self.approves.request_id();
        let call = ApproveAgreementRequest { request_id, agreement_id: agreement_id.clone() };
        self.approves.ask(call).await?;
        let request_id = self.activates.request_id();
        self.activates.ask(ActivateAgreementRequest { request_id, agreement_id }).await?;
        Ok(())
    }
}
