//! Why, and why not.

use renkei_api::v1;
use renkei_exchange::explain::{ExplainLine, ExplainedLine};
use renkei_exchange::permit::Link;
use renkei_exchange::{Caller, Done, Refusal};
use renkei_types::{LinkageJobId, Reason};

use crate::convert;
use crate::services::Desk;

impl Desk {
    pub(super) async fn explain_line(
        &self,
        caller: Caller,
        body: v1::ExplainRequest,
    ) -> Result<v1::ExplainResponse, Refusal> {
        let (explained, done) =
            self.explained(caller, &body.job_id, body.line_id, body.register_id).await?;
        let candidates = candidates(&explained);
        let pair = explained.pair;
        let told = pair.as_ref().and_then(|pair| pair.told.as_ref());
        Ok(v1::ExplainResponse {
            outcome: convert::outcome(explained.outcome).into(),
            reason: explained.reason,
            explanation: told.map(|(explanation, _)| convert::explanation(explanation)),
            withheld: pair.is_some() && told.is_none(),
            register_id: pair.map(|pair| pair.resident).unwrap_or_default(),
            thresholds: Some(convert::thresholds(explained.thresholds)),
            candidates,
            model_digest: convert::bytes(explained.model),
            receipt: convert::receipt(done.receipt),
        })
    }

    pub(super) async fn why_not_line(
        &self,
        caller: Caller,
        body: v1::WhyNotRequest,
    ) -> Result<v1::WhyNotResponse, Refusal> {
        let (explained, done) =
            self.explained(caller, &body.job_id, body.line_id, body.register_id).await?;
        let candidates = candidates(&explained);
        let withheld = explained.rules.is_none();
        let rules = explained.rules.unwrap_or_default();
        let (register_id, obstacles) = match explained.pair {
            Some(pair) => {
                let obstacles = pair.told.map(|(_, obstacles)| obstacles).unwrap_or_default();
                (pair.resident, obstacles)
            }
            None => Default::default(),
        };
        Ok(v1::WhyNotResponse {
            outcome: convert::outcome(explained.outcome).into(),
            reason: explained.reason,
            register_id,
            obstacles: obstacles.into_iter().map(convert::obstacle).collect(),
            withheld,
            rules: rules.into_iter().map(convert::rule_search).collect(),
            thresholds: Some(convert::thresholds(explained.thresholds)),
            candidates,
            model_digest: convert::bytes(explained.model),
            receipt: convert::receipt(done.receipt),
        })
    }

    async fn explained(
        &self,
        caller: Caller,
        job: &str,
        line: String,
        resident: String,
    ) -> Result<(ExplainedLine, Done<()>), Refusal> {
        let state = self.exchange.state();
        let id: Option<LinkageJobId> = job.parse().ok();
        let known = id.and_then(|id| state.jobs.get(&id));
        let owner = known.and_then(|job| state.owner_of_list(job.list));
        let dataset = known.map(|job| job.dataset);
        let permit =
            state.permit_own_with_dataset::<Link>(&caller, owner, dataset, self.today())?;
        let job = id.ok_or(Reason::NoAgreement)?;
        let resident = Some(resident).filter(|id| !id.is_empty());
        let asked = ExplainLine { permit, job, line, resident };
        self.blocking(move |desk| asked.explain(&desk.exchange, &desk.indexes)).await
    }
}

fn candidates(explained: &ExplainedLine) -> Vec<v1::Candidate> {
    let candidates = explained.candidates.iter();
    candidates.map(|(id, candidate)| convert::candidate(id.clone(), candidate)).collect()
}
