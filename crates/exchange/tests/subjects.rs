//! "Who used my data?": lines are provable under the one leaf of their job, a person is told of their own alone, nobody
//! learns from an empty answer, and what was destroyed stays destroyed.

mod town;

use renkei_exchange::agreement::{LegalBasis, Telling, Terms};
use renkei_exchange::command::Call;
use renkei_exchange::identify::Asked;
use renkei_exchange::permit::{AskIdentity, Permit, ReleaseSubject, Right, TellSubject};
use renkei_exchange::subject_index::gather_due;
use renkei_exchange::subject_report::{Question, Row, Told, Use, held};
use renkei_exchange::year_key::{self, YearKeyUse};
use renkei_exchange::{Operation, Refusal};
use renkei_linkage::Outcome;
use renkei_tlog::commitment::EntryProof;
use renkei_tlog::leaf::Operation as LeafOperation;
use renkei_tlog::{Leaf, VerifierKey};
use renkei_types::{Digest, ListId, Reason};
use town::{Town, caller};

const TELLER: &str = "discloser-1";

fn permit<R: Right>(town: &Town, who: &str) -> Permit<R> {
    let state = town.exchange.state();
    let owner = &state.datasets.get(&town.register).expect("the register").provider;
    state.permit_own(&caller(who), Some(owner)).expect("a permit")
}

fn question(town: &Town, ids: &[&str]) -> Question {
    let ids = ids.iter().map(|&id| id.to_owned()).collect();
    Question { dataset: town.register, ids, by_proxy: false, with_proofs: true }
}

fn ask(town: &Town, question: &Question) -> Told {
    let permit = permit::<TellSubject>(town, TELLER);
    let call = Call::read(caller(TELLER));
    question.ask(&town.exchange, &town.indexes, call, permit).expect("an answer")
}

fn rows(town: &Town, ids: &[&str]) -> Vec<Row> {
    ask(town, &question(town, ids)).rows
}

/// Lines of a list with their best candidate, by outcome.
fn lines(town: &Town, list: ListId) -> Vec<(Outcome, Option<String>)> {
    let book = town.exchange.ask_now(move |desk| desk.book(list)).expect("the book");
    let snapshot = town.exchange.state().linked_list(list).expect("linked").1.snapshot;
    let indexed = town.indexes.get(snapshot).expect("the register");
    let id = |row| indexed.index.id(row).to_owned();
    book.lines().map(|(_, line)| (line.outcome, line.register_row.map(id))).collect()
}

fn somebody(town: &Town, list: ListId, wanted: Outcome) -> String {
    let found = lines(town, list).into_iter().find(|(outcome, _)| *outcome == wanted);
    found.and_then(|(_, id)| id).expect("somebody")
}

/// Residents whom no line of the list names.
fn unconcerned(town: &Town, list: ListId) -> Vec<String> {
    let named: Vec<String> = lines(town, list).into_iter().filter_map(|(_, id)| id).collect();
    let snapshot = town.exchange.state().linked_list(list).expect("linked").1.snapshot;
    let indexed = town.indexes.get(snapshot).expect("the register");
    let ids = indexed.index.ids().map(|(_, id)| id.to_owned());
    ids.filter(|id| !named.contains(id)).collect()
}

fn answer(town: &Town, ids: &[&str]) {
    let state = town.exchange.state();
    let asked = Asked {
        permit: town.permit_dataset::<AskIdentity>("payments-consumer", town.register),
        dataset: town.register,
        snapshot: state.snapshot_in_use(town.register).expect("a register"),
        model: Digest::of(b"model"),
        candidates: town.answered(ids.iter().copied()),
    };
    let call = Call::read(caller("payments-consumer"));
    town.exchange.execute_now(call, asked).expect("a question");
}

fn keys(town: &Town) -> [VerifierKey; 1] {
    let text = town.exchange.log_verifier().expect("the key");
    [text.trim().parse().expect("a key")]
}

fn proof(row: &Row) -> &EntryProof {
    row.proof.as_ref().expect("a proof")
}

