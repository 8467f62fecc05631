//! The rules of a programme: amounts, exclusions, kinds of lists, and holds that people and the broker place.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use std::collections::BTreeSet;

use renkei_exchange::Refusal;
use renkei_exchange::batch::BatchState;
use renkei_exchange::command::Call;
use renkei_exchange::delivery::Deliver;
use renkei_exchange::exclusion::{Excluded, ExclusionReason, exclude};
use renkei_exchange::hold::{self, Target, Unusual};
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Readmit, Receive, StopReleases, Submit};
use renkei_exchange::programme::{AmountRule, ListKind, Rules};
use renkei_exchange::reach::Unmet;
use renkei_exchange::readmission::{self, Readmitted};
use renkei_exchange::reconcile::Step;
use renkei_exchange::supersede::Supersedes;
use renkei_exchange::unknown_ids::UnknownIds;
use renkei_types::{ListId, Reason};
use town::stops::lift;
use town::{Town, caller};

/// The town's list with every amount replaced.
fn of_amounts(town: &Town, lines: usize, yen: impl Fn(usize) -> u64) -> String {
    let text = town.payments(lines);
    let header = text.lines().next().unwrap_or_default();
    let amount = header.split(',').position(|name| name == "支給額").expect("an amount");
    let mut changed = format!("{header}\n");
    for (at, line) in text.lines().skip(1).enumerate() {
        // Quoted amounts have commas of their own; names and addresses of the town have none.
        let mut cells: Vec<String> = csv(line);
        cells[amount] = yen(at).to_string();
        changed.push_str(&cells.join(","));
        changed.push('\n');
    }
    changed
}

fn csv(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            letter => cells.last_mut().expect("a cell").push(letter),
        }
    }
    cells
}

fn hold_payee(town: &Town, who: &str, payee: &str) -> Result<Target, Refusal> {
    let permit = town.permit_own::<StopReleases>(who);
    let (exchange, programme) = (&town.exchange, town.programme);
    hold::hold_payee(exchange, &Call::read(caller(who)), &permit, programme, payee)?;
    let state = exchange.state();
    hold::payee_digest(exchange.vault(), &state, programme, payee).map(Target::Payee)
}

fn leave_out(town: &Town, payees: &[String]) -> Result<Excluded, Refusal> {
    let permit = town.permit_own::<Submit>("payments");
    let (exchange, reason) = (&town.exchange, ExclusionReason::Declined);
    let call = Call::read(caller("payments"));
    exclude(exchange, &call, &permit, town.programme, reason, payees).map(|done| done.reply)
}

fn fullwidth(digit: char) -> char {
    char::from_u32(u32::from(digit) + 0xfee0).expect("a digit")
}

fn unusual(town: &Town, list: ListId) -> BTreeSet<Unusual> {
    let state = town.exchange.state();
    let hold = state.lists.get(&list).expect("the list").hold.clone();
    hold.map(|stop| stop.unusual).unwrap_or_default()
}

/// Without `rules.breach` in `seal::count` a line of another amount is sealed.
#[test]
fn an_amount_beside_the_rule_refuses_the_seal_with_its_line() {
    let refused = |town: &Town, yen: u64| {
        let file = of_amounts(town, 5, |at| if at == 2 { yen } else { 20_000 });
        let sealed = town.try_seal_list(&format!("of-{yen}"), &file, town.totals_of(&file));
        sealed.map_err(|refusal| (refusal.reason, refusal.line)).err()
    };
    let fixed = |rules| Rules { amount: Some(AmountRule::Fixed { yen: 20_000 }), ..rules };
    let town = Town::of_rules(fixed);
    assert_eq!(refused(&town, 20_001), Some((Reason::AmountOffRule, Some(4))));
    assert_eq!(refused(&town, 1_000_001), Some((Reason::AmountAboveMax, Some(4))));
    assert_eq!(refused(&town, 20_000), None);
    let each = |rules| Rules { amount: Some(AmountRule::Each { yen: 10_000, most: 4 }), ..rules };
    let town = Town::of_rules(each);
    for wrong in [0, 5_000, 25_000, 50_000] {
        assert_eq!(refused(&town, wrong), Some((Reason::AmountOffRule, Some(4))), "{wrong}");
    }
    assert_eq!(refused(&town, 40_000), None);
}

