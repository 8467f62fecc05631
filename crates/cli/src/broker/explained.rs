//! Explanations as a broker sends them, made into what `explain` prints.

use renkei_api::outcome_text;
use renkei_api::v1::{
    self, Candidate, ExplainRequest, ExplainResponse, MissKind, ObstacleKind, RuleFound,
    WhyNotRequest, WhyNotResponse,
};
use renkei_linkage::{
    Explanation, Lookalike, MatchWeight, Miss, MissedRule, Obstacle, RuleSearch, Search, Term,
    TermView, Thresholds,
};
use renkei_types::{LinkageJobId, Reason};
use serde_json::{Value, json};

use super::code_words::told;
use super::error::{BrokerError, reason_text};
use super::identify::candidate_json;
use super::results::{probability, weight};
use super::session::{Session, digest_json, plain, receipt_json};
use crate::environment::Environment;
use crate::explained::{self, why_not_sentence};
use crate::failure::{Exit, Failure};
use crate::json;

/// A line of a job, and perhaps a resident.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PairArguments {
    /// The job
    job: LinkageJobId,
    /// Id of the line
    line: String,
    /// Id of the resident; the best candidate otherwise
    resident: Option<String>,
}

pub(super) async fn explain(
    session: &Session<'_>,
    arguments: &PairArguments,
) -> Result<Exit, Failure> {
    let call = ExplainRequest {
        job_id: arguments.job.to_string(),
        line_id: arguments.line.clone(),
        register_id: arguments.resident.clone().unwrap_or_default(),
    };
    let answer = session.ask(call).await?;
    let explanation = answer.explanation.as_ref().map(explanation);
    let environment = session.environment;
    if environment.json {
        json::print(&explain_json(&answer, explanation.as_ref()));
        return Ok(Exit::Done);
    }
    print_head(&arguments.line, answer.outcome(), &answer.reason, environment);
    match &explanation {
        Some(explanation) => {
            print_line!("{}", plain(&answer.register_id));
            explained::print_waterfall(explanation, thresholds(answer.thresholds), environment);
            explained::print_rules(explanation, environment);
        }
        None => print_untold(answer.withheld, environment),
    }
    print_candidates(&answer.candidates, environment);
    Ok(Exit::Done)
}

pub(super) async fn why_not(
    session: &Session<'_>,
    arguments: &PairArguments,
) -> Result<Exit, Failure> {
    let call = WhyNotRequest {
        job_id: arguments.job.to_string(),
        line_id: arguments.line.clone(),
        register_id: arguments.resident.clone().unwrap_or_default(),
    };
    let answer = session.ask(call).await?;
    let obstacles = answer.obstacles.iter().map(obstacle).collect::<Result<Vec<_>, _>>()?;
    let rules = answer.rules.iter().map(rule_search).collect::<Result<Vec<_>, _>>()?;
    let environment = session.environment;
    if environment.json {
        json::print(&why_not_json(&answer, &obstacles, &rules, environment));
        return Ok(Exit::Done);
    }
    print_head(&arguments.line, answer.outcome(), &answer.reason, environment);
    if answer.withheld {
        print_untold(true, environment);
    } else if answer.register_id.is_empty() {
        explained::print_search(&rules, environment);
    } else {
        let sentence = why_not_sentence(&obstacles, environment.language);
        print_line!("{}: {}", plain(&answer.register_id), plain(&sentence));
        explained::print_obstacles(&obstacles, environment);
    }
    print_candidates(&answer.candidates, environment);
    Ok(Exit::Done)
}

fn thresholds_json(sent: Option<v1::Thresholds>) -> Value {
    let Thresholds { link, review, margin } = thresholds(sent);
    json!({"link": link.bits(), "review": review.bits(), "margin": margin.bits()})
}