#[test]
fn every_line_of_a_job_that_names_somebody_is_told_to_them_and_proven_under_the_leaf_of_the_job() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let keys = keys(&town);
    let lines = lines(&town, list);
    let mut proven = 0;
    for (number, (outcome, id)) in lines.iter().enumerate() {
        let Some(id) = id else { continue };
        let rows = rows(&town, &[id]);
        let of_line = |row: &&Row| proof(row).person.path.index == number as u64;
        let row = rows.iter().find(of_line).expect("the line");
        let linked = matches!(outcome, Outcome::Linked);
        assert_eq!(row.done, if linked { Use::Linked } else { Use::Compared });
        let leaf = proof(row).verify(&keys).expect("a proof that holds");
        assert_eq!(leaf.op, LeafOperation::LinkRun);
        assert_eq!((leaf.subj.expect("persons").n, leaf.man.expect("records").n), (90, 90));
        let decision = proof(row).decision.as_ref().expect("the decision");
        assert_eq!(decision.record.outcome, outcome.as_str());
        assert_eq!(
            (row.requester.as_ref().map(ToString::to_string), row.provider.to_string()),
            (Some("131016/benefits".to_owned()), "131016/residents".to_owned())
        );
        assert_eq!(row.basis, Some(LegalBasis::OwnDuties));
        assert_eq!(row.purpose.as_ref().map(|purpose| purpose.as_str()), Some("benefit-2026"));
        assert!(row.fields.contains(&"name_kanji".to_owned()));
        proven += 1;
    }
    assert!(proven > 80, "{proven}");
}

/// What fails without `leads` in `EntryProof::verify`, and without the comparison of the line with its decision.
#[test]
fn a_proof_in_which_anything_was_changed_is_refused() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let keys = keys(&town);
    let (one, other) = {
        let ids: Vec<String> = lines(&town, list).into_iter().filter_map(|(_, id)| id).collect();
        (rows(&town, &[&ids[0]]), rows(&town, &[&ids[5]]))
    };
    let whole = proof(&one[0]).clone();
    whole.verify(&keys).expect("as it was given");
    let mut mutations: Vec<(&str, EntryProof)> = Vec::new();
    let mut mutate = |what, change: &dyn Fn(&mut EntryProof)| {
        let mut changed = whole.clone();
        change(&mut changed);
        mutations.push((what, changed));
    };
    mutate("salt", &|proof| proof.person.salt[3] ^= 1);
    mutate("handle", &|proof| proof.person.handle[3] ^= 1);
    mutate("said", &|proof| proof.person.said = "NOT_FOUND".to_owned());
    mutate("index", &|proof| proof.person.path.index += 1);
    mutate("size", &|proof| proof.person.path.size += 1);
    mutate("a hash less", &|proof| drop(proof.person.path.hashes.pop()));
    mutate("no hash", &|proof| proof.person.path.hashes[0] = "x".to_owned());
    mutate("time", &|proof| proof.leaf = proof.leaf.replace("\"t\":", "\"t\":1"));
    mutate("receipt", &|proof| proof.receipt = proof.receipt.replace("index ", "index 1"));
    let decision =
        |proof: &mut EntryProof, change: &dyn Fn(&mut renkei_tlog::commitment::OpenedRecord)| {
            change(proof.decision.as_mut().expect("a decision"));
        };
    mutate("weight", &|proof| decision(proof, &|one| one.record.weight += 1));
    mutate("reason", &|proof| decision(proof, &|one| one.record.reason.push('X')));
    mutate("row", &|proof| decision(proof, &|one| one.record.row += 1));
    mutate("salt of the decision", &|proof| decision(proof, &|one| one.salt[0] ^= 1));
    mutate("another line's decision", &|one| {
        one.decision.clone_from(&proof(&other[0]).decision);
    });
    mutate("another line's person", &|one| one.person = proof(&other[0]).person.clone());
    for (what, changed) in mutations {
        assert!(changed.verify(&keys).is_err(), "{what}");
    }
    assert!(whole.verify(&[]).is_err(), "another log's key");
}

#[test]
fn a_question_about_several_people_concerns_each_of_them_and_shows_none_the_others() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let people = unconcerned(&town, list);
    answer(&town, &[&people[0]]);
    answer(&town, &[&people[1], &people[2], &people[3]]);
    answer(&town, &[]);
    let keys = keys(&town);
    for (person, others) in [(0, 1), (1, 3), (2, 3), (3, 3)] {
        let told = rows(&town, &[&people[person]]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].done, Use::Answered);
        let leaf = proof(&told[0]).verify(&keys).expect("a proof that holds");
        assert_eq!(leaf.subj.expect("persons").n, others);
        assert_eq!(leaf.op, LeafOperation::QuerySingle);
        let text = format!("{told:?}");
        let named = people.iter().filter(|id| text.contains(id.as_str())).count();
        assert_eq!(named, 0, "no id of anybody");
    }
}

