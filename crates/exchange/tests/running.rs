//! What the broker's own life leaves in the log: starts and stops, other configurations, clocks that jump.

mod town;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use renkei_exchange::Equipment;
use renkei_exchange::command::Call;
use renkei_exchange::denial::NoteDenials;
use renkei_exchange::running::{Ended, NoteEquipment};
use renkei_journal::{Journal as _, MemoryJournal, Seq};
use renkei_tlog::Leaf;
use renkei_tlog::leaf::{ClockState, Operation};
use renkei_types::{Clock, Reason};
use town::ledger::{equipment, open_with};

/// A wall clock that can be set, and one that only runs.
#[derive(Default)]
struct TwoClocks {
    wall_seconds: AtomicI64,
    ran_seconds: AtomicU64,
}

impl TwoClocks {
    /// Time passes: both clocks run.
    fn pass(&self, seconds: u32) {
        self.set(seconds.into());
        self.ran_seconds.fetch_add(seconds.into(), Ordering::Relaxed);
    }

    /// Somebody sets the wall clock.
    fn set(&self, by_seconds: i64) {
        self.wall_seconds.fetch_add(by_seconds, Ordering::Relaxed);
    }
}

impl Clock for TwoClocks {
    fn now(&self) -> Timestamp {
        let second = 1_795_219_200 + self.wall_seconds.load(Ordering::Relaxed);
        Timestamp::from_second(second).expect("a time")
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.ran_seconds.load(Ordering::Relaxed))
    }
}

struct Life {
    folder: tempfile::TempDir,
    journal: MemoryJournal,
    clock: Arc<TwoClocks>,
}

impl Life {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, journal: MemoryJournal::new(), clock: Arc::default() }
    }

    /// Opens the exchange, lets it do something, and closes it.
    fn live(&self, with: Equipment, deeds: impl FnOnce(&renkei_exchange::Exchange)) {
        let folder: &Path = self.folder.path();
        let clock = Arc::clone(&self.clock);
        let (exchange, threads) = open_with(folder, Some(&self.journal), clock, with);
        deeds(&exchange);
        drop(exchange);
        threads.join();
    }

    fn leaves(&self) -> Vec<Leaf> {
        let frames = self.journal.read(Seq(1)).expect("frames");
        frames.map(|frame| Leaf::parse(&frame.expect("a frame").1.leaf).expect("a leaf")).collect()
    }

    fn operations(&self) -> Vec<Operation> {
        self.leaves().iter().map(|leaf| leaf.op).collect()
    }
}

/// Something of which the log has one leaf.
fn happen(exchange: &renkei_exchange::Exchange) {
    let denials =
        NoteDenials { reason: Reason::NotRegistered, count: 1, unknown: true, certificate: None };
    exchange.execute_now(Call::own(), denials).expect("noted");
}

#[test]
fn a_start_names_its_configuration_and_another_one_is_a_leaf_of_its_own() {
    let life = Life::new();
    life.live(equipment("first"), |_| {});
    life.live(equipment("first"), |_| {});
    life.live(equipment("second"), |_| {});
    life.live(equipment("second"), |_| {});
    use Operation::{AdminAction, CertChange, ConfigChange, Start};
    let expected = [AdminAction, Start, Start, Start, ConfigChange, CertChange, Start];
    assert_eq!(life.operations(), expected);
    let configurations: Vec<_> = life.leaves().iter().map(|leaf| leaf.cfg).collect();
    let (first, second) = (equipment("first"), equipment("second"));
    assert_eq!(configurations[1..4], [first, first, second].map(|with| Some(with.config)));
    assert_eq!(configurations[4..6], [Some(second.config), Some(second.credentials)]);
}

#[test]
fn certificates_that_change_while_it_runs_are_one_leaf_and_equal_ones_none() {
    let life = Life::new();
    life.live(equipment("first"), |exchange| {
        for name in ["first", "second", "second"] {
            let note = NoteEquipment::Credentials(equipment(name).credentials);
            exchange.execute_now(Call::own(), note).expect("noted");
        }
    });
    assert_eq!(life.operations().last(), Some(&Operation::CertChange));
    assert_eq!(life.operations().len(), 3);
}

#[test]
fn a_stop_in_good_order_is_the_last_leaf_before_the_next_start() {
    let life = Life::new();
    life.live(equipment("first"), |exchange| {
        exchange.execute_now(Call::own(), Ended).expect("noted");
    });
    life.live(equipment("first"), |_| {});
    use Operation::{AdminAction, Start, Stop};
    assert_eq!(life.operations(), [AdminAction, Start, Stop, Start]);
}

#[test]
fn a_clock_that_jumps_leaves_a_leaf_before_what_happens_next_and_order_stays() {
    let life = Life::new();
    life.live(equipment("first"), |exchange| {
        life.clock.pass(3_600);
        happen(exchange);
        life.clock.set(60);
        happen(exchange);
        life.clock.set(-7_200);
        happen(exchange);
    });
    use Operation::{AdminAction, AuthDenied, ClockJump, Start};
    let expected = [AdminAction, Start, AuthDenied, ClockJump, AuthDenied, ClockJump, AuthDenied];
    assert_eq!(life.operations(), expected);
    let leaves = life.leaves();
    assert!(leaves.iter().all(|leaf| (leaf.clk == ClockState::Jumped) == (leaf.op == ClockJump)));
    assert!(leaves.is_sorted_by_key(|leaf| leaf.t), "time in the log never goes back");
}

#[test]
fn a_clock_that_was_set_back_while_the_broker_was_down_is_noticed_at_the_start() {
    let life = Life::new();
    life.live(equipment("first"), |_| {});
    life.clock.set(-3_600);
    life.live(equipment("first"), |_| {});
    use Operation::{AdminAction, ClockJump, Start};
    assert_eq!(life.operations(), [AdminAction, Start, ClockJump, Start]);
}
