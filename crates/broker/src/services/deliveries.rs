//! Deliveries: the numbered feed.

use std::sync::Arc;

use renkei_api::v1;
use renkei_api::v1::subscribe_response::Part;
use renkei_exchange::command::Call;
use renkei_exchange::delivery::{Acknowledge, Deliver, entry_chunk};
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Permit, Receive};
use renkei_exchange::{Caller, Refusal};
use renkei_types::{ProgrammeId, Reason};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

use super::{Answers, Desk, method};
use crate::{convert, failure};

type Sender = mpsc::Sender<Result<v1::SubscribeResponse, Status>>;

/// The receiver has gone away.
struct Gone;

async fn send(desk: &Desk, sender: &Sender, part: Part) -> Result<(), Gone> {
    let message = v1::SubscribeResponse { part: Some(part) };
    if desk.send(sender, Ok(message)).await { Ok(()) } else { Err(Gone) }
}

impl Desk {
    /// The right to receive what a programme pays.
    fn receiver(
        &self,
        caller: &Caller,
        programme: Option<ProgrammeId>,
    ) -> Result<(Permit<Receive>, ProgrammeId), Refusal> {
        let state = self.exchange.state();
        let known = programme.and_then(|id| state.programmes.get(&id));
        let dataset = known.map(|programme| programme.dataset);
        let permit = state.permit_dataset::<Receive>(caller, dataset, None, self.today())?;
        Ok((permit, programme.ok_or(Reason::NoAgreement)?))
    }

    /// Nothing new leaves as long as it is not known who is protected.
    fn may_leave(&self, programme: ProgrammeId, number: u64) -> Result<(), Refusal> {
        let (state, now) = (self.exchange.state(), self.exchange.clock().now());
        let batch = state.feed.get(&(programme, number)).and_then(|id| state.batches.get(id));
        let register = state.programmes.get(&programme).and_then(|known| known.register);
        match (batch, register) {
            (Some(batch), Some(register)) if !batch.delivered => {
                match self.indexes.protection_is_stale(&state, register, now) {
                    true => Err(Reason::ProtectionStale.into()),
                    false => Ok(()),
                }
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Sends one entry. Its leaf is durable before its first byte leaves.
    async fn deliver(
        &self,
        caller: &Caller,
        programme: ProgrammeId,
        number: u64,
        sender: &Sender,
    ) -> Result<Result<(), Gone>, Refusal> {
        // The right may have ended since the stream was opened.
        let (permit, _) = self.receiver(caller, Some(programme))?;
        self.may_leave(programme, number)?;
        let deliver = Deliver { permit: permit.clone(), programme, number };
        let id = self.exchange.execute(Call::read(caller.clone()), deliver).await?.reply;
        let batch = self.exchange.state().batches.get_shared(&id).ok_or(Reason::Internal)?;
        let register = self.exchange.state().programmes.get(&programme).and_then(|p| p.register);
        let naming = self.naming(&permit, register.ok_or(Reason::Internal)?).await?;
        let header = v1::EntryHeader {
            number,
            batch_id: id.to_string(),
            list_id: batch.list.to_string(),
            totals: Some(convert::totals(batch.totals)),
            digest: convert::bytes(batch.digest),
            code_year: convert::code_year(&naming),
        };
        if send(self, sender, Part::Header(header)).await.is_err() {
            return Ok(Err(Gone));
        }
        let mut sent = Totals::default();
        for chunk in 0..batch.payments.chunks {
            self.receiver(caller, Some(programme))?;
            let (batch, permit, naming) = (Arc::clone(&batch), permit.clone(), naming.clone());
            let payments = self
                .blocking(move |desk| {
                    entry_chunk(desk.exchange.vault(), &permit, &naming, &batch, chunk)
                })
                .await?;
            payments.iter().for_each(|payment| sent.add(payment.yen));
            let payments = payments.into_iter().map(|payment| v1::Payment {
                cells: payment.cells.iter().map(convert::disclosed).collect(),
                list_id: payment.line,
                register_id: payment.person,
                yen: payment.yen,
            });
            let rows = v1::EntryRows { payments: payments.collect() };
            if send(self, sender, Part::Rows(rows)).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        if sent != batch.totals {
            tracing::error!(batch = %id, "an entry does not add up to its batch");
            return Err(Reason::TotalsDiffer.into());
        }
        let trailer = v1::EntryTrailer { number, totals: Some(convert::totals(sent)) };
        Ok(send(self, sender, Part::Trailer(trailer)).await)
    }
}

#[async_trait]
impl v1::deliveries_server::Deliveries for Desk {
    type SubscribeStream = Answers<v1::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let handler = |caller: Caller, body: v1::SubscribeRequest| async move {
            let (_, programme) = self.receiver(&caller, body.programme_id.parse().ok())?;
            // A few messages ahead are enough; a receiver that does not read holds nothing else up.
            let (sender, receiver) = mpsc::channel(4);
            let desk = self.clone();
            tokio::spawn(async move {
                let mut durable = desk.exchange.durable();
                let mut number = body.after;
                loop {
                    // A right that ends closes the stream, also while there is nothing to send.
                    if let Err(refusal) = desk.receiver(&caller, Some(programme)) {
                        desk.gate.note(Some(caller), &refusal);
                        let _ = sender.send(Err(failure::status(&refusal))).await;
                        return;
                    }
                    let state = desk.exchange.state();
                    let length =
                        state.programmes.get(&programme).map_or(0, |known| known.feed_length);
                    while number < length {
                        number += 1;
                        match desk.deliver(&caller, programme, number, &sender).await {
                            Ok(Ok(())) => {}
                            Ok(Err(Gone)) => return,
                            Err(refusal) => {
                                desk.gate.note(Some(caller), &refusal);
                                let _ = sender.send(Err(failure::status(&refusal))).await;
                                return;
                            }
                        }
                    }
                    if body.once {
                        return;
                    }
                    tokio::select! {
                        changed = durable.changed() => if changed.is_err() { return },
                        // It may end with a day on which nothing happens.
                        () = tokio::time::sleep(desk.rights_interval) => {}
                        () = sender.closed() => return,
                        () = desk.stopping.cancelled() => {
                            let stopping = Refusal::new(Reason::Stopping);
                            let _ = sender.send(Err(failure::status(&stopping))).await;
                            return;
                        }
                    }
                }
            });
            Ok(Box::pin(ReceiverStream::new(receiver)) as Self::SubscribeStream)
        };
        self.gate.handle(method!("Deliveries", "Subscribe"), request, handler).await
    }

    async fn ack(
        &self,
        request: Request<v1::AckRequest>,
    ) -> Result<Response<v1::AckResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::AckRequest| async move {
            let (permit, programme) = self.receiver(&caller, body.programme_id.parse().ok())?;
            let totals = convert::totals_from(body.totals, "totals")?;
            let command = Acknowledge { permit, programme, number: body.number, totals };
            let done = self.exchange.execute(call, command).await?;
            Ok(v1::AckResponse { receipt: convert::receipt(done.receipt) })
        };
        self.gate.mutate(method!("Deliveries", "Ack"), request, handler).await
    }
}
