//! Numbered deltas: taken in order and whole, applied while the register serves, and there again after a restart.

mod town;

use std::collections::BTreeMap;

use renkei_exchange::Refusal;
use renkei_exchange::command::Call;
use renkei_exchange::directory::Content;
use renkei_exchange::history::StateAt;
use renkei_exchange::identify::Query;
use renkei_exchange::programme::{PayeeUnit, Rules};
use renkei_exchange::reconcile::Step;
use renkei_exchange::upload::FileEncoding;
use renkei_types::{Digest, Entropy as _, Reason, RequestId, SeededEntropy};
use town::records::{column, delta, table};
use town::{Town, caller};

/// Somebody who is in no register.
fn newcomer(header: &[String], like: &[String], id: &str) -> Vec<String> {
    let mut cells = like.to_vec();
    cells[column(header, "宛名番号")] = id.to_owned();
    cells[column(header, "氏名")] = "稀有田 珍太郎".to_owned();
    cells[column(header, "氏名カナ")] = "ケウダ チンタロウ".to_owned();
    cells[column(header, "生年月日")] = "1951-02-03".to_owned();
    cells
}

/// The id of whom the register in use means by this name and birthday.
fn found(town: &Town, kanji: &str, kana: &str, birth: &str) -> Option<String> {
    let query = Query::new([("name_kanji", kanji), ("name_kana", kana), ("birth_date", birth)]);
    let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    let indexed = town.indexes.get(snapshot).expect("an index");
    let found = query.expect("a question").ask(&indexed);
    let best = found.candidates.first()?;
    let floor = indexed.model.model().thresholds.review;
    (best.weight >= floor).then(|| indexed.index.id(best.resident).to_owned())
}

fn newcomer_found(town: &Town) -> Option<String> {
    found(town, "稀有田 珍太郎", "ケウダ チンタロウ", "1951-02-03")
}

fn expected(refused: Result<impl std::fmt::Debug, Refusal>) -> (Reason, Option<u64>) {
    let refused = refused.expect_err("a refusal");
    (refused.reason, refused.expected)
}

#[test]
fn deltas_are_applied_while_the_register_serves_and_are_there_after_a_restart() {
    let mut town = Town::new();
    let (header, records) = table(&town);
    let before = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    assert_eq!(newcomer_found(&town), None);
    let joins = newcomer(&header, &records[0], "999999999999999");
    let applied = town.apply(1, &delta(&header, &[("追加", joins.clone())])).expect("a delta");
    assert_eq!((applied.counts.added, applied.counts.lines()), (1, 1));
    // Nothing was loaded in between: whoever asks next is answered from the new state.
    assert_eq!(newcomer_found(&town).as_deref(), Some("999999999999999"));
    let mut renamed = joins.clone();
    renamed[column(&header, "氏名")] = "別名川 改子".to_owned();
    renamed[column(&header, "氏名カナ")] = "ベツメイガワ カイコ".to_owned();
    let entries = [("変更", renamed), ("削除", records[1].clone())];
    town.apply(2, &delta(&header, &entries)).expect("a delta");
    let after = |town: &Town| {
        let renamed = found(town, "別名川 改子", "ベツメイガワ カイコ", "1951-02-03");
        (newcomer_found(town), renamed)
    };
    let now = (None, Some("999999999999999".to_owned()));
    assert_eq!(after(&town), now);
    let state = town.exchange.state();
    let in_use = state.snapshot_in_use(town.register).expect("a register");
    let count = state.snapshots.get(&in_use).expect("the snapshot").records();
    // One joined, one left.
    assert_eq!(count, state.snapshots.get(&before).expect("the file").records());
    let rows = state.register_rows(in_use).expect("rows");
    let vault = town.exchange.vault().clone();
    let gone = records[1][column(&header, "宛名番号")].as_str();
    assert_eq!(rows.find(&vault, |id| id == gone), Ok(None));
    let (row, _) = rows.find(&vault, |id| id == "999999999999999").expect("rows").expect("a row");
    let kanji = rows.column("name_kanji").expect("names");
    assert_eq!(rows.record(&vault, row).expect("a record")[kanji], "別名川 改子");
    let digest = town.digest();
    town.restart();
    town.indexes = renkei_exchange::index::Indexes::default();
    town.follow();
    assert_eq!(after(&town), now);
    assert_ne!(digest, Digest::of(b""));
    assert_eq!(town.exchange.state().datasets.get(&town.register).expect("it").deltas, 2);
}

