//! Money after the bank: returns, refunds, corrections; and what stops a payment that would be one too many.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use renkei_exchange::Refusal;
use renkei_exchange::accounts::{self, AccountFinding};
use renkei_exchange::batch::{BatchState, Payment};
use renkei_exchange::command::Call;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Certify, Receive};
use renkei_exchange::reconcile::Step;
use renkei_exchange::refund::refund;
use renkei_exchange::returns::report;
use renkei_exchange::review::TaskState;
use renkei_exchange::supersede::{Differences, Supersedes};
use renkei_japanese::zengin::transfer::{
    OrderFields, Transfer, TransferFields, TransferOrder, TransferWriter,
};
use renkei_journal::{Frame, Journal as _, MemoryJournal};
use renkei_types::{BatchId, ListId, Reason};
use town::{Town, caller};

/// The first lines of the town's list with an account for each; those in `shared` have one account together.
fn with_accounts(town: &Town, lines: usize, shared: &[usize]) -> String {
    let mut text = String::new();
    for (at, line) in town.payments(lines).lines().enumerate() {
        let number = if shared.contains(&at) { 9_000_000 } else { 1_000_000 + at };
        let more = match at {
            0 => "銀行コード,支店コード,預金種目,口座番号".to_owned(),
            _ => format!("0001,001,普通,{number}"),
        };
        writeln!(text, "{line},{more}").expect("text");
    }
    text
}

/// Header and those lines of a list that have these ids.
fn lines_of(payments: &str, ids: &[&str]) -> String {
    let wanted = |line: &str| ids.iter().any(|id| line.starts_with(&format!("{id},")));
    let mut lines = payments.lines();
    let header = lines.next().unwrap_or_default();
    std::iter::once(header).chain(lines.filter(|line| wanted(line))).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    )
}

fn report_on(town: &Town, batch: BatchId, file: &str) -> Result<Totals, Refusal> {
    let totals = match file.lines().next().is_some_and(|header| header.contains("支給額")) {
        true => town.totals_of(file),
        false => Totals::default(),
    };
    report_bytes(town, batch, file.as_bytes(), totals)
}

fn report_bytes(
    town: &Town,
    batch: BatchId,
    file: &[u8],
    totals: Totals,
) -> Result<Totals, Refusal> {
    let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
    let call = Call::read(caller("transfers"));
    report(&town.exchange, call, permit, batch, file, totals).map(|done| done.reply)
}

fn give_back(town: &Town, list: ListId, line: &str, yen: u64) -> Result<(), Refusal> {
    let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
    let call = Call::read(caller("transfers"));
    refund(&town.exchange, call, permit, list, line, yen).map(|done| done.reply)
}

fn table(payments: &[&Payment]) -> String {
    let mut text = "申請番号,支給額\n".to_owned();
    for payment in payments {
        writeln!(text, "{},{}", payment.line, payment.yen).expect("text");
    }
    text
}

fn sum(payments: &[&Payment]) -> Totals {
    payments.iter().map(|payment| Totals { lines: 1, yen: payment.yen }).sum()
}

#[test]
fn a_transfer_that_came_back_reopens_its_line_which_a_correction_pays_once() {
    let town = Town::new();
    let file = with_accounts(&town, 40, &[]);
    let list = town.linked_list_of("wave-1", &file);
    let batch = town.pay(list);
    let paid = town.paid(batch);
    let back = [&paid[3], &paid[7]];
    let came_back = report_on(&town, batch, &table(&back)).expect("the bank's report");
    assert_eq!(came_back, sum(&back));
    let sheet = town.sheet(list);
    assert_eq!(sheet.steps[&Step::Returned], sum(&back));
    assert_eq!(sheet.steps[&Step::Paid].lines, paid.len() as u64 - 2);
    // Nothing is payable again in the list itself: the account is wrong still.
    let again = town.certify(list).expect_err("no line is free");
    assert_eq!(again.reason, Reason::NothingToCertify);

    let ids: Vec<&str> = back.iter().map(|payment| payment.line.as_str()).collect();
    let corrected = lines_of(&file, &ids).replace("普通,1", "普通,7");
    let some = Supersedes { list, whole: false };
    let second = town.corrected_list("resend", &corrected, some);
    assert_eq!(town.sheet(list).steps[&Step::Replaced], sum(&back));
    town.decide_all(second, "clerk-1");
    let resent = town.paid(town.pay(second));
    let payees = |payments: &[&Payment]| -> BTreeSet<String> {
        payments.iter().map(|payment| payment.payee.clone()).collect()
    };
    assert_eq!(payees(&resent.iter().collect::<Vec<_>>()), payees(&back));
    assert!(resent.iter().all(|payment| payment.cells[4].starts_with('7')));
    town.sheet(second);
}

