//! `renkei dataset protection`: how the protection of persons (DV等支援措置) in a register stands. Numbers and days, never
//! names: who asks may be anybody of the providing agency.

use renkei_api::v1::GetProtectionRequest;
use renkei_types::DatasetId;
use serde_json::json;

use super::session::{Session, local_time, plain};
use crate::failure::{Exit, Failure};

/// Periods that have ended protect on; somebody must say whether they are over.
pub(super) fn warn_of_overdue(session: &Session<'_>, overdue: u64) {
    session.environment.warn(
        &format!("the period of {overdue} persons has ended; they stay protected until a report says that it is over"),
        &format!("期限の過ぎた対象が {overdue} 人います。解除が報告されるまで支援措置を続けます"),
    );
}

pub(super) async fn show(session: &Session<'_>, dataset: DatasetId) -> Result<Exit, Failure> {
    let call = GetProtectionRequest { dataset_id: dataset.to_string() };
    let found = session.ask(call).await?;
    let environment = session.environment;
    let (overdue, soon) = (found.overdue, found.ending_soon);
    if found.stale {
        environment.warn(
            "nothing was reported for too long: everybody is treated as protected; send a report with `renkei dataset protect`",
            "報告が古いかありません。全員を対象として扱っています。`renkei dataset protect` で報告してください",
        );
    }
    if overdue > 0 {
        warn_of_overdue(session, overdue);
    }
    if soon > 0 {
        let next = plain(&found.next_end);
        environment.warn(
            &format!("the period of {soon} persons ends within 31 days, the next on {next}"),
            &format!("31日以内に期限を迎える対象が {soon} 人います（最も近い期限 {next}）"),
        );
    }
    let stands = environment.say("no", "いいえ");
    let stale = environment.say("yes", "はい");
    let rows = [
        (environment.say("reports", "報告の回数"), found.number.to_string()),
        (environment.say("last report", "最後の報告"), local_time(&found.reported_at)),
        (environment.say("persons", "対象者"), found.persons.to_string()),
        (environment.say("period ended", "期限切れ"), overdue.to_string()),
        (environment.say("ends within 31 days", "31日以内に期限"), soon.to_string()),
        (environment.say("next end", "最も近い期限"), plain(&found.next_end)),
        (
            environment.say("everybody treated as protected", "全員を対象扱い"),
            if found.stale { stale } else { stands }.to_owned(),
        ),
    ];
    let object = json!({
        "dataset_id": dataset.to_string(),
        "number": found.number,
        "reported_at": (!found.reported_at.is_empty()).then_some(&found.reported_at),
        "persons": found.persons,
        "overdue": overdue,
        "ending_soon": soon,
        "next_end": (!found.next_end.is_empty()).then_some(&found.next_end),
        "stale": found.stale,
    });
    let text: Vec<String> = rows.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Ok(session.done(object, &text.join("\n"), found.receipt.as_ref()))
}
