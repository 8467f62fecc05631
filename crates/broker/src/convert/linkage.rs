//! Explanations, estimates and models as messages.

use renkei_api::v1;
use renkei_exchange::trainer::AgainstClerks;
use renkei_linkage::{
    BlockingReport, Expectation, Expected, Explanation, Interval, MatchWeight, Miss, MissedRule,
    Obstacle, RankedCandidate, RuleSearch, Search, Term, Thresholds,
};

use super::parts_per_billion;

pub(crate) fn candidate(register_id: String, candidate: &RankedCandidate) -> v1::Candidate {
    v1::Candidate {
        register_id,
        rank: u32::try_from(candidate.rank).unwrap_or(u32::MAX),
        probability_ppb: parts_per_billion(candidate.weight.probability()),
        match_weight_millibits: candidate.weight.millibits(),
    }
}

pub(crate) fn thresholds(thresholds: Thresholds) -> v1::Thresholds {
    v1::Thresholds {
        link_millibits: thresholds.link.millibits(),
        review_millibits: thresholds.review.millibits(),
        margin_millibits: thresholds.margin.millibits(),
    }
}

pub(crate) fn explanation(explanation: &Explanation) -> v1::Explanation {
    let term = |term: &Term| v1::Term {
        comparison: term.comparison.clone(),
        view: term.view.as_str().to_owned(),
        level: term.level.clone(),
        m: term.m,
        u: term.u,
        weight_millibits: term.weight.millibits(),
        frequency_millibits: term.frequency.millibits(),
    };
    v1::Explanation {
        prior_millibits: explanation.prior.millibits(),
        terms: explanation.terms.iter().map(term).collect(),
        relatives_millibits: explanation.relatives.millibits(),
        lookalike: explanation.lookalike.map_or("", |who| who.as_str()).to_owned(),
        match_weight_millibits: explanation.weight.millibits(),
        rules: explanation.rules.clone(),
        rivals_millibits: explanation.rivals.millibits(),
    }
}

pub(crate) fn obstacle(obstacle: Obstacle<String>) -> v1::Obstacle {
    let of = |kind: v1::ObstacleKind| v1::Obstacle { kind: kind.into(), ..Default::default() };
    match obstacle {
        Obstacle::NotCompared(rules) => v1::Obstacle {
            missed: rules.into_iter().map(missed).collect(),
            ..of(v1::ObstacleKind::NotCompared)
        },
        Obstacle::Rival { resident, by, evidence_by } => v1::Obstacle {
            register_id: resident,
            by_millibits: by.millibits(),
            evidence_by_millibits: evidence_by.millibits(),
            ..of(v1::ObstacleKind::Rival)
        },
        Obstacle::Short { of_link, of_review } => v1::Obstacle {
            of_link_millibits: of_link.millibits(),
            of_review_millibits: of_review.map_or(0, MatchWeight::millibits),
            ..of(v1::ObstacleKind::Short)
        },
        Obstacle::Rivals { take, short } => v1::Obstacle {
            by_millibits: take.millibits(),
            short_millibits: short.millibits(),
            ..of(v1::ObstacleKind::Rivals)
        },
        Obstacle::SmallMargin { resident, margin, short } => v1::Obstacle {
            register_id: resident,
            margin_millibits: margin.millibits(),
            short_millibits: short.millibits(),
            ..of(v1::ObstacleKind::SmallMargin)
        },
        Obstacle::HeldByLine { line } => {
            v1::Obstacle { line_id: line, ..of(v1::ObstacleKind::HeldByLine) }
        }
        Obstacle::Other(reason) => {
            v1::Obstacle { reason: reason.as_str().to_owned(), ..of(v1::ObstacleKind::Other) }
        }
    }
}

fn missed(missed: MissedRule) -> v1::MissedRule {
    let (why, parts, (residents, residents_max)) = match missed.miss {
        Miss::LineHasNone(parts) => (v1::MissKind::LineHasNone, parts, (0, 0)),
        Miss::ResidentHasNone(parts) => (v1::MissKind::ResidentHasNone, parts, (0, 0)),
        Miss::ValuesDiffer(parts) => (v1::MissKind::ValuesDiffer, parts, (0, 0)),
        Miss::BlockTooLarge { residents, most } => {
            (v1::MissKind::BlockTooLarge, Vec::new(), (residents, most))
        }
        Miss::NotAsked => (v1::MissKind::NotAsked, Vec::new(), (0, 0)),
    };
    v1::MissedRule { rule: missed.rule, why: why.into(), parts, residents, residents_max }
}

pub(crate) fn rule_search(search: RuleSearch) -> v1::RuleSearch {
    let (found, residents, residents_max) = match search.found {
        Search::NoValue => (v1::RuleFound::NoValue, 0, 0),
        Search::Nobody => (v1::RuleFound::Nobody, 0, 0),
        Search::TooMany { residents, most } => (v1::RuleFound::TooMany, residents, most),
        Search::Residents(residents) => (v1::RuleFound::Residents, residents, 0),
        Search::NotAsked => (v1::RuleFound::NotAsked, 0, 0),
    };
    v1::RuleSearch { rule: search.rule, found: found.into(), residents, residents_max }
}

pub(crate) fn rule_estimate(report: BlockingReport) -> v1::RuleEstimate {
    v1::RuleEstimate {
        rule: report.rule,
        pairs: report.pairs,
        new_pairs: report.new_pairs,
        largest_block: report.largest_block,
        blocks_left_out: report.blocks_left_out,
        pairs_left_out: report.pairs_left_out,
    }
}

fn figure(value: f64, interval: Interval) -> Option<v1::ExpectedFigure> {
    Some(v1::ExpectedFigure { value, low: interval.low, high: interval.high })
}

pub(crate) fn expectation(expectation: &Expectation) -> v1::Expectation {
    let expected = |expected: Expected| figure(expected.value, expected.interval);
    v1::Expectation {
        links: expectation.links,
        false_links: expected(expectation.false_links),
        precision: expected(expectation.precision),
        recall: expected(expectation.recall),
    }
}

pub(crate) fn against_clerks(found: &AgainstClerks) -> v1::AgainstClerks {
    let linked = found.linked;
    v1::AgainstClerks {
        lines: found.lines,
        persons: found.persons,
        best_is_person: found.best_is_persons,
        links: linked.links,
        right: linked.right,
        precision: figure(linked.precision, linked.precision_interval),
        recall: figure(linked.recall, linked.recall_interval),
    }
}