/// Without the arm `Some(_) => return Err(… AlreadyPaid …)` in `supersede::take_place` a resend reuses a paid row.
#[test]
fn a_resend_never_reuses_a_line_that_is_paid_or_whose_place_is_taken() {
    let town = Town::new();
    let file = with_accounts(&town, 40, &[]);
    let list = town.linked_list_of("wave-1", &file);
    let batch = town.pay(list);
    let paid = town.paid(batch);
    report_on(&town, batch, &table(&[&paid[3]])).expect("the bank's report");
    let some = Some(Supersedes { list, whole: false });
    let try_seal = |name: &str, ids: &[&str]| {
        let file = lines_of(&file, ids).replace("普通,1", &format!("普通,{}", name.len()));
        town.try_seal_list_over(name, &file, town.totals_of(&file), some)
    };
    let both = try_seal("paid", &[&paid[3].line, &paid[9].line]).expect_err("one of them is paid");
    assert_eq!((both.reason, both.line), (Reason::AlreadyPaid, Some(3)));
    try_seal("resend", &[&paid[3].line]).expect("the returned line");
    let twice = try_seal("resend-2", &[&paid[3].line]).expect_err("its place is taken");
    assert_eq!((twice.reason, twice.line), (Reason::Superseded, Some(2)));
    let mut unknown = lines_of(&file, &[&paid[3].line]);
    unknown = unknown.replace(&paid[3].line, "B999999999");
    let totals = town.totals_of(&unknown);
    let unknown = town.try_seal_list_over("unknown", &unknown, totals, some);
    let unknown = unknown.expect_err("no such line");
    assert_eq!((unknown.reason, unknown.line), (Reason::UnknownLine, Some(2)));
}

/// Without `UnknownTransfer` in `returns::find` half of the file is taken.
#[test]
fn a_report_with_an_unknown_row_is_refused_as_a_whole_with_its_line() {
    let town = Town::new();
    let list = town.linked_list_of("wave-1", &with_accounts(&town, 40, &[]));
    let batch = town.pay(list);
    let paid = town.paid(batch);
    let before = town.digest();
    let mut wrong_yen = paid[7].clone();
    wrong_yen.yen += 1;
    let mut nobody = paid[7].clone();
    nobody.line = "B999999999".to_owned();
    for other in [&wrong_yen, &nobody, &paid[3]] {
        let refused = report_on(&town, batch, &table(&[&paid[3], other])).expect_err("unknown");
        // The last of them is named twice, and is there only once.
        assert_eq!((refused.reason, refused.line), (Reason::UnknownTransfer, Some(3)));
    }
    // An id beside another line's account is a slip; one beside its own, or beside none, is not.
    let (id, account, other) = (&paid[3].line, &paid[3].cells, &paid[8].cells);
    let row = |cells: &[String]| format!("{id},{},{}", cells[1..].join(","), paid[3].yen);
    let header = "申請番号,銀行コード,支店コード,預金種目,口座番号,支給額";
    let slip = report_on(&town, batch, &format!("{header}\n{}\n", row(other))).expect_err("a slip");
    let place = (slip.reason, slip.line, slip.field);
    assert_eq!(place, (Reason::UnknownTransfer, Some(2), Some("account_number")));
    assert_ne!(row(account), row(other));
    let missing = "申請番号\nB1\n";
    assert_eq!(
        report_on(&town, batch, missing).expect_err("no amount").reason,
        Reason::ColumnMissing
    );
    let file = format!("{header}\n{}\n", row(account));
    let off = Totals { lines: 1, yen: paid[3].yen + 1 };
    let refused = report_bytes(&town, batch, file.as_bytes(), off).expect_err("a total off by one");
    assert_eq!(refused.reason, Reason::TotalsDiffer);
    assert_eq!(town.digest(), before, "nothing of any of them was taken");
    // What came back does not come back again.
    report_on(&town, batch, &file).expect("one transfer");
    let again = report_on(&town, batch, &file).expect_err("it is back already");
    assert_eq!((again.reason, again.line), (Reason::UnknownTransfer, Some(2)));
}

