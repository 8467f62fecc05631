//! How a broker is founded. How it begins again: see [`crate::running`].

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use renkei_tlog::leaf::Operation;
use renkei_types::{AgencyId, DataKeyId, Identity};
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::directory::{Agency, Party};
use crate::mark::Mark;
use crate::refusal::Refusal;
use crate::role::Role;
use crate::running::Equipment;
use crate::state::State;
use crate::witnessed::WitnessRule;

/// What a broker is founded with, where there is none yet.
#[derive(Clone, Debug)]
pub struct Charter {
    /// The first operators.
    pub founders: Vec<Identity>,
    /// Name of the log.
    pub log_origin: String,
    /// How often a checkpoint is signed while leaves come.
    pub checkpoint_interval: Duration,
    /// What it runs with this time.
    pub equipment: Equipment,
    /// Who has to cosign the log before money leaves; nothing where nobody has to.
    pub witnesses: Option<WitnessRule>,
}

/// How the broker began.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Founding {
    /// When.
    pub at: Timestamp,
    /// The key under which bodies of requests are digested.
    pub request_key: DataKeyId,
    /// Name of the log.
    pub log_origin: String,
    /// The agencies of the first operators: those that run the broker.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub agencies: BTreeSet<AgencyId>,
    /// What the broker ran with when it was last told of a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<Equipment>,
}

impl State {
    /// Whether an agency runs the broker: it may stop what belongs to others, and start nothing.
    pub(crate) fn runs_the_broker(&self, agency: &AgencyId) -> bool {
        self.founding.get(&0).is_some_and(|founding| founding.agencies.contains(agency))
    }
}

/// Founds the broker.
pub(crate) struct Found {
    pub(crate) charter: Charter,
    pub(crate) request_key: DataKeyId,
}

impl Command for Found {
    type Reply = ();
    const METHOD: &'static str = "Found";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        let founding = Founding {
            at: desk.now,
            request_key: self.request_key,
            log_origin: self.charter.log_origin.clone(),
            agencies: self.charter.founders.iter().map(|who| who.agency().clone()).collect(),
            equipment: None,
        };
        desk.state.founding.put(0, founding);
        for founder in &self.charter.founders {
            let agency = founder.agency();
            if !desk.state.agencies.contains(agency) {
                desk.state.agencies.put(agency.clone(), Agency { title: agency.to_string() });
            }
            let party = Party { roles: [Role::Operator].into(), revoked: false };
            desk.state.parties.put(founder.clone(), party);
        }
        Ok(Decision::new((), Mark::ok(Operation::AdminAction)))
    }
}
