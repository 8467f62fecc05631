//! From decided lines to a bank's file: certified by two people, delivered, counted by the receiver, and read back.

use renkei_api::v1::subscribe_response::Part;
use renkei_api::v1::{
    AckRequest, Batch, CertifyRequest, ExportTransferRequest, ReconcileRequest, SubscribeRequest,
    Totals,
};
use renkei_japanese::zengin::transfer::read_transfer_file;

use super::city::City;
use super::directory::Directory;
use super::error::DemoError;
use crate::failure::{CommandError, Failure};

/// A batch that two people have certified.
pub(super) struct Certified {
    pub(super) batch: Batch,
    /// Lines left out because their payee is paid by another line.
    pub(super) lines_already_paid: u64,
}

/// Lets one certifier propose a batch, and another certify what its digest names.
pub(super) async fn certify(city: &City<'_>, list_id: &str) -> Result<Certified, Failure> {
    let first = city.connect("certifier-1")?;
    let call = CertifyRequest {
        request_id: first.request_id(),
        list_id: list_id.to_owned(),
        ..CertifyRequest::default()
    };
    let proposed = first.ask(call).await?;
    let batch = proposed.batch.ok_or(DemoError::Answer { what: "no batch" })?;
    let second = city.connect("certifier-2")?;
    let call = CertifyRequest {
        request_id: second.request_id(),
        list_id: list_id.to_owned(),
        batch_id: batch.batch_id,
        digest: batch.digest,
    };
    let certified = second.ask(call).await?;
    let batch = certified.batch.ok_or(DemoError::Answer { what: "no batch" })?;
    Ok(Certified { batch, lines_already_paid: proposed.lines_already_paid })
}

/// Receives the whole feed as the treasury, counts it, and acknowledges each entry with what was counted.
pub(super) async fn deliver(city: &City<'_>, directory: &Directory) -> Result<Totals, Failure> {
    let client = city.connect("transfers")?;
    let programme_id = &directory.programme_id;
    let call = SubscribeRequest { programme_id: programme_id.clone(), after: 0, once: true };
    let (mut counted, mut entries) = (Totals::default(), Vec::new());
    client
        .each(call, |answer| {
            match answer.part {
                Some(Part::Header(_)) => counted = Totals::default(),
                Some(Part::Rows(rows)) => {
                    for payment in rows.payments {
                        counted.lines += 1;
                        counted.yen += payment.yen;
                    }
                }
                Some(Part::Trailer(trailer)) => entries.push((trailer.number, counted)),
                None => return Err(DemoError::Answer { what: "an empty part" }.into()),
            }
            Ok(())
        })
        .await?;
    let mut all = Totals::default();
    for (number, totals) in entries {
        let call = AckRequest {
            request_id: client.request_id(),
            programme_id: programme_id.clone(),
            number,
            totals: Some(totals),
        };
        client.ask(call).await?;
        all.lines += totals.lines;
        all.yen += totals.yen;
    }
    Ok(all)
}

/// Exports the bank's file of a batch, and reads it back; answers what its trailer says.
pub(super) async fn transfer(city: &City<'_>, batch: &Batch) -> Result<Totals, Failure> {
    let client = city.connect("transfers")?;
    let mut bytes = Vec::new();
    let call = ExportTransferRequest { batch_id: batch.batch_id.clone() };
    client
        .each(call, |part| {
            bytes.extend_from_slice(&part.data);
            Ok(())
        })
        .await?;
    let path = city.folder.file("transfer.txt");
    fs_err::write(&path, &bytes).map_err(|error| CommandError::file(&path, error))?;
    let written = fs_err::read(&path).map_err(|error| CommandError::file(&path, error))?;
    let read = read_transfer_file(&written)
        .map_err(|error| DemoError::TransferFile { why: error.to_string() })?;
    Ok(Totals { lines: u64::from(read.totals.rows()), yen: read.totals.yen() })
}

/// Lines and yen at one step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Step {
    /// Its code.
    pub(super) step: String,
    pub(super) totals: Totals,
}

/// A list from its declaration to its payment.
pub(super) struct Reconciled {
    /// Declared and received.
    pub(super) arrival: Vec<Step>,
    /// By outcome; adds up to what was declared.
    pub(super) outcomes: Vec<Step>,
    /// By what became of the lines; adds up to what was declared.
    pub(super) steps: Vec<Step>,
    pub(super) balanced: bool,
}

impl Reconciled {
    /// All steps in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Step> {
        self.arrival.iter().chain(&self.outcomes).chain(&self.steps)
    }
}

/// Asks where the lines and yen of a list are. `received` is what the broker counted when the list was sealed.
pub(super) async fn reconcile(
    city: &City<'_>,
    list_id: &str,
    received: Totals,
) -> Result<Reconciled, Failure> {
    let client = city.connect("payments")?;
    let answer = client
        .ask(ReconcileRequest { list_id: list_id.to_owned(), ..ReconcileRequest::default() })
        .await?;
    let declared = answer.declared.unwrap_or_default();
    let steps = |steps: Vec<renkei_api::v1::ReconcileStep>| -> Vec<Step> {
        let step = |step: renkei_api::v1::ReconcileStep| Step {
            step: step.step,
            totals: step.totals.unwrap_or_default(),
        };
        steps.into_iter().map(step).collect()
    };
    let (outcomes, steps) = (steps(answer.outcomes), steps(answer.steps));
    let adds_up = |steps: &[Step]| {
        let sum =
            |part: fn(&Totals) -> u64| steps.iter().map(|step| part(&step.totals)).sum::<u64>();
        (sum(|totals| totals.lines), sum(|totals| totals.yen)) == (declared.lines, declared.yen)
    };
    // The broker says whether it balances; a receiver adds up for itself.
    let balanced = answer.balanced && declared == received && adds_up(&outcomes) && adds_up(&steps);
    let arrival = [("DECLARED", declared), ("RECEIVED", received)]
        .map(|(step, totals)| Step { step: step.to_owned(), totals })
        .to_vec();
    Ok(Reconciled { arrival, outcomes, steps, balanced })
}