/// What fails without `check_next` in `ApplyDelta::decide` and in `OpenUpload::decide`.
#[test]
fn deltas_out_of_order_or_with_a_gap_are_refused_with_the_number_that_is_expected() {
    let town = Town::new();
    let (header, records) = table(&town);
    let joins = |id: &str| delta(&header, &[("add", newcomer(&header, &records[0], id))]);
    assert_eq!(expected(town.apply(2, &joins("a-2"))), (Reason::DeltaGap, Some(1)));
    // Two are on their way at once, and both are taken for the first.
    let first = town.sent_delta(1, &joins("a-1")).expect("an upload");
    let also_first = town.sent_delta(1, &joins("a-2")).expect("an upload");
    let call = Call::read(caller("register"));
    town.apply_sent(&first, &call).expect("the first");
    let refused = town.apply_sent(&also_first, &call);
    assert_eq!(expected(refused), (Reason::DeltaDiffers, Some(2)));
    assert_eq!(expected(town.apply(3, &joins("a-3"))), (Reason::DeltaGap, Some(2)));
    town.apply(2, &joins("a-2")).expect("the next");
}

/// What fails without the look into `deltas` in `ApplyDelta::decide`.
#[test]
fn a_repeated_delta_is_answered_as_before_and_changes_nothing() {
    let town = Town::new();
    let (header, records) = table(&town);
    let text = delta(&header, &[("add", newcomer(&header, &records[0], "a-1"))]);
    let first = town.apply(1, &text).expect("a delta");
    let snapshots = town.exchange.state().snapshots.len();
    assert_eq!(town.apply(1, &text).expect("the same delta"), first);
    assert_eq!(town.exchange.state().snapshots.len(), snapshots);
    let other = delta(&header, &[("add", newcomer(&header, &records[0], "a-2"))]);
    assert_eq!(expected(town.apply(1, &other)), (Reason::DeltaDiffers, Some(2)));
}

/// G9, G11 and G15: what fails without the stored answers in `Entry::stage`.
#[test]
fn the_same_request_twice_at_once_or_a_day_later_has_one_effect_and_one_answer() {
    let town = Town::new();
    let (header, records) = table(&town);
    let text = delta(&header, &[("add", newcomer(&header, &records[0], "a-1"))]);
    let sent = town.sent_delta(1, &text).expect("an upload");
    let mut id = [0; 16];
    SeededEntropy::new(5).fill(&mut id);
    let request = RequestId::from_bytes(id);
    let call =
        |body: &[u8]| Call::mutation(caller("register"), request, town.exchange.body_digest(body));
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| town.apply_sent(&sent, &call(b"body")));
        let other = scope.spawn(|| town.apply_sent(&sent, &call(b"body")));
        (one.join().expect("a thread"), other.join().expect("a thread"))
    });
    // Who comes while the other's bytes are being put away may be told to ask again, never that it was done twice.
    let answers: Vec<_> = [one, other].into_iter().flatten().collect();
    let first = answers.first().expect("one is answered").clone();
    assert!(answers.iter().all(|answer| *answer == first));
    let again = town.apply_sent(&sent, &call(b"body")).expect("the stored answer");
    assert_eq!(again, first);
    assert_eq!(town.exchange.state().datasets.get(&town.register).expect("it").deltas, 1);
    // G12: the same request id with another body.
    let reused = town.apply_sent(&sent, &call(b"other")).expect_err("another request");
    assert_eq!(reused.reason, Reason::RequestReused);
}