/// Without the comparison of counts in `returns::find` a child's transfer is taken for that of its sister.
#[test]
fn one_of_two_equal_transfers_into_one_account_is_named_by_its_line() {
    let town = Town::new();
    // Half of the lines: more of them in one account would stop the list.
    let half: Vec<usize> = (1..=20).collect();
    let list = town.linked_list_of("wave-1", &with_accounts(&town, 40, &half));
    let batch = town.pay(list);
    let paid = town.paid(batch);
    let yen = paid[0].yen;
    let shared = paid.iter().filter(|payment| payment.cells[4] == "9000000");
    let alike: Vec<&Payment> = shared.filter(|payment| payment.yen == yen).collect();
    assert!(alike.len() > 1, "the list has equal amounts");
    let row = format!("0001,001,1,9000000,{yen}\n");
    let header = "銀行コード,支店コード,預金種目,口座番号,支給額\n";
    let one = format!("{header}{row}");
    let refused = report_on(&town, batch, &one).expect_err("which of them?");
    assert_eq!((refused.reason, refused.line), (Reason::AmbiguousTransfer, Some(2)));
    let every = format!("{header}{}", row.repeat(alike.len()));
    assert_eq!(report_on(&town, batch, &every).expect("all of them"), sum(&alike));
    let other = paid.iter().find(|payment| payment.yen != yen).expect("another amount");
    report_on(&town, batch, &table(&[other])).expect("named by its line");
}

#[test]
fn a_transfer_file_of_what_failed_is_a_report_and_must_add_up_itself() {
    let town = Town::new();
    let list = town.linked_list_of("wave-1", &with_accounts(&town, 40, &[]));
    let batch = town.pay(list);
    let paid = town.paid(batch);
    let back = [&paid[2], &paid[4]];
    let order = TransferOrder::parse(OrderFields {
        consignor_code: "0000000001",
        consignor_name: "ﾚﾝｹｲｼ",
        month: 12,
        day: 10,
        bank_code: "0001",
        bank_name: None,
        branch_code: "001",
        branch_name: None,
        account_type: "1",
        account_number: "0000001",
    });
    let mut writer = TransferWriter::new(&order.expect("an order"), Vec::new()).expect("a file");
    for payment in back {
        let fields = TransferFields {
            bank_code: &payment.cells[1],
            branch_code: &payment.cells[2],
            account_type: &payment.cells[3],
            account_number: &payment.cells[4],
            payee: "ｱ",
            yen: payment.yen,
            customer_code: None,
        };
        writer.row(&Transfer::parse(fields).expect("a transfer")).expect("a row");
    }
    let file = writer.finish().expect("a file");
    let mut damaged = file.clone();
    // The last digit of the trailer's sum.
    let at = 122 * 3 + 18;
    damaged[at] = if damaged[at] == b'1' { b'2' } else { b'1' };
    let refused = report_bytes(&town, batch, &damaged, sum(&back)).expect_err("a wrong trailer");
    assert_eq!((refused.reason, refused.line), (Reason::UnreadableFile, Some(4)));
    assert_eq!(report_bytes(&town, batch, &file, sum(&back)).expect("a report"), sum(&back));
    assert_eq!(town.sheet(list).steps[&Step::Returned], sum(&back));
}

