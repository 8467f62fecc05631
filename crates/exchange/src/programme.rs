//! Programmes: benefits and their rules; and the lists that belong to them.

use jiff::civil::Date;
use renkei_linkage::Cardinality;
use renkei_tlog::leaf::Operation;
use renkei_types::{AgencyId, DataKeyId, DatasetId, ListId, ProgrammeId, Reason, Slug, UploadId};
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::directory::{Content, Dataset, title};
use crate::division::Division;
use crate::exclusion::Exclusion;
use crate::hold::Stop;
use crate::list::List;
use crate::mark::Mark;
use crate::permit::{Operate, Permit, Submit};
use crate::readmission::Readmission;
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::rows::LIST_FIELDS;
use crate::supersede::{self, Supersedes};
use crate::transfer::Consignor;
use crate::upload::{FileShape, Target, Upload, UploadState};

/// Whom a programme pays.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum PayeeUnit {
    /// Each person once.
    Person,
    /// Each household once.
    Household,
}

impl PayeeUnit {
    /// How lines and persons may be paired: a household may be named by several of its members.
    pub fn cardinality(self) -> Cardinality {
        match self {
            Self::Person => Cardinality::OneToOne,
            Self::Household => Cardinality::ManyToOne,
        }
    }
}

/// The rules of a benefit, as they are set up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rules {
    /// Its short name, unique within the agency.
    pub name: Slug,
    /// Its name for people.
    pub title: String,
    /// Base date (基準日).
    pub base_date: Date,
    /// Whom it pays.
    pub unit: PayeeUnit,
    /// Most yen that one line may pay.
    pub line_yen_max: u64,
    /// Day of the transfers.
    pub transfer_date: Date,
    /// Who orders the transfers; nothing where no transfer file is needed.
    pub consignor: Option<Consignor>,
    /// What a line may pay, beside the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountRule>,
    /// Until when payees of a push list may decline; nothing of such a list is certified before the day after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_until: Option<Date>,
    /// From which change on the broker stops a corrected list by itself.
    #[serde(default)]
    pub limits: ChangeLimits,
}

impl Rules {
    /// What about an amount breaks the rules.
    pub(crate) fn breach(&self, yen: u64) -> Option<Reason> {
        if yen > self.line_yen_max {
            return Some(Reason::AmountAboveMax);
        }
        let keeps = match self.amount {
            None => true,
            Some(AmountRule::Fixed { yen: fixed }) => yen == fixed,
            Some(AmountRule::Each { yen: each, most }) => {
                yen.is_multiple_of(each) && (1..=u64::from(most)).contains(&(yen / each))
            }
        };
        (!keeps).then_some(Reason::AmountOffRule)
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.line_yen_max == 0 {
            return Err(Refusal::field("programme.line_yen_max"));
        }
        let possible = match self.amount {
            None => true,
            Some(AmountRule::Fixed { yen }) => (1..=self.line_yen_max).contains(&yen),
            Some(AmountRule::Each { yen, most }) => {
                most > 0 && (1..=self.line_yen_max).contains(&yen)
            }
        };
        if !possible {
            return Err(Refusal::field("programme.amount"));
        }
        if let Some(consignor) = &self.consignor {
            consignor.check()?;
        }
        Ok(())
    }
}

/// What a line may pay.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum AmountRule {
    /// The same for every line.
    Fixed {
        /// So much.
        yen: u64,
    },
    /// So much for each person whom the line is for: members of a household, children of a parent.
    Each {
        /// For one of them.
        yen: u64,
        /// How many they may be.
        most: u32,
    },
}

/// Changes from one list to the corrected one that are usual.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ChangeLimits {
    /// Lines that may be gone, in percent.
    pub vanished_percent: u32,
    /// By how much the sum may differ, in percent.
    pub total_percent: u32,
}

impl Default for ChangeLimits {
    /// A correction corrects a few lines. One that drops a tenth of the payees or moves a fifth of the money is looked at.
    fn default() -> Self {
        Self { vanished_percent: 10, total_percent: 20 }
    }
}

closed_list! {
    /// How payees come to be on a list.
    ListKind {
        /// They are known with their accounts and may decline (プッシュ型).
        Push = "PUSH",
        /// They have returned a form that was sent to them (確認書).
        Confirmation = "CONFIRMATION",
        /// They have applied (申請).
        Application = "APPLICATION",
    }
}