/// What fails without the refusal of rejected lines, without `unfit`, and without the comparison of columns in
/// `Reading::rows`.
#[test]
fn a_delta_that_does_not_fit_is_refused_whole_and_its_number_stays_free() {
    let town = Town::new();
    let (header, records) = table(&town);
    let joins = newcomer(&header, &records[0], "a-1");
    let nobody = newcomer(&header, &records[0], "a-9");
    let refused = |entries: &[(&str, Vec<String>)]| {
        let refused = town.apply(1, &delta(&header, entries)).expect_err("it does not fit");
        (refused.reason, refused.line)
    };
    let good = ("add", joins.clone());
    let there = ("add", records[3].clone());
    assert_eq!(refused(&[good.clone(), there]), (Reason::AlreadyExists, Some(3)));
    let unknown = ("remove", nobody.clone());
    assert_eq!(refused(&[unknown, good.clone()]), (Reason::UnknownPerson, Some(2)));
    assert_eq!(refused(&[good.clone(), ("change", nobody)]), (Reason::UnknownPerson, Some(3)));
    let twice = ("remove", joins.clone());
    assert_eq!(refused(&[good.clone(), twice]), (Reason::IdRepeated, Some(3)));
    assert_eq!(refused(&[good.clone(), ("erase", joins.clone())]), (Reason::FieldInvalid, Some(3)));
    let mut nameless = joins.clone();
    nameless[column(&header, "宛名番号")].clear();
    assert_eq!(refused(&[("add", nameless)]).0, Reason::IdMissing);
    // Without a column the delta would empty it.
    let (fewer, cells) = (&header[..header.len() - 1], joins[..joins.len() - 1].to_vec());
    let narrow = town.apply(1, &delta(fewer, &[("add", cells)])).expect_err("a column is missing");
    assert_eq!((narrow.reason, narrow.field), (Reason::ColumnMissing, Some("alias")));
    assert_eq!(newcomer_found(&town), None);
    town.apply(1, &delta(&header, &[good])).expect("the number is still free");
}

/// Without `zeros_differ` in `seal::read` two residents are one to whoever stops, excludes or pays them.
#[test]
fn a_register_with_two_ids_that_differ_by_zeros_alone_is_refused_with_the_second_line() {
    let town = Town::new();
    let before = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    let (header, records) = table(&town);
    let id = column(&header, "宛名番号");
    let mut twin = records[5].clone();
    assert!(twin[id].starts_with('0'), "the register has zeros");
    twin[id] = twin[id].trim_start_matches('0').to_owned();
    let lines = town.residents().lines().count() as u64;
    let text = format!("{}{}\n", town.residents(), twin.join(","));
    let seal = |text: &str| town.try_snapshot(text.as_bytes(), FileEncoding::Auto, lines);
    let refused = seal(&text).expect_err("one of them would be lost");
    let found = (refused.reason, refused.field, refused.line);
    assert_eq!(found, (Reason::IdDiffersByZeros, Some("resident_id"), Some(lines + 1)));
    assert!(!refused.to_string().contains(&twin[id]));
    assert_eq!(town.exchange.state().snapshot_in_use(town.register).expect("it"), before);
    // Zeros that are not in front tell people apart.
    twin[id].push('0');
    seal(&format!("{}{}\n", town.residents(), twin.join(","))).expect("another resident");
}

/// Without `check_zeros` in `Reading::delta` a newcomer is taken for somebody who is there; without `leaving` in it a number that lost its
/// zeros cannot be put right.
#[test]
fn a_delta_that_adds_an_id_that_differs_by_zeros_alone_is_refused_unless_the_other_leaves() {
    let town = Town::new();
    let (header, records) = table(&town);
    let id = column(&header, "宛名番号");
    let bare = |at: usize| records[at][id].trim_start_matches('0').to_owned();
    let refused = |number, entries: &[(&str, Vec<String>)]| {
        let refused = town.apply(number, &delta(&header, entries)).expect_err("two are one");
        assert_eq!(refused.field, Some("resident_id"));
        (refused.reason, refused.line)
    };
    let second = (Reason::IdDiffersByZeros, Some(3));
    let good = ("追加", newcomer(&header, &records[0], "a-1"));
    let twin = ("追加", newcomer(&header, &records[3], &bare(3)));
    assert_eq!(refused(1, &[good.clone(), twin.clone()]), second);
    let more = ("追加", newcomer(&header, &records[3], "0a-1"));
    assert_eq!(refused(1, &[good.clone(), more.clone()]), second);
    let change = ("変更", records[3].clone());
    assert_eq!(refused(1, &[change, twin.clone()]), second);
    town.apply(1, &delta(&header, &[("削除", records[3].clone()), twin])).expect("renumbered");
    // What a delta has brought is looked at as well; what one has taken away is not.
    let back = ("追加", records[3].clone());
    assert_eq!(refused(2, &[good.clone(), back.clone()]), second);
    town.apply(2, &delta(&header, &[good])).expect("a newcomer");
    assert_eq!(refused(3, &[("変更", records[4].clone()), more]), second);
    town.apply(3, &delta(&header, &[("削除", newcomer(&header, &records[3], &bare(3)))]))
        .expect("somebody leaves");
    town.apply(4, &delta(&header, &[back])).expect("and comes back with all zeros");
}

