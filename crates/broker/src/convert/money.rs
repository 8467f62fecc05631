//! Messages about programmes, files and batches.

use renkei_api::v1;
use renkei_exchange::Refusal;
use renkei_exchange::batch::{Batch, BatchState};
use renkei_exchange::programme::{PayeeUnit, Programme, Rules};
use renkei_exchange::transfer::Consignor;
use renkei_exchange::upload::{FileEncoding, FileShape};
use renkei_types::{BatchId, ProgrammeId};

use super::{bytes, date, parse, totals};

pub(crate) fn shape(encoding: &str, layout: String) -> Result<FileShape, Refusal> {
    let wanted = if encoding.is_empty() { "auto" } else { encoding };
    let encoding = FileEncoding::ALL.iter().find(|known| known.as_str() == wanted);
    Ok(FileShape {
        encoding: *encoding.ok_or(Refusal::field("encoding"))?,
        layout: (!layout.is_empty()).then_some(layout),
    })
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
    Ok(Rules {
        name: parse(&programme.name, "programme.name")?,
        title: programme.title.clone(),
        base_date: date(&programme.base_date, "programme.base_date")?,
        unit,
        line_yen_max: programme.line_yen_max,
        transfer_date: date(&programme.transfer_date, "programme.transfer_date")?,
        consignor,
    })
}

pub(crate) fn programme(id: ProgrammeId, programme: &Programme) -> v1::Programme {
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
    v1::Programme {
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
    };
    v1::Batch {
        batch_id: id.to_string(),
        list_id: batch.list.to_string(),
        state: state.into(),
        totals: Some(totals(batch.totals)),
        digest: bytes(batch.digest),
        proposed_by: batch.proposed_by.to_string(),
        certified_by: batch.certified_by.as_ref().map(ToString::to_string).unwrap_or_default(),
        feed_number: batch.feed_number.unwrap_or_default(),
    }
}