fn explain_json(answer: &ExplainResponse, explanation: Option<&Explanation>) -> Value {
    let mut pair = explanation.map_or(Value::Null, explained::explanation_json);
    if let Some(pair) = pair.as_object_mut() {
        pair.insert("register_id".to_owned(), json!(answer.register_id));
    }
    json!({
        "outcome": outcome_text(answer.outcome()),
        "reason": answer.reason,
        "register_id": answer.register_id,
        "withheld": answer.withheld,
        "pair": pair,
        "thresholds": thresholds_json(answer.thresholds),
        "candidates": answer.candidates.iter().map(candidate_json).collect::<Vec<_>>(),
        "model_digest": digest_json(&answer.model_digest),
        "receipt": receipt_json(answer.receipt.as_ref()),
    })
}

fn why_not_json(
    answer: &WhyNotResponse,
    obstacles: &[Obstacle<String>],
    rules: &[RuleSearch],
    environment: &Environment,
) -> Value {
    let named = !answer.withheld && !answer.register_id.is_empty();
    let sentence = named.then(|| why_not_sentence(obstacles, environment.language));
    json!({
        "outcome": outcome_text(answer.outcome()),
        "reason": answer.reason,
        "register_id": answer.register_id,
        "withheld": answer.withheld,
        "why_not": sentence,
        "obstacles": obstacles.iter().map(explained::obstacle_json).collect::<Vec<_>>(),
        "rules": explained::search_json(rules),
        "thresholds": thresholds_json(answer.thresholds),
        "candidates": answer.candidates.iter().map(candidate_json).collect::<Vec<_>>(),
        "model_digest": digest_json(&answer.model_digest),
        "receipt": receipt_json(answer.receipt.as_ref()),
    })
}

fn print_head(line: &str, outcome: v1::Outcome, reason: &str, environment: &Environment) {
    let reason = reason_text(reason, environment.language);
    let outcome = told(&outcome, environment.language);
    print_line!("{}: {outcome} {}", plain(line), plain(&reason));
}

fn print_untold(withheld: bool, environment: &Environment) {
    print_line!(
        "{}",
        if withheld {
            environment.say("nothing more may be told", "これ以上はお伝えできません")
        } else {
            environment.say("the line was compared with nobody", "比較した住民はいません")
        }
    );
}

fn print_candidates(candidates: &[Candidate], environment: &Environment) {
    if candidates.is_empty() {
        return;
    }
    print_line!("\n{}", environment.say("candidates, best first:", "候補（良い順）:"));
    for candidate in candidates {
        print_line!(
            "{:>3}  {}  {:>9}  {}",
            candidate.rank,
            plain(&candidate.register_id),
            weight(candidate.match_weight_millibits),
            probability(candidate.probability_ppb)
        );
    }
}

const fn bits(millibits: i32) -> MatchWeight {
    MatchWeight::from_millibits(millibits)
}

fn thresholds(sent: Option<v1::Thresholds>) -> Thresholds {
    let sent = sent.unwrap_or_default();
    Thresholds {
        link: bits(sent.link_millibits),
        review: bits(sent.review_millibits),
        margin: bits(sent.margin_millibits),
    }
}

fn explanation(sent: &v1::Explanation) -> Explanation {
    let view = |code: &str| TermView::ALL.into_iter().find(|view| view.as_str() == code);
    let term = |term: &v1::Term| Term {
        comparison: plain(&term.comparison),
        // A view that a newer broker knows is a value for this program.
        view: view(&term.view).unwrap_or(TermView::Value),
        level: plain(&term.level),
        m: term.m,
        u: term.u,
        weight: bits(term.weight_millibits),
        frequency: bits(term.frequency_millibits),
    };
    Explanation {
        prior: bits(sent.prior_millibits),
        terms: sent.terms.iter().map(term).collect(),
        relatives: bits(sent.relatives_millibits),
        lookalike: Lookalike::ALL.into_iter().find(|who| who.as_str() == sent.lookalike),
        rivals: bits(sent.rivals_millibits),
        weight: bits(sent.match_weight_millibits),
        rules: sent.rules.iter().map(|rule| plain(rule)).collect(),
    }
}

const UNKNOWN: BrokerError = BrokerError::Answer { what: "an explanation with an unknown kind" };