/// D14: an empty delta changes nothing, and is taken as one.
#[test]
fn an_empty_delta_keeps_everybody() {
    let town = Town::new();
    let (header, _) = table(&town);
    let before = town.exchange.state();
    let applied = town.apply(1, &delta(&header, &[])).expect("an empty delta");
    assert_eq!(applied.counts.lines(), 0);
    let state = town.exchange.state();
    let records = |state: &renkei_exchange::State| {
        let id = state.snapshot_in_use(town.register).expect("a register");
        state.snapshots.get(&id).expect("the snapshot").records()
    };
    assert_eq!(records(&state), records(&before));
}

/// What fails if numbers began anew with `SealUpload::switch`, or if a delta were applied to the snapshot before.
#[test]
fn deltas_go_on_over_a_new_snapshot_and_apply_to_it_alone() {
    let mut town = Town::new();
    let (header, records) = table(&town);
    let joins = newcomer(&header, &records[0], "a-1");
    town.apply(1, &delta(&header, &[("add", joins.clone())])).expect("a delta");
    town.replace_register(town.residents().to_owned());
    // The file does not have who had joined, so the next delta may bring them.
    assert_eq!(newcomer_found(&town), None);
    assert_eq!(expected(town.apply(1, &delta(&header, &[]))).0, Reason::DeltaDiffers);
    town.apply(2, &delta(&header, &[("add", joins)])).expect("the next number");
    assert_eq!(newcomer_found(&town).as_deref(), Some("a-1"));
}

/// D13: what fails without the comparison of digests in `seal::received`.
#[test]
fn a_snapshot_half_old_and_half_new_is_refused_and_the_old_one_serves() {
    let town = Town::new();
    let before = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    let (header, records) = table(&town);
    let text = delta(&header, &[("add", newcomer(&header, &records[0], "a-1"))]);
    let sent = town.sent_delta(1, &text).expect("an upload");
    let mixed = sent.of_other_bytes();
    let call = Call::read(caller("register"));
    let refused = town.apply_sent(&mixed, &call).expect_err("other bytes than declared");
    assert_eq!(refused.reason, Reason::BytesDiffer);
    assert_eq!(town.try_mixed_snapshot().expect_err("halves").reason, Reason::BytesDiffer);
    let state = town.exchange.state();
    let content = state.datasets.get(&town.register).expect("the register").content;
    assert_eq!(content, Content::Register(Some(before)));
}