/// What fails without `book_part` in `Books::of_list`: a decision has a change of the book and a person in one frame.
#[test]
fn a_person_to_whom_a_clerk_links_a_line_is_told_and_the_books_are_as_before_after_a_start() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 90);
    town.decide_all(list, "clerk-1");
    let linked = somebody(&town, list, Outcome::LinkedByClerk);
    let by_clerks = |town: &Town| {
        let told = rows(town, &[&linked]).into_iter();
        told.filter(|row| row.operation == LeafOperation::ReviewDecision).collect::<Vec<_>>()
    };
    let told = by_clerks(&town);
    assert_eq!(told.iter().map(|row| row.done).collect::<Vec<_>>(), [Use::Linked]);
    proof(&told[0]).verify(&keys(&town)).expect("a proof that holds");
    let before = (lines(&town, list), town.sheet(list));
    town.restart();
    town.follow();
    assert_eq!(by_clerks(&town).len(), 1);
    // Of a list without open tasks only the book is read again: its register need not be in memory.
    assert_eq!((lines(&town, list), town.sheet(list)), before);
}

/// A4. Members of one household stand on the list, each with a line of their own.
#[test]
fn a_member_of_a_household_is_told_of_their_own_line_alone() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let (header, records) = town::records::table(&town);
    let at = |name: &str| town::records::column(&header, name);
    let (id, household) = (at("宛名番号"), at("世帯番号"));
    let linked: Vec<(u32, String)> =
        (0..).zip(lines(&town, list)).filter_map(|(row, (_, id))| Some((row, id?))).collect();
    let of = |resident: &str| {
        let record = records.iter().find(|cells| cells[id] == resident);
        record.map(|cells| cells[household].clone())
    };
    let mut pairs = Vec::new();
    for (row, one) in &linked {
        for (other_row, other) in &linked {
            if one != other && of(one).is_some() && of(one) == of(other) {
                pairs.push((*row, one, *other_row));
            }
        }
    }
    assert!(!pairs.is_empty(), "a family with two lines");
    for (_, one, other_row) in pairs {
        let told = rows(&town, &[one]);
        assert!(!told.is_empty());
        let own = |row: &Row| proof(row).person.path.index != u64::from(other_row);
        assert!(told.iter().all(own), "a line of somebody else");
    }
}

#[test]
fn a_person_of_two_ids_is_told_of_both_once_and_in_order() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let (old, new) = (somebody(&town, list, Outcome::Linked), unconcerned(&town, list)[0].clone());
    answer(&town, &[&new]);
    // Both ids are of one person, and one answer had both.
    answer(&town, &[&old, &new]);
    let apart = rows(&town, &[&old]).len() + rows(&town, &[&new]).len();
    let together = rows(&town, &[&old, &new]);
    assert_eq!(together.len(), apart);
    let times: Vec<_> = together.iter().map(|row| row.time).collect();
    assert!(times.is_sorted());
    let twice = rows(&town, &[&old, &old]);
    assert_eq!(twice.len(), rows(&town, &[&old]).len());
}

/// The leaves of questions that were asked of the log, without what every leaf has of its own.
fn shapes_of_access(town: &Town) -> Vec<String> {
    let plain = |mut leaf: Leaf| {
        leaf.id = renkei_types::EventId::from_bytes([0; 16]);
        leaf.t = renkei_tlog::leaf::UtcMillis(0);
        leaf.job = None;
        if let Some(subjects) = &mut leaf.subj {
            subjects.root = None;
        }
        String::from_utf8(leaf.to_bytes().expect("a leaf")).expect("JSON")
    };
    let of_access = |leaf: &Leaf| leaf.op == LeafOperation::SubjectAccess;
    town.leaves().into_iter().filter(of_access).map(plain).collect()
}

/// A4. What fails without `hold` in `Question::ask`.
#[test]
fn nobody_can_tell_from_an_empty_answer_why_it_is_empty() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let linked = somebody(&town, list, Outcome::Linked);
    assert!(!rows(&town, &[&linked]).is_empty());
    town.report(2, &format!("宛名番号,支援措置\n{linked},1\n")).expect("a report");
    let nobody = unconcerned(&town, list)[0].clone();
    let before = shapes_of_access(&town).len();
    let by_proxy = Question { by_proxy: true, ..question(&town, &[&nobody]) };
    let questions = [
        question(&town, &[&linked]),
        question(&town, &[&nobody]),
        question(&town, &["999999999999"]),
        by_proxy,
    ];
    for asked in &questions {
        let told = ask(&town, asked);
        assert_eq!((told.rows.len(), told.is_stale), (0, false), "{asked:?}");
        assert!(told.receipt.is_some(), "every question is a leaf");
    }
    let shapes = shapes_of_access(&town);
    assert_eq!(shapes.len(), before + 4);
    assert!(shapes[before..].iter().all(|shape| *shape == shapes[before]), "{shapes:?}");
    // Two of them wait for protectors.
    let waiting = held(&town.exchange.state(), town.register);
    let by_proxy = waiting.iter().filter(|(_, request)| request.by_proxy).count();
    assert_eq!((waiting.len(), by_proxy), (2, 1));
}

