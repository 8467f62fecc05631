//! Estimates and models.

use std::sync::Arc;

use renkei_api::v1;
use renkei_exchange::command::Call;
use renkei_exchange::model::{ModelChange, ShowModels, promote};
use renkei_exchange::permit::{Link, Promote};
use renkei_exchange::trainer::Study;
use renkei_exchange::{Caller, Permit, Refusal};
use renkei_linkage::{Stage, Watcher};
use renkei_types::{DatasetId, Digest, ListId, Reason};
use tokio::sync::OwnedSemaphorePermit;

use crate::convert;
use crate::jobs::JobBoard;
use crate::services::Desk;

/// Ends a study when the broker stops.
struct UntilStop(Arc<JobBoard>);

impl Watcher for UntilStop {
    fn stage(&self, _: Stage, _: usize) {}

    fn done(&self, _: usize) {}

    fn stopped(&self) -> bool {
        self.0.is_stopping()
    }
}

/// A digest, or nothing where it is empty.
fn digest(bytes: &[u8], field: &'static str) -> Result<Option<Digest>, Refusal> {
    if bytes.is_empty() { Ok(None) } else { convert::digest(bytes, field).map(Some) }
}

impl Desk {
    fn study(&self, caller: &Caller, list: &str, dataset: &str) -> Result<Study, Refusal> {
        let state = self.exchange.state();
        let list: Option<ListId> = list.parse().ok();
        let dataset: Option<DatasetId> = dataset.parse().ok();
        let owner = list.and_then(|list| state.owner_of_list(list));
        let today = self.today();
        let permit = state.permit_own_with_dataset::<Link>(caller, owner, dataset, today)?;
        let (list, dataset) = list.zip(dataset).ok_or(Reason::NoAgreement)?;
        Ok(Study { permit, list, dataset })
    }

    /// The one place in which a whole list is studied, or a whole register read.
    pub(in crate::services) fn one_study(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let studies = Arc::clone(&self.studies);
        studies.try_acquire_owned().map_err(|_| Reason::Overloaded.into())
    }

    pub(super) async fn estimate_pairs(
        &self,
        caller: Caller,
        body: v1::EstimateRequest,
    ) -> Result<v1::EstimateResponse, Refusal> {
        let study = self.study(&caller, &body.list_id, &body.dataset_id)?;
        let place = self.one_study()?;
        let work = move |desk: &Self| {
            let estimated = study.estimate(&desk.exchange, &desk.indexes);
            drop(place);
            estimated
        };
        let (rules, done) = self.blocking(work).await?;
        let pairs = rules.iter().map(|rule| rule.new_pairs).sum();
        let rules = rules.into_iter().map(convert::rule_estimate).collect();
        Ok(v1::EstimateResponse { rules, pairs, receipt: convert::receipt(done.receipt) })
    }

    pub(super) async fn train_model(
        &self,
        caller: Caller,
        call: Call,
        body: v1::TrainRequest,
    ) -> Result<v1::TrainResponse, Refusal> {
        let study = self.study(&caller, &body.list_id, &body.dataset_id)?;
        let place = self.one_study()?;
        let work = move |desk: &Self| {
            let until = UntilStop(Arc::clone(&desk.jobs));
            let trained = study.train(&desk.exchange, &desk.indexes, call, &until);
            drop(place);
            trained
        };
        let (model, done) = self.blocking(work).await?;
        let expected = model.report.as_ref().and_then(|report| report.expected.as_ref());
        Ok(v1::TrainResponse {
            model_digest: convert::bytes(done.reply),
            model: model.to_toml(),
            expected: expected.map(convert::expectation),
            untrained: model.untrained_comparisons().map(str::to_owned).collect(),
            receipt: convert::receipt(done.receipt),
        })
    }

    pub(super) async fn evaluate_model(
        &self,
        caller: Caller,
        body: v1::EvaluateRequest,
    ) -> Result<v1::EvaluateResponse, Refusal> {
        let study = self.study(&caller, &body.list_id, &body.dataset_id)?;
        let model = digest(&body.model_digest, "model_digest")?;
        let place = self.one_study()?;
        let work = move |desk: &Self| {
            let until = UntilStop(Arc::clone(&desk.jobs));
            let evaluated = study.evaluate(&desk.exchange, &desk.indexes, model, &until);
            drop(place);
            evaluated
        };
        let (evaluated, done) = self.blocking(work).await?;
        let outcomes = evaluated.outcomes.iter().map(|&(outcome, lines)| v1::OutcomeLines {
            outcome: convert::outcome(outcome).into(),
            lines,
        });
        Ok(v1::EvaluateResponse {
            model_digest: convert::bytes(evaluated.model),
            lines: evaluated.lines,
            outcomes: outcomes.collect(),
            expected: Some(convert::expectation(&evaluated.expectation)),
            against_clerks: evaluated.against_clerks.as_ref().map(convert::against_clerks),
            receipt: convert::receipt(done.receipt),
        })
    }

    fn permit_to_promote(
        &self,
        caller: &Caller,
        dataset: &str,
    ) -> Result<(Permit<Promote>, DatasetId), Refusal> {
        let state = self.exchange.state();
        let dataset: Option<DatasetId> = dataset.parse().ok();
        let known = dataset.and_then(|dataset| state.datasets.get(&dataset));
        let permit = state.permit_own::<Promote>(caller, known.map(|known| &known.provider))?;
        Ok((permit, dataset.ok_or(Reason::NoAgreement)?))
    }

    pub(super) async fn promote_model(
        &self,
        caller: Caller,
        call: Call,
        body: v1::PromoteRequest,
    ) -> Result<v1::PromoteResponse, Refusal> {
        let (permit, dataset) = self.permit_to_promote(&caller, &body.dataset_id)?;
        let expected = digest(&body.expected_digest, "expected_digest")?;
        let promoted = digest(&body.model_digest, "model_digest")?;
        let change = ModelChange { dataset, expected, promoted };
        let work = move |desk: &Self| promote(&desk.exchange, &desk.indexes, call, permit, change);
        let done = self.blocking(work).await?;
        Ok(v1::PromoteResponse { receipt: convert::receipt(done.receipt) })
    }

    pub(super) async fn show_models(
        &self,
        caller: Caller,
        body: v1::GetModelRequest,
    ) -> Result<v1::GetModelResponse, Refusal> {
        let (permit, dataset) = self.permit_to_promote(&caller, &body.dataset_id)?;
        let state = self.exchange.state();
        let in_use = state.model_in_use(dataset);
        let wanted = digest(&body.model_digest, "model_digest")?.or(in_use);
        let model = match wanted {
            Some(digest) => {
                let state = Arc::clone(&state);
                let open =
                    move |desk: &Self| state.open_model(desk.exchange.vault(), dataset, digest);
                self.blocking(open).await?.to_toml()
            }
            None => String::new(),
        };
        let models = state.kept_models(dataset).map(|(digest, kept)| v1::KeptModel {
            digest: convert::bytes(digest),
            list_id: kept.list.to_string(),
            snapshot_id: kept.snapshot.to_string(),
            lines: kept.lines,
            engine: kept.engine.clone(),
            untrained: kept.untrained.clone(),
        });
        let models = models.collect();
        let done =
            self.exchange.execute(Call::read(caller), ShowModels { permit, dataset }).await?;
        Ok(v1::GetModelResponse {
            digest_in_use: in_use.map(convert::bytes).unwrap_or_default(),
            models,
            model,
            receipt: convert::receipt(done.receipt),
        })
    }
}