/// What fails without `recounts`: values that were counted once would be counted for ever.
#[test]
fn after_many_changes_values_are_counted_anew_and_rows_keep_their_numbers() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let (header, records) = table(&town);
    let kana = column(&header, "氏名カナ");
    let mut number = 0;
    for chunk in records.chunks(25).take(3) {
        number += 1;
        let entries: Vec<_> = chunk
            .iter()
            .map(|record| {
                let mut record = record.clone();
                record[kana] = record[kana].replace('ア', "ヤ");
                ("変更", record)
            })
            .collect();
        town.apply(number, &delta(&header, &entries)).expect("a delta");
    }
    let joins = newcomer(&header, &records[0], "a-1");
    town.apply(number + 1, &delta(&header, &[("add", joins)])).expect("a delta");
    let recounted = |town: &Town| {
        let state = town.exchange.state();
        state.snapshots.iter().filter(|(_, one)| one.follows.is_some_and(|f| f.recounts)).count()
    };
    assert!(recounted(&town) > 0, "75 of some 300 records have changed");
    assert_eq!(newcomer_found(&town).as_deref(), Some("a-1"));
    let asked = |town: &Town| {
        let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a register");
        let indexed = town.indexes.get(snapshot).expect("an index");
        let record = &records[5];
        let cell = |name: &str| record[column(&header, name)].clone();
        let (kanji, birth) = (cell("氏名"), cell("生年月日"));
        let query = Query::new([("name_kanji", kanji.as_str()), ("birth_date", birth.as_str())]);
        let found = query.expect("a question").ask(&indexed).candidates;
        found.iter().map(|one| (one.resident, one.weight)).collect::<Vec<_>>()
    };
    let before = asked(&town);
    assert!(!before.is_empty());
    town.restart();
    town.indexes = renkei_exchange::index::Indexes::default();
    town.follow();
    // Equal weights and equal rows: what was counted when is a fact.
    assert_eq!(asked(&town), before);
    // The list is pinned to the register as it was: its persons are still those.
    town.decide_all(list, "clerk-1");
    town.certify(list).expect("two signatures");
}
/// What fails without the comparison of `came` in `State::in_force`, and without that of `known`.
#[test]
fn the_state_on_a_base_date_is_told_as_it_was_known_by_a_day() {
    let town = Town::of_residents(with_event_days);
    let (header, records) = table(&town);
    let version = |came: &str, handled: &str, address: &str| {
        let mut cells = newcomer(&header, &records[0], "a-1");
        cells[column(&header, "異動日")] = came.to_owned();
        cells[column(&header, "処理日")] = handled.to_owned();
        cells[column(&header, "住所")] = address.to_owned();
        cells
    };
    let join = version("2020-04-01", "2020-04-03", "甲町1");
    town.apply(1, &delta(&header, &[("追加", join)])).expect("a delta");
    // The move was on 30 August and was handled on 10 September; a later one is handled before it.
    let moved = version("2026-10-20", "2026-10-20", "丙町3");
    town.apply(2, &delta(&header, &[("変更", moved)])).expect("a delta");
    let late = version("2026-08-30", "2026-11-10", "乙町2");
    town.apply(3, &delta(&header, &[("変更", late)])).expect("a delta");
    let gone = version("2026-11-15", "2026-11-16", "");
    town.apply(4, &delta(&header, &[("削除", gone)])).expect("a delta");
    let lives = |on: &str, known: &str| {
        let at = StateAt { on: on.parse().expect("a day"), known: known.parse().expect("a day") };
        let (state, vault) = (town.exchange.state(), town.exchange.vault());
        let there = state.in_force(vault, town.register, at).expect("a state").rows;
        let row = *there.get("a-1")?;
        let snapshot = state.snapshot_in_use(town.register).expect("a register");
        let rows = state.register_rows(snapshot).expect("rows");
        let address = rows.column("address").expect("addresses");
        Some(rows.record(vault, row).expect("a record")[address].clone())
    };
    for (on, known, address) in [
        ("2020-03-31", "2026-11-21", None),
        ("2026-09-01", "2020-04-02", None),
        ("2026-09-01", "2026-11-09", Some("甲町1")),
        ("2026-09-01", "2026-11-10", Some("乙町2")),
        ("2026-10-20", "2026-11-21", Some("丙町3")),
        ("2026-11-15", "2026-11-15", Some("丙町3")),
        ("2026-11-15", "2026-11-16", None),
    ] {
        assert_eq!(lives(on, known).as_deref(), address, "on {on} as known on {known}");
    }
    let all = StateAt {
        on: "2026-11-21".parse().expect("a day"),
        known: "2026-11-21".parse().expect("a day"),
    };
    let state = town.exchange.state();
    let there = state.in_force(town.exchange.vault(), town.register, all).expect("a state");
    let in_use = state.snapshot_in_use(town.register).expect("a register");
    let records = state.snapshots.get(&in_use).expect("the snapshot").records();
    assert_eq!(there.rows.len() as u64, records, "now it is the register itself");
}

/// After the base date a household that parts is still one (japan.md 2). Without `household_then` in `batch::draw_up` it is
/// paid twice; without the comparison of `came` in `history::versions` whoever parted before it is not paid.
#[test]
fn a_household_that_parts_after_the_base_date_is_paid_once_and_one_that_parted_before_it_twice() {
    // The base date is 2026-09-01.
    let of_households = |rules| Rules { unit: PayeeUnit::Household, ..rules };
    let town = Town::of_residents_and_rules(with_event_days, of_households);
    let (header, records) = table(&town);
    let cell = |cells: &[String], name: &str| cells[column(&header, name)].clone();
    let mut houses: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for cells in &records {
        houses.entry(cell(cells, "世帯番号")).or_default().push(cells.clone());
    }
    let mut pairs = houses.into_values().filter(|members| members.len() == 2);
    let (late, early) = (pairs.next().expect("a couple"), pairs.next().expect("another"));
    let list = |name: &str, payees: [&Vec<String>; 2]| {
        let columns = ["氏名", "氏名カナ", "生年月日", "性別", "郵便番号", "住所"];
        let mut text = format!("申請番号,{},支給額\n", columns.join(","));
        for (at, payee) in payees.into_iter().enumerate() {
            let cells = columns.map(|name| cell(payee, name)).join(",");
            text.push_str(&format!("{name}-{at},{cells},50000\n"));
        }
        town.linked_list_of(name, &text)
    };
    let first = town.pay(list("first", [&late[0], &early[0]]));
    assert_eq!(town.paid(first).len(), 2);
    let parts = |member: &[String], household: &str, came: &str| {
        let mut cells = member.to_vec();
        cells[column(&header, "世帯番号")] = household.to_owned();
        cells[column(&header, "異動日")] = came.to_owned();
        cells[column(&header, "処理日")] = "2026-10-01".to_owned();
        ("変更", cells)
    };
    let entries =
        [parts(&late[1], "h-late", "2026-09-02"), parts(&early[1], "h-early", "2026-09-01")];
    town.apply(1, &delta(&header, &entries)).expect("a delta");
    let second = list("second", [&late[1], &early[1]]);
    let paid = town.paid(town.pay(second));
    let payees: Vec<&str> = paid.iter().map(|payment| payment.payee.as_str()).collect();
    assert_eq!(payees, ["h-early"]);
    assert_eq!(town.sheet(second).steps[&Step::AlreadyPaid].lines, 1);
}