/// What fails where one protected id holds the answer about all.
#[test]
fn naming_somebody_beside_others_does_not_tell_whether_they_are_protected() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let linked = somebody(&town, list, Outcome::Linked);
    let nobody = unconcerned(&town, list);
    let [protected, stranger] = [&nobody[0], &nobody[1]];
    town.report(2, &format!("宛名番号,支援措置\n{protected},1\n")).expect("a report");
    let alone = rows(&town, &[&linked]).len();
    assert!(alone > 0);
    for beside in [protected, stranger] {
        let told = ask(&town, &question(&town, &[&linked, beside]));
        assert_eq!(told.rows.len(), alone, "{beside}");
    }
    // What is held of the one still waits for a protector.
    assert_eq!(held(&town.exchange.state(), town.register).len(), 1);
}

#[test]
fn where_it_is_not_known_who_is_protected_every_answer_is_held() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let linked = somebody(&town, list, Outcome::Linked);
    // Nothing has been heard of protected persons for longer than a week.
    town.restart_on("2026-12-15");
    town.follow();
    let told = ask(&town, &question(&town, &[&linked]));
    assert_eq!((told.rows.len(), told.is_stale), (0, true));
    assert_eq!(held(&town.exchange.state(), town.register).len(), 1);
}

fn release(town: &Town, who: &str, asked: &Question, told: &Told) -> Result<Told, Refusal> {
    let permit = permit::<ReleaseSubject>(town, who);
    asked.release(&town.exchange, Call::read(caller(who)), permit, told.access)
}

/// What fails without the comparisons in `Release::decide`.
#[test]
fn what_is_held_is_told_once_by_a_protector_who_did_not_ask_and_about_that_person_alone() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let linked = somebody(&town, list, Outcome::Linked);
    town.report(2, &format!("宛名番号,支援措置\n{linked},1\n")).expect("a report");
    let asked = question(&town, &[&linked]);
    let told = ask(&town, &asked);
    let other = question(&town, &[&unconcerned(&town, list)[0]]);
    let refused = release(&town, "residents-protector", &other, &told).expect_err("another person");
    assert_eq!(refused.reason, Reason::FieldInvalid);
    let released = release(&town, "residents-protector", &asked, &told).expect("released");
    assert_eq!(released.rows.len(), 1);
    proof(&released.rows[0]).verify(&keys(&town)).expect("a proof that holds");
    assert_eq!(held(&town.exchange.state(), town.register), []);
    let again = release(&town, "residents-protector", &asked, &told).expect_err("once");
    assert_eq!(again.reason, Reason::WrongState);
    // Somebody who has both roles cannot do both.
    let permit = permit::<TellSubject>(&town, "residents-protector");
    let call = Call::read(caller("residents-protector"));
    let own = asked.ask(&town.exchange, &town.indexes, call, permit).expect("held");
    let refused = release(&town, "residents-protector", &asked, &own).expect_err("alone");
    assert_eq!(refused.reason, Reason::SamePerson);
}

/// A4. What fails without `is_told` in `Question::rows`.
#[test]
fn what_an_agreement_keeps_from_persons_is_told_from_its_day_on_or_never() {
    let mut town = Town::new();
    let terms = |told, day: &str| Terms {
        consumer: "131016/benefits".parse().expect("an agency"),
        dataset: town.register,
        basis: LegalBasis::OwnDuties,
        purpose: "inquiry".parse().expect("a code"),
        fields: ["name_kanji".to_owned()].into(),
        operations: [Operation::Identify].into(),
        valid_from: day.parse().expect("a day"),
        valid_until: "2027-03-31".parse().expect("a day"),
        daily_records_max: 1_000,
        retention_days: 30,
        told,
    };
    let from = Telling::From("2026-12-20".parse().expect("a day"));
    let (later, never) = (terms(from, "2026-11-01"), terms(Telling::Never, "2026-11-01"));
    // Ids sort by time, and the newest that fits counts.
    town.agree_on(later, "residents-operator").expect("an agreement");
    answer(&town, &["1"]);
    town.restart_on("2026-11-22");
    town.agree_on(never, "residents-operator").expect("an agreement");
    answer(&town, &["1"]);
    town.follow();
    assert_eq!(rows(&town, &["1"]), []);
    let leaves = town.leaves();
    let disclosures: Vec<_> = leaves.iter().filter_map(|leaf| leaf.disc).collect();
    assert_eq!(disclosures.len(), 3, "two questions, and one for what is told of them");
    town.restart_on("2026-12-20");
    town.follow();
    town.report(2, "宛名番号,支援措置\n").expect("nobody is protected");
    let told = rows(&town, &["1"]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].purpose.as_ref().map(|purpose| purpose.as_str()), Some("inquiry"));
}