fn obstacle(sent: &v1::Obstacle) -> Result<Obstacle<String>, BrokerError> {
    Ok(match sent.kind() {
        ObstacleKind::NotCompared => {
            let missed = sent.missed.iter().map(missed).collect::<Result<_, _>>()?;
            Obstacle::NotCompared(missed)
        }
        ObstacleKind::Rival => Obstacle::Rival {
            resident: plain(&sent.register_id),
            by: bits(sent.by_millibits),
            evidence_by: bits(sent.evidence_by_millibits),
        },
        ObstacleKind::Short => Obstacle::Short {
            of_link: bits(sent.of_link_millibits),
            of_review: (sent.of_review_millibits > 0).then(|| bits(sent.of_review_millibits)),
        },
        ObstacleKind::Rivals => {
            Obstacle::Rivals { take: bits(sent.by_millibits), short: bits(sent.short_millibits) }
        }
        ObstacleKind::SmallMargin => Obstacle::SmallMargin {
            resident: plain(&sent.register_id),
            margin: bits(sent.margin_millibits),
            short: bits(sent.short_millibits),
        },
        ObstacleKind::HeldByLine => Obstacle::HeldByLine { line: plain(&sent.line_id) },
        ObstacleKind::Other => {
            let reason = Reason::ALL.iter().find(|reason| reason.as_str() == sent.reason);
            Obstacle::Other(*reason.ok_or(UNKNOWN)?)
        }
        ObstacleKind::Unspecified => return Err(UNKNOWN),
    })
}

fn missed(sent: &v1::MissedRule) -> Result<MissedRule, BrokerError> {
    let parts = || sent.parts.iter().map(|part| plain(part)).collect();
    let miss = match sent.why() {
        MissKind::LineHasNone => Miss::LineHasNone(parts()),
        MissKind::ResidentHasNone => Miss::ResidentHasNone(parts()),
        MissKind::ValuesDiffer => Miss::ValuesDiffer(parts()),
        MissKind::BlockTooLarge => {
            Miss::BlockTooLarge { residents: sent.residents, most: sent.residents_max }
        }
        MissKind::NotAsked => Miss::NotAsked,
        MissKind::Unspecified => return Err(UNKNOWN),
    };
    Ok(MissedRule { rule: plain(&sent.rule), miss })
}

fn rule_search(sent: &v1::RuleSearch) -> Result<RuleSearch, BrokerError> {
    let found = match sent.found() {
        RuleFound::NoValue => Search::NoValue,
        RuleFound::Nobody => Search::Nobody,
        RuleFound::TooMany => {
            Search::TooMany { residents: sent.residents, most: sent.residents_max }
        }
        RuleFound::Residents => Search::Residents(sent.residents),
        RuleFound::NotAsked => Search::NotAsked,
        RuleFound::Unspecified => return Err(UNKNOWN),
    };
    Ok(RuleSearch { rule: plain(&sent.rule), found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_of_an_unknown_kind_is_told_as_a_bad_answer() {
        let unknown = v1::Obstacle { kind: 99, ..Default::default() };
        assert!(matches!(obstacle(&unknown), Err(BrokerError::Answer { .. })));
        let other = v1::Obstacle {
            kind: ObstacleKind::Other.into(),
            reason: "NO_EVIDENCE".to_owned(),
            ..Default::default()
        };
        assert_eq!(obstacle(&other).expect("known"), Obstacle::Other(Reason::NoEvidence));
    }

    #[test]
    fn a_review_threshold_that_is_reached_is_not_missed() {
        let short = |of_review| v1::Obstacle {
            kind: ObstacleKind::Short.into(),
            of_link_millibits: 900,
            of_review_millibits: of_review,
            ..Default::default()
        };
        let of_link = MatchWeight::from_millibits(900);
        assert_eq!(
            obstacle(&short(0)).expect("known"),
            Obstacle::Short { of_link, of_review: None }
        );
        assert_eq!(
            obstacle(&short(70)).expect("known"),
            Obstacle::Short { of_link, of_review: Some(MatchWeight::from_millibits(70)) }
        );
    }
}