/// 阿武町 2022 (D8 is not enough: the file's totals were right): a line of the whole sum stands beside 462 right ones.
/// Without `unusual.insert(LineIsTotal)`'s condition `rest` the list is released at once.
#[test]
fn one_line_that_pays_as_much_as_all_others_stops_its_list_until_two_people_have_looked() {
    // A programme with a maximum that would let it pass.
    let town = Town::of_rules(|rules| Rules { line_yen_max: 1_000_000_000, ..rules });
    let file = of_amounts(&town, 41, |at| if at == 0 { 40 * 100_000 } else { 100_000 });
    let list = town.linked_list_of("order", &file);
    assert_eq!(unusual(&town, list), BTreeSet::from([Unusual::LineIsTotal]));
    let batch = town.certify(list).expect("two signatures");
    let state = |batch| town.exchange.state().batches.get(&batch).expect("the batch").state;
    assert_eq!(state(batch), BatchState::Certified, "signed, and not released");
    let target = Target::List(list);
    assert!(!lift(&town, "certifier-1", target).expect("the first").lifted);
    assert_eq!(lift(&town, "certifier-1", target).expect_err("alone").reason, Reason::SamePerson);
    assert_eq!(lift(&town, "certifier-2", target).expect("the second").released, vec![batch]);
    assert_eq!(state(batch), BatchState::Released);
    let last = town.leaves().last().map(|leaf| leaf.op);
    assert_eq!(last, Some(renkei_tlog::leaf::Operation::Release));
}

/// 阿武町 2022, as it was: beside the right file a second order of one line, for the sum of the first.
/// Without `whole_list` in `hold::unusual` it is released at once; with a usual maximum it cannot even be sealed.
#[test]
fn a_second_order_for_the_sum_of_the_first_is_refused_or_stopped() {
    let second = |town: &Town| {
        let file = of_amounts(town, 40, |_| 100_000);
        town.linked_list_of("first", &file);
        let paper = of_amounts(town, 45, |_| 40 * 100_000);
        let one: Vec<&str> = paper.lines().take(1).chain(paper.lines().skip(45)).collect();
        let one = one.join("\n") + "\n";
        let totals = town.totals_of(&one);
        assert_eq!(totals, Totals { lines: 1, yen: 4_000_000 });
        town.try_seal_list("second", &one, totals)
    };
    let refused = second(&Town::new()).expect_err("above the most for one line");
    assert_eq!((refused.reason, refused.line), (Reason::AmountAboveMax, Some(2)));
    let town = Town::of_rules(|rules| Rules { line_yen_max: 1_000_000_000, ..rules });
    let list = second(&town).expect("a sealed list");
    assert_eq!(unusual(&town, list), BTreeSet::from([Unusual::LineIsTotal]));
}

/// 阿武町 2022, with the lines left apart: every payment goes to one account. Without `into_one_account` in `hold::unusual` it is
/// released at once.
#[test]
fn a_list_that_pays_into_one_account_for_the_most_part_is_stopped_and_a_few_shared_accounts_are_not()
 {
    let town = Town::new();
    let list = |name: &str, lines: usize, shared: usize| {
        let file = of_amounts(&town, lines, |_| 100_000);
        let mut rows = file.lines();
        let header = rows.next().unwrap_or_default();
        let mut text = format!("{header},銀行コード,支店コード,預金種目,口座番号\n");
        for (at, row) in rows.enumerate() {
            let account = if at < shared { 7 } else { 1_000 + at };
            text.push_str(&format!("{},9001,101,1,{account:07}\n", row.replacen('B', name, 1)));
        }
        unusual(&town, town.linked_list_of(&format!("list-{}", name.to_lowercase()), &text))
    };
    assert_eq!(list("A", 40, 40), BTreeSet::from([Unusual::OneAccount]));
    assert_eq!(list("C", 40, 21), BTreeSet::from([Unusual::OneAccount]));
    assert_eq!(list("D", 40, 20), BTreeSet::new());
    // A parent's account for nine children.
    assert_eq!(list("E", 9, 9), BTreeSet::new());
}

