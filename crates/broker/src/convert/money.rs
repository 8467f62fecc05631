//! Messages about programmes, files and batches.

use std::collections::BTreeMap;

use renkei_api::v1;
use renkei_exchange::accounts::{AccountFinding, AccountLine};
use renkei_exchange::batch::{Batch, BatchState};
use renkei_exchange::division::DivisionKind;
use renkei_exchange::exclusion::{Exclusion, ExclusionReason};
use renkei_exchange::hold::{Stop, Unusual};
use renkei_exchange::household_case::{CaseState, HouseholdLine};
use renkei_exchange::households::HouseholdFinding;
use renkei_exchange::list::Totals;
use renkei_exchange::programme::{AmountRule, ChangeLimits, ListKind, PayeeUnit, Programme, Rules};
use renkei_exchange::readmission::Readmission;
use renkei_exchange::reconcile::{Reconciliation, Sheets};
use renkei_exchange::supersede::Supersedes;
use renkei_exchange::transfer::Consignor;
use renkei_exchange::upload::{FileEncoding, FileShape};
use renkei_exchange::{Refusal, State};
use renkei_types::{BatchId, Identity, ListId, ProgrammeId, Reason};

use super::{bytes, date, parse, totals};

pub(crate) fn shape(encoding: &str, layout: String) -> Result<FileShape, Refusal> {
    let wanted = if encoding.is_empty() { "auto" } else { encoding };
    let encoding = FileEncoding::ALL.iter().find(|known| known.as_str() == wanted);
    Ok(FileShape {
        encoding: *encoding.ok_or(Refusal::field("encoding"))?,
        layout: (!layout.is_empty()).then_some(layout),
    })
}

pub(crate) fn supersedes(list: &str, lines_only: bool) -> Result<Option<Supersedes>, Refusal> {
    match list {
        "" if lines_only => Err(Refusal::field("lines_only")),
        "" => Ok(None),
        list => Ok(Some(Supersedes { list: super::known(list)?, whole: !lines_only })),
    }
}

pub(crate) fn rules(programme: &v1::Programme) -> Result<Rules, Refusal> {
    let unit = match v1::PayeeUnit::try_from(programme.unit) {
        Ok(v1::PayeeUnit::Person) => PayeeUnit::Person,
        Ok(v1::PayeeUnit::Household) => PayeeUnit::Household,
        Ok(v1::PayeeUnit::Unspecified) | Err(_) => return Err(Refusal::field("programme.unit")),
    };
    let consignor = programme.consignor.as_ref().map(|consignor| Consignor {
        code: consignor.code.clone(),
        name_kana: consignor.name_kana.clone(),
        bank_code: consignor.bank_code.clone(),
        branch_code: consignor.branch_code.clone(),
        account_type: consignor.account_type.to_string(),
        account_number: consignor.account_number.clone(),
    });
    let amount = match programme.amount.as_ref().map(|amount| amount.rule.as_ref()) {
        None => None,
        Some(Some(v1::amount_rule::Rule::FixedYen(yen))) => Some(AmountRule::Fixed { yen: *yen }),
        Some(Some(v1::amount_rule::Rule::Each(each))) => {
            Some(AmountRule::Each { yen: each.yen, most: each.most })
        }
        Some(None) => return Err(Refusal::field("programme.amount")),
    };
    let decline_until = match programme.decline_until.as_str() {
        "" => None,
        day => Some(date(day, "programme.decline_until")?),
    };
    let limits = programme.change_limits.as_ref().map_or_else(ChangeLimits::default, |limits| {
        let v1::ChangeLimits { vanished_percent, total_percent } = *limits;
        ChangeLimits { vanished_percent, total_percent }
    });
    Ok(Rules {
        amount,
        decline_until,
        limits,
        name: parse(&programme.name, "programme.name")?,
        title: programme.title.clone(),
        base_date: date(&programme.base_date, "programme.base_date")?,
        unit,
        line_yen_max: programme.line_yen_max,
        transfer_date: date(&programme.transfer_date, "programme.transfer_date")?,
        consignor,
    })
}