/// What fails without `Waiting::recover`, and without the order of entries in a run.
#[test]
fn what_waited_is_found_again_after_a_start_and_after_it_was_gathered() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let people = unconcerned(&town, list);
    let linked = somebody(&town, list, Outcome::Linked);
    answer(&town, &[&people[0]]);
    let told = |town: &Town| {
        let of = |id: &String| {
            rows(town, &[id]).into_iter().map(|row| (row.leaf_index, row.done)).collect::<Vec<_>>()
        };
        [&linked, &people[0], &people[1]].map(of)
    };
    let before = told(&town);
    assert_eq!(before.each_ref().map(Vec::len), [1, 1, 0]);
    town.restart();
    town.follow();
    assert_eq!(told(&town), before);
    assert!(!gather_due(&town.exchange).expect("a look"), "so few are no run");
    let crowd: Vec<&str> = people.iter().map(String::as_str).cycle().skip(1).take(20).collect();
    for round in 0..3 {
        for _ in 0..205 {
            answer(&town, &crowd);
        }
        assert!(gather_due(&town.exchange).expect("a look"), "{round}");
        assert!(!gather_due(&town.exchange).expect("a second look"), "{round}");
        assert_eq!(told(&town)[..2], before[..2], "{round}");
        let asked = rows(&town, &[crowd[0]]).len();
        assert_eq!(asked, 205 * (round + 1), "{round}");
    }
    // Runs of one size became one.
    assert_eq!(town.exchange.state().subject_runs.len(), 1);
    let digest = town.digest();
    town.close();
    fs_err::remove_dir_all(town.paths().store.join("cache")).expect("the cache is deleted");
    town.reopen();
    town.follow();
    assert_eq!(town.digest(), digest);
    assert_eq!(told(&town)[..2], before[..2]);
}

/// A5. What fails without `destroyed_year_keys` in `Exchange::open`, and without the comparison of days in `EndYear`.
#[test]
fn seven_years_after_the_year_nothing_is_told_and_no_backup_brings_it_back() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let linked = somebody(&town, list, Outcome::Linked);
    let told = rows(&town, &[&linked]);
    let state = town.exchange.state();
    let (_, known) = state.subject_keys.iter().next().expect("a key");
    let key = known.key;
    let file = town.keys().join(format!("data/{key}.key"));
    let backup = fs_err::read(&file).expect("the key's file");
    let destroy = |town: &Town| year_key::destroy_due(&town.exchange, YearKeyUse::Subjects);
    let fresh = |town: &mut Town, day: &str, number: u64| {
        town.restart_on(day);
        town.follow();
        town.report(number, "宛名番号,支援措置\n").expect("nobody is protected");
    };
    // Of the fiscal year 2026, which ends on 31 March 2027.
    fresh(&mut town, "2034-03-31", 2);
    assert_eq!(destroy(&town).expect("a look"), 0);
    assert_eq!(rows(&town, &[&linked]).len(), told.len());
    fresh(&mut town, "2034-04-01", 3);
    assert_eq!(destroy(&town).expect("a look"), 1);
    assert_eq!(destroy(&town).expect("a second look"), 0);
    assert_eq!(rows(&town, &[&linked]), []);
    let gone = town.leaves().into_iter().rfind(|leaf| leaf.op == LeafOperation::Delete);
    assert_eq!(gone.and_then(|leaf| leaf.subj).and_then(|subjects| subjects.epoch), Some(2026));
    // The folder of keys comes back from a backup in which nobody had destroyed anything.
    town.close();
    fs_err::remove_file(file.with_extension("destroyed")).expect("the tombstone is undone");
    fs_err::write(&file, backup).expect("the key is back");
    fs_err::remove_dir_all(town.paths().store.join("cache")).expect("the cache is deleted");
    town.reopen();
    town.follow();
    assert!(!file.exists(), "destroyed again");
    assert_eq!(rows(&town, &[&linked]), []);
    // The proof that was handed out holds for ever: the log has not changed.
    proof(&told[0]).verify(&keys(&town)).expect("a proof that holds");
}