/// 寝屋川市 2020: people who were paid by an earlier run apply in a later one, and the home-made list of those who were
/// paid lacks a run. Here that list is the programme's own: without `paid(payee)` in `batch::draw_up` they are paid twice.
#[test]
fn whoever_was_paid_by_an_earlier_run_is_not_paid_by_a_later_one_though_a_list_of_the_paid_lacks_it()
 {
    let town = Town::new();
    let first = town.linked_list("run-1", 40);
    let paid = town.paid(town.pay(first));
    // Somebody keeps a list of the paid by hand, and forgets all but three.
    let by_hand: Vec<String> = paid[..3].iter().map(|payment| payment.person.clone()).collect();
    leave_out(&town, &by_hand).expect("an exclusion");
    let everybody = town.shuffled_payments(90);
    let second = town.linked_list_of("run-2", &everybody);
    town.decide_all(second, "clerk-1");
    let again = town.paid(town.pay(second));
    let payees = |payments: &[renkei_exchange::batch::Payment]| -> BTreeSet<String> {
        payments.iter().map(|payment| payment.payee.clone()).collect()
    };
    assert!(payees(&paid).is_disjoint(&payees(&again)), "nobody is paid twice");
    assert!(again.len() > 20, "the others are paid");
    let sheet = town.sheet(second);
    assert!(sheet.steps[&Step::AlreadyPaid].lines as usize >= paid.len() - 3);
}

/// Without `not_paid` in `batch::draw_up` somebody who declined is paid; without the comparison of `exclusions` in
/// `CertifyBatch::decide` a proposal of the day before still is.
#[test]
fn an_excluded_payee_is_left_out_and_a_proposal_from_before_cannot_be_certified() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let proposed = town.propose("certifier-1", list).expect("a proposal");
    let payments = town.paid(proposed.batch);
    let declined = payments[4].person.clone();
    let excluded = leave_out(&town, &[declined.clone(), " ".to_owned()]).expect("an exclusion");
    let unknown = Some(UnknownIds::default());
    let one = Excluded { payees: 1, known_before: 0, already_certified: 0, unknown };
    assert_eq!(excluded, one);
    let refused = town.sign("certifier-2", list, proposed.batch);
    assert_eq!(refused.expect_err("drawn up before").reason, Reason::VersionOld);
    let again = town.propose("certifier-1", list).expect("another proposal");
    assert_eq!(again.excluded, 1);
    let batch = town.certify(list).expect("two signatures");
    assert!(town.paid(batch).iter().all(|payment| payment.person != declined));
    assert_eq!(town.sheet(list).steps[&Step::Excluded].lines, 1);
    // Who is certified already stays so, and is told.
    let late = leave_out(&town, &[payments[0].person.clone()]).expect("an exclusion");
    assert_eq!(late, Excluded { already_certified: 1, ..one });
    // A spreadsheet has eaten the zero of one, and nobody ever had the other.
    let eaten = payments[1].person.trim_start_matches('0').to_owned();
    assert_ne!(eaten, payments[1].person);
    let wrong = leave_out(&town, &[eaten, "nobody".to_owned()]).expect("an exclusion");
    assert_eq!(wrong.unknown, Some(UnknownIds { ids: 2, zeros_differ: 1 }));
    assert_eq!(leave_out(&town, &[]).expect_err("nobody").reason, Reason::FieldInvalid);
}

#[test]
fn a_payee_who_is_named_again_is_told_as_known_and_is_not_one_more() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let proposed = town.propose("certifier-1", list).expect("a proposal");
    let payments = town.paid(proposed.batch);
    let ids: Vec<String> = payments.iter().take(3).map(|one| one.person.clone()).collect();
    let counts = |told: Excluded| (told.payees, told.known_before);
    assert_eq!(counts(leave_out(&town, &ids[..2]).expect("an exclusion")), (2, 0));
    assert_eq!(counts(leave_out(&town, &ids[1..]).expect("another")), (2, 1));
    // Whatever the zeros in front: they mean the same person.
    let eaten = ids[0].trim_start_matches('0').to_owned();
    assert_ne!(eaten, ids[0]);
    assert_eq!(counts(leave_out(&town, &[eaten]).expect("once more")), (1, 1));
    let state = town.exchange.state();
    let known = &state.programmes.get(&town.programme).expect("the programme").exclusions;
    assert_eq!(known.iter().map(|one| one.payees - one.known_before).sum::<u64>(), 3);
}