/// A programme and everything about it that is on hold.
pub(crate) fn programme(state: &State, id: ProgrammeId, programme: &Programme) -> v1::Programme {
    let rules = &programme.rules;
    let unit = match rules.unit {
        PayeeUnit::Person => v1::PayeeUnit::Person,
        PayeeUnit::Household => v1::PayeeUnit::Household,
    };
    let consignor = rules.consignor.as_ref().map(|consignor| v1::Consignor {
        code: consignor.code.clone(),
        name_kana: consignor.name_kana.clone(),
        bank_code: consignor.bank_code.clone(),
        branch_code: consignor.branch_code.clone(),
        account_type: consignor.account_type.parse().unwrap_or_default(),
        account_number: consignor.account_number.clone(),
    });
    let amount = rules.amount.map(|amount| match amount {
        AmountRule::Fixed { yen } => v1::amount_rule::Rule::FixedYen(yen),
        AmountRule::Each { yen, most } => v1::amount_rule::Rule::Each(v1::EachAmount { yen, most }),
    });
    let readmission = |one: &Readmission| v1::Readmission {
        payees: one.payees,
        first: one.first.to_string(),
        second: one.second.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let exclusion = |exclusion: &Exclusion| v1::Exclusion {
        reason: exclusion_reason_out(exclusion.reason).into(),
        payees: exclusion.payees,
        known_before: exclusion.known_before,
    };
    let list_stops = programme.lists.iter().filter_map(|list| {
        let hold = state.lists.get(list)?.hold.as_ref()?;
        Some(v1::ListStop { list_id: list.to_string(), stop: Some(stop(hold)) })
    });
    let payee_stops = state.held_payees(id).map(|(_, hold)| v1::PayeeStop {
        stop: Some(stop(&hold.stop)),
        batch_ids: hold.batches.iter().map(ToString::to_string).collect(),
    });
    v1::Programme {
        list_stops: list_stops.collect(),
        payee_stops: payee_stops.collect(),
        amount: amount.map(|rule| v1::AmountRule { rule: Some(rule) }),
        decline_until: rules.decline_until.map(|day| day.to_string()).unwrap_or_default(),
        change_limits: Some(v1::ChangeLimits {
            vanished_percent: rules.limits.vanished_percent,
            total_percent: rules.limits.total_percent,
        }),
        stop: programme.hold.as_ref().map(stop),
        exclusions: programme.exclusions.iter().map(exclusion).collect(),
        readmissions: programme.readmissions.iter().map(readmission).collect(),
        programme_id: id.to_string(),
        agency: programme.agency.to_string(),
        name: rules.name.to_string(),
        title: rules.title.clone(),
        base_date: rules.base_date.to_string(),
        unit: unit.into(),
        line_yen_max: rules.line_yen_max,
        transfer_date: rules.transfer_date.to_string(),
        consignor,
        dataset_id: programme.dataset.to_string(),
        on_hold: programme.hold.is_some(),
        list_ids: programme.lists.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn batch(id: BatchId, batch: &Batch) -> v1::Batch {
    let state = match batch.state {
        BatchState::Proposed => v1::BatchState::Proposed,
        BatchState::Certified => v1::BatchState::Certified,
        BatchState::Released => v1::BatchState::Released,
        BatchState::Acknowledged => v1::BatchState::Acknowledged,
        BatchState::Withdrawn => v1::BatchState::Withdrawn,
        BatchState::Paid => v1::BatchState::Paid,
    };
    v1::Batch {
        separate_households: batch.separate_households,
        batch_id: id.to_string(),
        list_id: batch.list.to_string(),
        state: state.into(),
        totals: Some(totals(batch.totals)),
        digest: bytes(batch.digest),
        proposed_by: batch.proposed_by.to_string(),
        certified_by: batch.certified_by.as_ref().map(ToString::to_string).unwrap_or_default(),
        feed_number: batch.feed_number.unwrap_or_default(),
        returned: Some(totals(batch.returned)),
        refunded: Some(totals(batch.refunded)),
        accounts: Some(v1::AccountCounts {
            holder_differs: batch.accounts.holder_differs,
            family_account: batch.accounts.family_account,
            shared_account: batch.accounts.shared_account,
        }),
    }
}

pub(crate) fn stop(stop: &Stop) -> v1::Stop {
    let unusual = |found: &Unusual| match found {
        Unusual::PayeesVanished => v1::Unusual::PayeesVanished,
        Unusual::TotalMoved => v1::Unusual::TotalMoved,
        Unusual::LineIsTotal => v1::Unusual::LineIsTotal,
        Unusual::OneAccount => v1::Unusual::OneAccount,
    };
    let text = |who: &Option<Identity>| who.as_ref().map(ToString::to_string).unwrap_or_default();
    v1::Stop {
        placed_by: text(&stop.by),
        unusual: stop.unusual.iter().map(|found| unusual(found).into()).collect(),
        lifted_by: text(&stop.lifted_by),
    }
}

fn exclusion_reason_out(reason: ExclusionReason) -> v1::ExclusionReason {
    match reason {
        ExclusionReason::PaidElsewhere => v1::ExclusionReason::PaidElsewhere,
        ExclusionReason::Declined => v1::ExclusionReason::Declined,
        ExclusionReason::NotEntitled => v1::ExclusionReason::NotEntitled,
    }
}

pub(crate) fn exclusion_reason(code: i32) -> Result<ExclusionReason, Refusal> {
    match v1::ExclusionReason::try_from(code) {
        Ok(v1::ExclusionReason::PaidElsewhere) => Ok(ExclusionReason::PaidElsewhere),
        Ok(v1::ExclusionReason::Declined) => Ok(ExclusionReason::Declined),
        Ok(v1::ExclusionReason::NotEntitled) => Ok(ExclusionReason::NotEntitled),
        Ok(v1::ExclusionReason::Unspecified) | Err(_) => Err(Refusal::field("reason")),
    }
}

/// Nothing where it is not one.
pub(crate) fn division_kind(code: i32) -> Option<DivisionKind> {
    match v1::DivisionKind::try_from(code) {
        Ok(v1::DivisionKind::StillOne) => Some(DivisionKind::StillOne),
        Ok(v1::DivisionKind::Separate) => Some(DivisionKind::Separate),
        Ok(v1::DivisionKind::DvSeparate) => Some(DivisionKind::DvSeparate),
        Ok(v1::DivisionKind::Unspecified) | Err(_) => None,
    }
}

pub(crate) fn list_kind(code: i32) -> Result<Option<ListKind>, Refusal> {
    match v1::ListKind::try_from(code) {
        Ok(v1::ListKind::Unspecified) => Ok(None),
        Ok(v1::ListKind::Push) => Ok(Some(ListKind::Push)),
        Ok(v1::ListKind::Confirmation) => Ok(Some(ListKind::Confirmation)),
        Ok(v1::ListKind::Application) => Ok(Some(ListKind::Application)),
        Err(_) => Err(Refusal::field("kind")),
    }
}

pub(crate) fn account_line(line: AccountLine) -> v1::AccountLine {
    let finding = |finding| match finding {
        AccountFinding::HolderDiffers => v1::AccountFinding::HolderDiffers,
        AccountFinding::FamilyAccount => v1::AccountFinding::FamilyAccount,
        AccountFinding::SharedAccount => v1::AccountFinding::SharedAccount,
    };
    v1::AccountLine {
        line_id: line.line,
        row: line.row,
        findings: line.findings.into_iter().map(|found| finding(found).into()).collect(),
        group: line.group,
    }
}

pub(crate) fn household_line(line: HouseholdLine) -> v1::HouseholdLine {
    let finding = |finding| match finding {
        HouseholdFinding::ProtectedMember => v1::HouseholdFinding::ProtectedMember,
        HouseholdFinding::MemberLeft => v1::HouseholdFinding::MemberLeft,
        HouseholdFinding::HolderIsOther => v1::HouseholdFinding::HolderIsOther,
        HouseholdFinding::OtherAddress => v1::HouseholdFinding::OtherAddress,
        HouseholdFinding::CountsDivided => v1::HouseholdFinding::CountsDivided,
        HouseholdFinding::PaidWithOld => v1::HouseholdFinding::PaidWithOld,
    };
    let state = match line.state {
        CaseState::Open => v1::CaseState::Open,
        CaseState::Signed => v1::CaseState::Signed,
        CaseState::Cleared => v1::CaseState::Cleared,
    };
    v1::HouseholdLine {
        line_id: line.line,
        row: line.row,
        findings: line.findings.into_iter().map(|found| finding(found).into()).collect(),
        state: state.into(),
        batch_id: line.batch.map(|batch| batch.to_string()).unwrap_or_default(),
    }
}

/// One list of a reconciliation.
pub(crate) fn list_sheet(
    state: &State,
    id: ListId,
    counted: &Reconciliation,
) -> Result<v1::ListSheet, Refusal> {
    let list = state.lists.get(&id).ok_or(Reason::NoAgreement)?;
    let step =
        |step: &str, sum| v1::ReconcileStep { step: step.to_owned(), totals: Some(totals(sum)) };
    let batches = list.batches.iter().filter_map(|id| Some(batch(*id, state.batches.get(id)?)));
    let text = |list: Option<ListId>| list.map(|list| list.to_string()).unwrap_or_default();
    Ok(v1::ListSheet {
        list_id: id.to_string(),
        name: list.name.to_string(),
        declared: Some(totals(counted.declared)),
        outcomes: counted.outcomes.iter().map(|(at, sum)| step(at.as_str(), *sum)).collect(),
        steps: counted.steps.iter().map(|(at, sum)| step(at.as_str(), *sum)).collect(),
        batches: batches.collect(),
        balanced: counted.is_balanced(),
        supersedes_list_id: text(list.supersedes.map(|supersedes| supersedes.list)),
        superseded_by_list_id: text(list.superseded_by),
        stop: list.hold.as_ref().map(stop),
        kind: match list.kind {
            None => v1::ListKind::Unspecified,
            Some(ListKind::Push) => v1::ListKind::Push,
            Some(ListKind::Confirmation) => v1::ListKind::Confirmation,
            Some(ListKind::Application) => v1::ListKind::Application,
        }
        .into(),
        differences: list.differences.map(|found| v1::Differences {
            equal: found.equal,
            changed: found.changed,
            added: found.added,
            removed: found.removed,
        }),
    })
}

/// Several lists together, with each of them; or one.
pub(crate) fn reconciliation(
    state: &State,
    counted: &Sheets,
) -> Result<v1::ReconcileResponse, Refusal> {
    let mut declared = Totals::default();
    let mut outcomes = BTreeMap::new();
    let mut steps = BTreeMap::new();
    for (_, list) in counted {
        declared += list.declared;
        for (at, sum) in &list.outcomes {
            *outcomes.entry(*at).or_insert_with(Totals::default) += *sum;
        }
        for (at, sum) in &list.steps {
            *steps.entry(*at).or_insert_with(Totals::default) += *sum;
        }
    }
    let lists = counted.iter().map(|(id, list)| list_sheet(state, *id, list));
    let lists = lists.collect::<Result<Vec<_>, Refusal>>()?;
    let step =
        |step: &str, sum| v1::ReconcileStep { step: step.to_owned(), totals: Some(totals(sum)) };
    Ok(v1::ReconcileResponse {
        declared: Some(totals(declared)),
        outcomes: outcomes.into_iter().map(|(at, sum)| step(at.as_str(), sum)).collect(),
        steps: steps.into_iter().map(|(at, sum)| step(at.as_str(), sum)).collect(),
        batches: lists.iter().flat_map(|list| list.batches.clone()).collect(),
        balanced: counted.iter().all(|(_, list)| list.is_balanced()),
        receipt: None,
        lists,
    })
}