/// A benefit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Programme {
    /// The agency that pays.
    pub agency: AgencyId,
    /// Its rules.
    pub rules: Rules,
    /// The dataset under which its deliveries are agreed on.
    pub dataset: DatasetId,
    /// The register that its lists are linked to, from the first job on.
    pub register: Option<DatasetId>,
    /// The key that seals whom it pays.
    pub key: DataKeyId,
    /// Its lists in order.
    pub lists: Vec<ListId>,
    /// Entries in its delivery feed.
    pub feed_length: u64,
    /// The last entry that the receiver has acknowledged.
    pub acknowledged: u64,
    /// Batches so far.
    pub batches: u64,
    /// Who stopped its releases, where they are stopped.
    pub hold: Option<Stop>,
    /// Whom it does not pay.
    #[serde(default)]
    pub exclusions: Vec<Exclusion>,
    /// Who was taken off them again, or shall be.
    #[serde(default)]
    pub readmissions: Vec<Readmission>,
    /// Whom it counts to other households than the register does.
    #[serde(default)]
    pub divisions: Vec<Division>,
}

/// Sets a benefit up.
#[derive(Debug)]
pub struct CreateProgramme {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The agency that pays.
    pub agency: AgencyId,
    /// The rules.
    pub rules: Rules,
    /// A key made for it.
    pub key: DataKeyId,
}

impl Command for CreateProgramme {
    type Reply = (ProgrammeId, DatasetId);
    const METHOD: &'static str = "CreateProgramme";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Self::Reply>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let title = title(&self.rules.title, "programme.title")?;
        if !desk.state.agencies.contains(&self.agency) {
            return Err(Refusal::field("programme.agency"));
        }
        self.rules.check()?;
        let named =
            |agency: &AgencyId, name: &Slug| *agency == self.agency && *name == self.rules.name;
        let taken = desk
            .state
            .programmes
            .iter()
            .any(|(_, programme)| named(&programme.agency, &programme.rules.name));
        let dataset_taken =
            desk.state.datasets.iter().any(|(_, dataset)| named(&dataset.provider, &dataset.name));
        if taken || dataset_taken {
            return Err(Reason::AlreadyExists.into());
        }
        let (id, dataset_id) = (desk.new_programme(), desk.new_dataset());
        let rules = Rules { title: title.clone(), ..self.rules.clone() };
        let dataset = Dataset {
            provider: self.agency.clone(),
            name: rules.name.clone(),
            title,
            // Whoever may see it is also told who in the register is paid.
            fields: LIST_FIELDS
                .iter()
                .chain(&["resident_id"])
                .map(|&field| field.to_owned())
                .collect(),
            content: Content::Deliveries(id),
            deltas: 0,
            withdrawn: false,
        };
        let programme = Programme {
            agency: self.agency.clone(),
            rules,
            dataset: dataset_id,
            register: None,
            key: self.key,
            lists: Vec::new(),
            feed_length: 0,
            acknowledged: 0,
            batches: 0,
            hold: None,
            exclusions: Vec::new(),
            readmissions: Vec::new(),
            divisions: Vec::new(),
        };
        desk.state.datasets.put(dataset_id, dataset);
        desk.state.programmes.put(id, programme);
        let mark = Mark::ok(Operation::AdminAction).about(id).of_dataset(dataset_id);
        Ok(Decision::new((id, dataset_id), mark))
    }
}

/// Opens a list of a programme.
#[derive(Debug)]
pub struct OpenList {
    /// That the caller may.
    pub permit: Permit<Submit>,
    /// The programme.
    pub programme: ProgrammeId,
    /// Its short name, unique within the programme.
    pub name: Slug,
    /// What kind of file will come.
    pub shape: FileShape,
    /// The list whose place it takes.
    pub supersedes: Option<Supersedes>,
    /// How its payees come to be on it.
    pub kind: Option<ListKind>,
    /// A key made for it.
    pub key: DataKeyId,
}

impl Command for OpenList {
    type Reply = (ListId, UploadId);
    const METHOD: &'static str = "OpenList";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Self::Reply>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        self.shape.check()?;
        let programme = desk.state.programmes.get(&self.programme).ok_or(Reason::NoAgreement)?;
        let named =
            |list: &ListId| desk.state.lists.get(list).is_some_and(|list| list.name == self.name);
        if programme.lists.iter().any(named) {
            return Err(Reason::AlreadyExists.into());
        }
        let (id, upload_id) = (desk.new_list(), desk.new_upload());
        let upload = Upload {
            target: Target::List(id),
            shape: self.shape.clone(),
            key: self.key,
            state: UploadState::Open,
            bytes: 0,
        };
        let list = List {
            programme: self.programme,
            name: self.name.clone(),
            upload: upload_id,
            key: self.key,
            sealed: None,
            job: None,
            linked: None,
            batches: Vec::new(),
            hold: None,
            supersedes: self.supersedes,
            kind: self.kind,
            superseded_by: None,
            differences: None,
        };
        if let Some(supersedes) = self.supersedes {
            supersede::may_open(desk.state, &list, supersedes)?;
        }
        desk.state.uploads.put(upload_id, upload);
        desk.state.lists.put(id, list);
        desk.state.programmes.change(&self.programme, |programme| programme.lists.push(id));
        Ok(Decision::new((id, upload_id), Mark::ok(Operation::UploadOpen).about(id)))
    }
}