/// Without the comparison of `first` in `ReadmitPayees::decide` one person readmits alone; without that of `after` somebody who
/// was excluded again is paid.
#[test]
fn an_excluded_payee_is_paid_after_all_if_two_people_readmit_the_same_and_nobody_excludes_in_between()
 {
    let town = Town::new();
    let list = town.linked_list_of("wave-1", &of_amounts(&town, 40, |_| 20_000));
    let people: Vec<String> = {
        let proposed = town.propose("certifier-1", list).expect("a proposal");
        town.paid(proposed.batch).iter().map(|payment| payment.person.clone()).collect()
    };
    leave_out(&town, &people[..3]).expect("an exclusion");
    let readmit = |who: &str, payees: &[String]| {
        let (permit, call) = (town.permit_own::<Readmit>(who), Call::read(caller(who)));
        readmission::readmit(&town.exchange, call, permit, town.programme, payees)
            .map(|done| done.reply)
    };
    let open = |lines: u64| Totals { lines, yen: 20_000 * lines };
    let of = |readmitted, payees| Readmitted { readmitted, payees, open_again: open(payees) };
    let none = readmit("certifier-1", &people[5..6]).expect_err("nobody excluded them");
    assert_eq!((none.reason, none.field), (Reason::WrongState, Some("payees")));

    // Ids are compared whatever their width, as they were when they were excluded.
    let wide = |id: &String| id.chars().map(fullwidth).collect::<String>();
    let widened: Vec<String> = people[..2].iter().map(wide).collect();
    assert_eq!(readmit("certifier-1", &widened), Ok(of(false, 2)));
    let alone = readmit("certifier-1", &people[..2]).expect_err("alone");
    assert_eq!(alone.reason, Reason::SamePerson);
    // Another set of payees is another wish.
    assert_eq!(readmit("certifier-2", &people[..1]), Ok(of(false, 1)));
    assert_eq!(town.propose("certifier-1", list).expect("a proposal").excluded, 3);
    // Who is excluded in between is not what was signed for.
    leave_out(&town, &people[1..2]).expect("again");
    assert_eq!(readmit("certifier-2", &people[..2]), Ok(of(false, 2)));
    assert_eq!(readmit("certifier-1", &people[..2]), Ok(of(true, 2)));
    let proposed = town.propose("certifier-1", list).expect("another proposal");
    assert_eq!(proposed.excluded, 1);
    let paid: Vec<String> =
        town.paid(proposed.batch).iter().map(|payment| payment.person.clone()).collect();
    assert!(paid.contains(&people[0]) && paid.contains(&people[1]) && !paid.contains(&people[2]));
    // An exclusion that comes later counts.
    leave_out(&town, &people[..1]).expect("after all");
    assert_eq!(town.propose("certifier-1", list).expect("a proposal").excluded, 2);
}

/// Without `held_payees` in `hold::check` a released batch with the payee is delivered; without `UnknownPerson` in `hold_payee` an id
/// without its zeros stops nobody.
#[test]
fn a_payee_on_hold_is_left_out_and_a_batch_that_has_the_payee_waits_as_a_whole() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let batch = town.certify(list).expect("two signatures");
    let payee = town.paid(batch)[2].person.clone();
    let target = hold_payee(&town, "certifier-1", &payee).expect("a hold");
    let nobody = hold_payee(&town, "certifier-2", "99").expect_err("no such resident");
    assert_eq!((nobody.reason, nobody.field), (Reason::UnknownPerson, Some("payee")));
    // Without its zeros it is the same payee, who is on hold already.
    let eaten = hold_payee(&town, "certifier-2", payee.trim_start_matches('0'));
    assert_eq!(eaten.expect_err("it stands").reason, Reason::WrongState);
    let twice = hold_payee(&town, "certifier-2", &payee).expect_err("it stands");
    assert_eq!(twice.reason, Reason::WrongState);
    let deliver = || {
        let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
        let command = Deliver { permit, programme: town.programme, number: 1 };
        town.exchange.execute_now(Call::read(caller("transfers")), command)
    };
    assert_eq!(deliver().expect_err("on hold").reason, Reason::OnHold);
    let (state, vault) = (town.exchange.state(), town.exchange.vault());
    let another = hold::payee_digest(vault, &state, town.programme, "12345").expect("a digest");
    let another = lift(&town, "certifier-1", Target::Payee(another)).expect_err("another id");
    assert_eq!(another.reason, Reason::NotOnHold);
    // The state knows nobody's id.
    let known = serde_json::to_string(&state.payee_holds.iter().collect::<Vec<_>>());
    assert!(!known.expect("text").contains(&payee));
    assert!(!lift(&town, "certifier-1", target).expect("the first").lifted);
    assert!(lift(&town, "certifier-2", target).expect("the second").lifted);
    deliver().expect("lifted");

    let other = town.linked_list_of("wave-2", &town.payments(60).replace("B0000000", "C0000000"));
    let people = town.paid(town.propose("certifier-1", other).expect("a proposal").batch);
    hold_payee(&town, "certifier-1", &people[0].person).expect("a hold");
    let without = town.propose("certifier-1", other).expect("another proposal");
    assert_eq!(without.held, 1);
    let left = town.paid(without.batch);
    assert!(left.iter().all(|payment| payment.person != people[0].person));
    assert_eq!(left.len(), people.len() - 1);
}

