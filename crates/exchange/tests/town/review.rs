//! A clerk who decides every doubtful line.

use renkei_exchange::command::Call;
use renkei_exchange::link_code::Naming;
use renkei_exchange::review::{Claim, Decide, Verdict};
use renkei_exchange::shown;
use renkei_exchange::shown::Withheld;
use renkei_exchange::subject::Said;
use renkei_types::ListId;

use super::{Town, caller};

impl Town {
    /// Decides every open task: the first candidate that no line holds, else nobody.
    pub(crate) fn decide_all(&self, list: ListId, clerk: &str) {
        let call = || Call::read(caller(clerk));
        loop {
            let claim = Claim {
                permit: self.permit_review(clerk, list),
                list,
                parked: false,
                duration: std::time::Duration::from_secs(60),
                records_max: 10,
            };
            let claimed = self.exchange.execute_now(call(), claim).expect("a claim").reply;
            let Some(claimed) = claimed else { return };
            let place = claimed.place;
            let book = self.exchange.ask_now(move |desk| desk.book(list)).expect("the book");
            let row = book.task_rows()[place.number as usize];
            let state = self.exchange.state();
            let permit = self.permit_review(clerk, list);
            let naming = Naming::under(&self.exchange, &permit, self.register).expect("names");
            let protected = self.protected();
            let withheld = Withheld { naming: &naming, protected: &protected };
            let shown = shown::task(self.exchange.vault(), &state, &permit, withheld, place, row);
            let shown = shown.expect("the task");
            let free = shown.candidates.iter().find(|one| book.holder(one.row).is_none());
            let snapshot = state.linked_list(list).expect("the list").1.snapshot;
            let indexed = self.indexes.get(snapshot).expect("the register");
            let verdict = free.map_or(Verdict::Nobody, |one| {
                let id = indexed.index.id(one.row).to_owned();
                let subject = self.said(Said::LinkedByClerk, [id.as_str()]);
                Verdict::Person { row: one.row, id, subject }
            });
            let version = claimed.version;
            let decide = Decide { permit, place, version, verdict, revises: false };
            match self.exchange.execute_now(call(), decide) {
                Ok(_) => {}
                // Somebody whom another list pays: the line repeats that application.
                Err(refused) if refused.reason == renkei_types::Reason::AlreadyPaid => {
                    let permit = self.permit_review(clerk, list);
                    let verdict = Verdict::Duplicate;
                    let decide = Decide { permit, place, version, verdict, revises: false };
                    self.exchange.execute_now(call(), decide).expect("a decision");
                }
                Err(refused) => panic!("{refused}"),
            }
        }
    }
}