/// The same where the change comes with a whole file, also where that brings no day. Without `since` in `Homes::read`
/// it is paid twice.
#[test]
fn a_household_that_parts_after_the_base_date_is_paid_once_also_where_a_whole_file_says_so() {
    let of_households = |rules| Rules { unit: PayeeUnit::Household, ..rules };
    let mut town = Town::of_residents_and_rules(with_event_days, of_households);
    let (header, records) = table(&town);
    let at = |name: &str| column(&header, name);
    let mut houses: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for cells in &records {
        houses.entry(cells[at("世帯番号")].clone()).or_default().push(cells.clone());
    }
    let couples: Vec<_> = houses.into_values().filter(|one| one.len() == 2).take(4).collect();
    let list = |town: &Town, name: &str, member: usize| {
        let columns = ["氏名", "氏名カナ", "生年月日", "性別", "郵便番号", "住所"];
        let mut text = format!("申請番号,{},支給額\n", columns.join(","));
        for (number, couple) in couples.iter().enumerate() {
            let cells = columns.map(|name| couple[member][at(name)].clone()).join(",");
            text.push_str(&format!("{name}-{number},{cells},50000\n"));
        }
        town.linked_list_of(name, &text)
    };
    let first = town.pay(list(&town, "first", 0));
    assert_eq!(town.paid(first).len(), 4);
    // Dated after the base date, dated on it, not dated, and a house that got another number as a whole.
    let changes = [
        (&couples[0][1], "h-late", "2026-09-02"),
        (&couples[1][1], "h-early", "2026-09-01"),
        (&couples[2][1], "h-undated", ""),
        (&couples[3][0], "h-other", "2026-10-01"),
        (&couples[3][1], "h-other", "2026-10-01"),
    ];
    let mut text = header.join(",") + "\n";
    for mut cells in records.clone() {
        let change = changes.iter().find(|(whose, ..)| whose[0] == cells[0]);
        if let Some((_, household, came)) = change {
            cells[at("世帯番号")] = (*household).to_owned();
            cells[at("異動日")] = (*came).to_owned();
        }
        text.push_str(&(cells.join(",") + "\n"));
    }
    town.replace_register(text);
    let second = list(&town, "second", 1);
    let paid = town.paid(town.pay(second));
    let payees: Vec<&str> = paid.iter().map(|payment| payment.payee.as_str()).collect();
    assert_eq!(payees, ["h-early"]);
    assert_eq!(town.sheet(second).steps[&Step::AlreadyPaid].lines, 3);
}

/// The register with the two columns of days, where it has them not.
fn with_event_days(residents: String) -> String {
    let mut lines = residents.lines();
    let header = lines.next().unwrap_or_default();
    let missing: Vec<&str> =
        ["異動日", "処理日"].into_iter().filter(|name| !header.contains(name)).collect();
    let more = |line: &str, cell: &dyn Fn(&str) -> String| {
        let cells: String = missing.iter().map(|name| format!(",{}", cell(name))).collect();
        format!("{line}{cells}\n")
    };
    let mut text = more(header, &|name| name.to_owned());
    lines.for_each(|line| text.push_str(&more(line, &|_| String::new())));
    text
}