/// Without `met` in `Reach` nobody learns that a stop which was placed too early stops nobody.
#[test]
fn who_certifies_is_told_how_many_stops_and_exclusions_mean_nobody() {
    let town = Town::new();
    // Nothing can be compared with a register before the first list.
    let known = town.residents().lines().nth(1).and_then(|line| line.split(',').next());
    let known = known.expect("a resident").to_owned();
    for payee in ["99", known.trim_start_matches('0')] {
        hold_payee(&town, "certifier-1", payee).expect("a hold");
    }
    leave_out(&town, &["98", "97", known.as_str()].map(str::to_owned)).expect("an exclusion");
    let list = town.linked_list("wave-1", 40);
    let proposed = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!(proposed.unmet, Unmet { stops: 1, exclusions: 2 });
    let (first, second) = ("certifier-1", "certifier-2");
    let (state, vault) = (town.exchange.state(), town.exchange.vault());
    let nobody = hold::payee_digest(vault, &state, town.programme, "99").expect("a digest");
    lift(&town, first, Target::Payee(nobody)).expect("the first");
    lift(&town, second, Target::Payee(nobody)).expect("the second");
    assert_eq!(town.propose(first, list).expect("a proposal").unmet.stops, 0);
}

/// Without `until_undisturbed` in `exclude` one of the two is refused (`VERSION_OLD`) for what the other did.
#[test]
fn two_offices_that_exclude_at_once_both_do() {
    let town = Town::new();
    let both = std::sync::Barrier::new(2);
    for round in 0..8 {
        std::thread::scope(|scope| {
            for office in 0..2 {
                let (town, both) = (&town, &both);
                scope.spawn(move || {
                    both.wait();
                    leave_out(town, &[format!("{office}{round}")]).expect("an exclusion");
                });
            }
        });
    }
    let state = town.exchange.state();
    let programme = state.programmes.get(&town.programme).expect("the programme");
    assert_eq!(programme.exclusions.len(), 16);
}

/// Without `members` in `Reach` a household is stopped by nobody where persons are paid.
#[test]
fn a_household_that_is_stopped_stops_its_members_where_persons_are_paid() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let batch = town.certify(list).expect("two signatures");
    let person = &town.paid(batch)[2].person;
    let row = town.residents().lines().find(|line| line.starts_with(person.as_str()));
    let household = row.and_then(|line| line.split(',').nth(1)).expect("a household");
    hold_payee(&town, "certifier-1", household.trim_start_matches('0')).expect("a hold");
    let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
    let deliver = Deliver { permit, programme: town.programme, number: 1 };
    let refused = town.exchange.execute_now(Call::read(caller("transfers")), deliver);
    assert_eq!(refused.expect_err("on hold").reason, Reason::OnHold);
    let late = leave_out(&town, &[household.to_owned()]).expect("an exclusion");
    let of_household = format!(",{household},");
    let is_member = |id: &str| {
        let mut lines = town.residents().lines();
        lines.any(|line| line.starts_with(id) && line.contains(&of_household))
    };
    let members = town.paid(batch).iter().filter(|one| is_member(&one.person)).count() as u64;
    assert_eq!(late.already_certified, members);
}