#[test]
fn a_report_of_nothing_says_that_everything_is_paid() {
    let town = Town::new();
    let list = town.linked_list_of("wave-1", &with_accounts(&town, 40, &[]));
    let batch = town.certify(list).expect("two signatures");
    let early = report_on(&town, batch, "申請番号,支給額\n").expect_err("not acknowledged yet");
    assert_eq!(early.reason, Reason::NotDelivered);
    town.deliver_and_acknowledge();
    assert!(!town.sheet(list).steps.contains_key(&Step::Paid));
    report_on(&town, batch, "申請番号,支給額\n").expect("an empty report");
    let state = town.exchange.state();
    assert_eq!(state.batches.get(&batch).expect("the batch").state, BatchState::Paid);
    assert_eq!(town.sheet(list).steps[&Step::Paid].lines, town.paid(batch).len() as u64);
}

/// Without the bound on `yen` in `Refund::decide` more is given back than was paid.
#[test]
fn a_refund_counts_in_the_sheet_is_never_more_than_was_paid_and_pays_nobody_again() {
    let town = Town::new();
    let file = with_accounts(&town, 40, &[]);
    let list = town.linked_list_of("wave-1", &file);
    let batch = town.pay(list);
    let paid = town.paid(batch);
    let (line, yen) = (paid[5].line.as_str(), paid[5].yen);
    give_back(&town, list, line, 1000).expect("a part");
    assert_eq!(town.sheet(list).steps[&Step::Refunded], Totals { lines: 0, yen: 1000 });
    for wrong in [0, yen - 999, u64::MAX] {
        let refused = give_back(&town, list, line, wrong).expect_err("too much");
        assert_eq!(refused.reason, Reason::RefundAbovePaid);
    }
    give_back(&town, list, line, yen - 1000).expect("the rest");
    assert_eq!(town.sheet(list).steps[&Step::Refunded], Totals { lines: 1, yen });
    let unknown = give_back(&town, list, "B999999999", 1).expect_err("no such line");
    assert_eq!(unknown.reason, Reason::UnknownLine);
    // What was given back cannot come back from the bank, and its payee is not paid by a later wave.
    let refused = report_on(&town, batch, &table(&[&paid[5]])).expect_err("given back");
    assert_eq!(refused.reason, Reason::UnknownTransfer);
    let wave = town.linked_list_of("wave-2", &town.shuffled_payments(40));
    town.decide_all(wave, "clerk-1");
    assert_eq!(town.certify(wave).expect_err("all are paid").reason, Reason::AlreadyPaid);
}