/// D15: without `Unusual::PayeesVanished` in `hold::unusual` a list that lost 40 % of its payees is released at once.
#[test]
fn a_corrected_list_that_lost_many_payees_or_much_money_is_stopped_and_a_usual_one_is_not() {
    let town = Town::new();
    let earlier = town.linked_list_of("wave-1", &of_amounts(&town, 50, |_| 50_000));
    let corrected = |name: &str, list: ListId, lines: usize, yen: u64| {
        let file = of_amounts(&town, lines, |_| yen);
        town.corrected_list(name, &file, Supersedes { list, whole: true })
    };
    let usual = corrected("usual", earlier, 48, 50_000);
    assert_eq!(unusual(&town, usual), BTreeSet::new());
    let few = corrected("few", usual, 29, 80_000);
    assert_eq!(unusual(&town, few), BTreeSet::from([Unusual::PayeesVanished]));
    let moved = corrected("moved", few, 29, 50_000);
    assert_eq!(unusual(&town, moved), BTreeSet::from([Unusual::TotalMoved]));
    let batch = town.certify(moved).expect("two signatures");
    let state = town.exchange.state();
    assert_eq!(state.batches.get(&batch).expect("the batch").state, BatchState::Certified);
}

/// D14: without `EmptyList` in `supersede::read` an empty file deletes everyone.
#[test]
fn an_empty_file_is_a_list_only_if_that_was_declared_and_takes_nobodys_place() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 10);
    let empty = town.payments(0);
    let wrong = town.try_seal_list("empty", &empty, Totals { lines: 1, yen: 0 });
    assert_eq!(wrong.expect_err("one was declared").reason, Reason::TotalsDiffer);
    let none = town.try_seal_list("none", &empty, Totals::default()).expect("none was declared");
    assert_eq!(town.sheet(none).declared, Totals::default());
    let instead = Some(Supersedes { list, whole: true });
    let other = empty.replace("申請番号", "整理番号");
    let instead = town.try_seal_list_over("instead", &other, Totals::default(), instead);
    assert_eq!(instead.expect_err("of nobody").reason, Reason::EmptyList);
    assert!(!town.sheet(list).steps.contains_key(&Step::Replaced));
}

/// Without `not_too_early` in `Propose::decide` people are paid who may still decline.
#[test]
fn a_push_list_is_not_certified_as_long_as_its_payees_may_decline() {
    // The town's day is 2026-11-21.
    let proposed = |town: &Town, kind| {
        let file = town.payments(20);
        let (list, upload) = town.open_list_of_kind("push", None, kind).expect("a list");
        town.seal_list(upload, &file, town.totals_of(&file)).expect("sealed");
        town.link(list);
        town.propose("certifier-1", list).map(|_| ())
    };
    let last_day =
        Town::of_rules(|rules| Rules { decline_until: "2026-11-21".parse().ok(), ..rules });
    let refused = proposed(&last_day, Some(ListKind::Push)).expect_err("the last day");
    assert_eq!(refused.reason, Reason::TooEarly);
    let day_after =
        Town::of_rules(|rules| Rules { decline_until: "2026-11-20".parse().ok(), ..rules });
    proposed(&day_after, Some(ListKind::Push)).expect("the day after");
    let applied =
        Town::of_rules(|rules| Rules { decline_until: "2026-12-31".parse().ok(), ..rules });
    proposed(&applied, Some(ListKind::Application)).expect("they have applied");
}

/// D9: without `Yen::read` refusing them in `renkei_types::money`, a sign or a decimal becomes money.
#[test]
fn amounts_with_signs_decimals_or_too_many_digits_refuse_the_seal_with_their_line() {
    let town = Town::new();
    let file = town.payments(3);
    let totals = town.totals_of(&file);
    for (at, wrong) in ["-1", "1.5", "\"1,00\"", "99999999999999999999"].into_iter().enumerate() {
        let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
        let mut cells = csv(&lines[2]);
        let amount = csv(&lines[0]).iter().position(|name| name == "支給額").expect("an amount");
        cells[amount] = wrong.to_owned();
        lines[2] = cells.join(",");
        let text = lines.join("\n") + "\n";
        let refused = town.try_seal_list(&format!("wrong-{at}"), &text, totals);
        let refused = refused.expect_err("no amount");
        assert_eq!((refused.reason, refused.line), (Reason::AmountUnreadable, Some(3)), "{wrong}");
    }
}