/// Without `lines_out` in `batch::draw_up` the corrected line of a paid one pays somebody else under the same id.
#[test]
fn a_corrected_list_pays_nobody_twice_and_keeps_the_decisions_of_equal_lines() {
    let town = Town::new();
    let file = with_accounts(&town, 90, &[]);
    let list = town.linked_list_of("wave-1", &file);
    // What the engine was sure of is paid at once; then clerks decide the rest.
    let batch = town.pay(list);
    let paid = town.paid(batch);
    town.decide_all(list, "certifying-clerk");
    let state = town.exchange.state();
    let decided = state.tasks(list).filter(|(_, task)| task.state == TaskState::Decided).count();
    assert!(decided > 3, "the list has doubtful lines");

    // The corrected file lacks one paid line, has one more line, and under the id of a paid line another person.
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    let of = |line: &str| line.split(',').next().unwrap_or_default().to_owned();
    let at = |id: &str| file.lines().position(|line| of(line) == id).expect("the line");
    let (gone, swapped) = (at(&paid[2].line), at(&paid[6].line));
    let more = lines[gone].replace(&of(&lines[gone]), "B900000001");
    lines[swapped] = town
        .payments(90)
        .lines()
        .last()
        .map(|line| format!("{},0001,001,普通,1000001", line.replace(&of(line), &paid[6].line)))
        .expect("a line");
    lines.remove(gone);
    lines.push(more);
    let corrected = lines.join("\n") + "\n";
    let whole = Supersedes { list, whole: true };
    let second = town.corrected_list("corrected", &corrected, whole);

    let state = town.exchange.state();
    let known = state.lists.get(&second).expect("the list");
    let differences = known.differences.expect("they are told");
    assert_eq!(differences, Differences { equal: 88, changed: 1, added: 1, removed: 1 });
    let sheet = town.sheet(list);
    assert_eq!(sheet.steps[&Step::Acknowledged], sum(&paid.iter().collect::<Vec<_>>()));
    assert_eq!(sheet.steps[&Step::Replaced].lines, 90 - paid.len() as u64);
    let kept = state.tasks(second).filter(|(_, task)| task.state == TaskState::Decided);
    let kept: Vec<_> = kept.map(|(_, task)| task.deciders.clone()).collect();
    assert!(!kept.is_empty() && kept.len() <= decided);
    assert!(kept.iter().all(|deciders| deciders.contains(&town::identity("certifying-clerk"))));

    town.decide_all(second, "clerk-1");
    let batch = town.certify(second).expect("what the first list had not paid");
    let ids = |payments: &[Payment]| -> BTreeSet<String> {
        payments.iter().map(|payment| payment.line.clone()).collect()
    };
    let payees = |payments: &[Payment]| -> BTreeSet<String> {
        payments.iter().map(|payment| payment.payee.clone()).collect()
    };
    let new = town.paid(batch);
    assert!(ids(&paid).is_disjoint(&ids(&new)) && payees(&paid).is_disjoint(&payees(&new)));
    assert!(town.sheet(second).steps[&Step::AlreadyPaid].lines >= paid.len() as u64 - 1);
    // The earlier list has come to its end.
    let late = town.certify(list).expect_err("its place is taken");
    assert_eq!(late.reason, Reason::Superseded);
    let again = town.try_seal_list_over("third", &file, town.totals_of(&file), Some(whole));
    assert_eq!(again.expect_err("its place is taken").reason, Reason::Superseded);
}

/// Without the deciders in `State::carry_tasks` a clerk's own decision is certified by that clerk.
#[test]
fn whoever_decided_a_line_cannot_certify_it_in_the_corrected_list_either() {
    let town = Town::new();
    let file = with_accounts(&town, 90, &[]);
    let list = town.linked_list_of("wave-1", &file);
    town.decide_all(list, "certifying-clerk");
    let second = town.corrected_list("again", &file, Supersedes { list, whole: true });
    let refused = town.propose("certifying-clerk", second).expect_err("a decider");
    assert_eq!(refused.reason, Reason::OwnDecision);
    town.certify(second).expect("two others");
}

#[test]
fn accounts_that_are_not_the_payees_own_are_counted_into_what_is_signed_and_shown_by_line() {
    let town = Town::new();
    let list = town.linked_list_of("wave-1", &with_accounts(&town, 90, &[1, 2, 3]));
    let batch = town.certify(list).expect("two signatures");
    let counts = town.exchange.state().batches.get(&batch).expect("the batch").accounts;
    assert!(counts.family_account > 0, "children are paid into accounts of parents: {counts:?}");
    let permit = town.permit_own::<Certify>("certifier-1");
    let found = accounts::look(&town.exchange, permit, batch).expect("the lines").reply;
    let lines = |finding| found.iter().filter(|line| line.findings.contains(&finding)).count();
    assert_eq!(lines(AccountFinding::HolderDiffers) as u64, counts.holder_differs);
    assert_eq!(lines(AccountFinding::FamilyAccount) as u64, counts.family_account);
    assert_eq!(lines(AccountFinding::SharedAccount) as u64, counts.shared_account);
    let shared: BTreeSet<u32> = found.iter().map(|line| line.group).filter(|&at| at > 0).collect();
    assert!(counts.shared_account >= 2 && shared.len() == 1, "{counts:?}");
}

/// Without `self.books.settle(…)` in `Ledger::decide` an entry is acknowledged whose batch is not what was signed.
#[test]
fn a_state_that_does_not_add_up_refuses_every_step_and_changes_nothing() {
    let journal = MemoryJournal::new();
    let town = Town::over(journal.clone());
    let list = town.linked_list("wave-1", 40);
    let batch = town.certify(list).expect("two signatures");
    let state = town.exchange.state();
    let mut forged = state.batches.get(&batch).expect("the batch").clone();
    forged.totals.yen += 1;
    // Somebody changes the sum of a released batch behind the broker's back.
    let facts = format!(
        r#"[{{"t":"batches","k":"{batch}","v":{}}}]"#,
        serde_json::to_string(&forged).expect("facts")
    );
    let (_, last) =
        journal.read(journal.last()).expect("read").next().expect("one").expect("sound");
    let frame = Frame { leaf: last.leaf, facts: facts.into_bytes(), sealed: Vec::new() };
    journal.rival(&[frame]);
    let programme = town.programme;
    let permit = || town.permit_dataset::<Receive>("transfers", town.deliveries());
    let deliver = renkei_exchange::delivery::Deliver { permit: permit(), programme, number: 1 };
    let refused = town.exchange.execute_now(Call::read(caller("transfers")), deliver);
    assert_eq!(refused.expect_err("one yen too many").reason, Reason::Unbalanced);
    let now = town.exchange.state();
    assert!(!now.batches.get(&batch).expect("the batch").delivered);
    let sheet =
        town.exchange.ask_now(move |desk| renkei_exchange::reconcile::reconcile(desk, list));
    assert!(!sheet.expect("a sheet").is_balanced(), "the sheet tells it too");
}

/// Without `same_file` in `SealUpload::keep`, which is asked when the command is decided, both are sealed.
#[test]
fn two_lists_of_one_programme_with_one_file_sealed_at_once_are_one_list() {
    let town = Town::new();
    let file = town.payments(40);
    let totals = town.totals_of(&file);
    let (_, first) = town.open_list("one", None).expect("a list");
    let (_, second) = town.open_list("two", None).expect("a list");
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| town.seal_list(first, &file, totals));
        let two = scope.spawn(|| town.seal_list(second, &file, totals));
        (one.join().expect("a thread"), two.join().expect("a thread"))
    });
    let refused = [&one, &two].into_iter().filter_map(|sealed| sealed.as_ref().err());
    let reasons: Vec<Reason> = refused.map(|refusal| refusal.reason).collect();
    assert_eq!(reasons, [Reason::SameFile]);
}

/// Without the comparison of `batches` in `Propose::decide` both lists pay the same people.
#[test]
fn two_lists_of_the_same_people_certified_at_once_pay_each_of_them_once() {
    let town = Town::new();
    let one = town.linked_list("one", 40);
    let two = town.linked_list_of("two", &town.shuffled_payments(40));
    let propose_one = |list| town.propose("certifier-1", list);
    let answers = std::thread::scope(|scope| {
        let threads = [one, two].map(|list| scope.spawn(move || propose_one(list)));
        threads.map(|thread| thread.join().expect("a thread"))
    });
    let mut payees = BTreeSet::new();
    let mut batches = 0;
    for proposed in answers.iter().filter_map(|answer| answer.as_ref().ok()) {
        batches += 1;
        for payment in town.paid(proposed.batch) {
            assert!(payees.insert(payment.payee), "somebody is paid by both lists");
        }
    }
    assert!(batches > 0);
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let reasons = [Reason::VersionOld, Reason::AlreadyPaid];
        assert!(reasons.contains(&refusal.reason), "{refusal}");
    }
}
