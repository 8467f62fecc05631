//! Models below the network: trained by one body, taken into use by another, pinned by jobs; and what is told of a line.

mod town;

use renkei_exchange::Refusal;
use renkei_exchange::command::{Call, Done};
use renkei_exchange::explain::{ExplainLine, ExplainedLine};
use renkei_exchange::identify::Query;
use renkei_exchange::job::{CreateJob, JobState};
use renkei_exchange::model::{ModelChange, promote};
use renkei_exchange::permit::{Link, Permit, Promote};
use renkei_exchange::shown::decided_line;
use renkei_exchange::trainer::Study;
use renkei_exchange::{rows, run};
use renkei_linkage::{Model, Outcome, Unwatched};
use renkei_types::{Digest, ListId, Reason};
use town::{Town, caller};

fn sealed_list(town: &Town, name: &str, lines: usize) -> ListId {
    let payments = town.payments(lines);
    town.try_seal_list(name, &payments, town.totals_of(&payments)).expect("a sealed list")
}

fn permit_link(town: &Town, list: ListId) -> Permit<Link> {
    let (state, today) = (town.exchange.state(), town.exchange.clock().today());
    let owner = state.owner_of_list(list);
    let permit =
        state.permit_own_with_dataset(&caller("payments"), owner, Some(town.register), today);
    permit.expect("a permit")
}

fn study(town: &Town, list: ListId) -> Study {
    Study { permit: permit_link(town, list), list, dataset: town.register }
}

fn train(town: &Town, list: ListId) -> Result<(Model, Done<Digest>), Refusal> {
    let call = Call::read(caller("payments"));
    study(town, list).train(&town.exchange, &town.indexes, call, &Unwatched)
}

fn promote_as(
    town: &Town,
    expected: Option<Digest>,
    promoted: Option<Digest>,
) -> Result<(), Refusal> {
    let who = "residents-operator";
    let state = town.exchange.state();
    let provider = &state.datasets.get(&town.register).expect("the register").provider;
    let permit: Permit<Promote> = state.permit_own(&caller(who), Some(provider))?;
    let change = ModelChange { dataset: town.register, expected, promoted };
    promote(&town.exchange, &town.indexes, Call::read(caller(who)), permit, change).map(|_| ())
}

fn explain(
    town: &Town,
    list: ListId,
    line: &str,
    resident: Option<&str>,
) -> Result<ExplainedLine, Refusal> {
    let job = town.exchange.state().lists.get(&list).and_then(|list| list.job).expect("a job");
    let asked = ExplainLine {
        permit: permit_link(town, list),
        job,
        line: line.to_owned(),
        resident: resident.map(str::to_owned),
    };
    asked.explain(&town.exchange, &town.indexes).map(|(explained, _)| explained)
}

/// The id of every line of a list.
fn line_ids(town: &Town, list: ListId) -> Vec<String> {
    let state = town.exchange.state();
    let (_, sealed) = state.sealed_list(list).expect("sealed");
    let reader = sealed.rows.open(town.exchange.vault()).expect("rows");
    let chunk = rows::chunk(&reader, 0).expect("a chunk");
    (0..chunk.rows()).map(|at| chunk.cell(0, at).to_owned()).collect()
}

#[test]
fn a_job_is_pinned_to_the_model_in_use_and_a_question_is_weighed_with_it() {
    let mut town = Town::new();
    let list = sealed_list(&town, "teaching", 90);
    let (model, done) = train(&town, list).expect("a model");
    let digest = model.digest();
    assert_eq!(done.reply, digest);
    assert!(model.report.as_ref().is_some_and(|report| report.expected.is_some()));
    promote_as(&town, None, Some(digest)).expect("it is promoted");

    let state = town.exchange.state();
    let snapshot = state.snapshot_in_use(town.register).expect("a register");
    let in_use = |town: &Town| town.indexes.get(snapshot).expect("loaded").model_digest;
    assert_eq!(in_use(&town), digest);
    let linked = town.linked_list("next", 60);
    let state = town.exchange.state();
    let job = state.lists.get(&linked).and_then(|list| list.job).expect("a job");
    assert_eq!(state.jobs.get(&job).expect("the job").model, Some(digest));
    assert_eq!(state.linked_list(linked).expect("linked").1.model_digest, digest);
    let query = Query::new([("name_kana", "ｱｵｷ ﾊﾅｺ"), ("birth_date", "1980-01-01")]);
    let indexed = town.indexes.get(snapshot).expect("loaded");
    let asked = query.expect("a question").ask(&indexed);
    assert!(asked.decision.outcome != Outcome::RejectedInput);

    // It is in the journal: the next start uses it too.
    town.restart();
    town.indexes = Default::default();
    let state = town.exchange.state();
    let (vault, clock) = (town.exchange.vault().clone(), town.exchange.clock().clone());
    town.indexes.follow(&state, &vault, clock.as_ref()).expect("an index");
    assert_eq!(state.model_in_use(town.register), Some(digest));
    assert_eq!(in_use(&town), digest);
    // Laid aside, jobs train their own again.
    promote_as(&town, Some(digest), None).expect("none is in use");
    assert_ne!(in_use(&town), digest);
}

#[test]
fn a_job_that_waits_keeps_the_model_it_was_pinned_to() {
    let town = Town::new();
    let list = sealed_list(&town, "teaching", 90);
    let first = train(&town, list).expect("a model").0.digest();
    let command = CreateJob { permit: permit_link(&town, list), list, dataset: town.register };
    let call = Call::read(caller("payments"));
    let job = town.exchange.execute_now(call, command).expect("a job").reply;
    promote_as(&town, None, Some(first)).expect("it is promoted");
    run::run(&town.exchange, &town.indexes, job, &Unwatched).expect("a result");
    let state = town.exchange.state();
    let known = state.jobs.get(&job).expect("the job");
    assert_eq!((known.model, &known.state), (None, &JobState::Done));
    // It has trained its own, which is that of the same list.
    assert_eq!(state.linked_list(list).expect("linked").1.model_digest, first);
}

#[test]
fn promotion_compares_and_sets_and_knows_only_what_was_trained_for_the_register() {
    let town = Town::new();
    let list = sealed_list(&town, "teaching", 90);
    let digest = train(&town, list).expect("a model").0.digest();
    let unknown = Digest::of(b"no model");
    let reason = |done: Result<(), Refusal>| done.expect_err("refused").reason;
    assert_eq!(reason(promote_as(&town, None, Some(unknown))), Reason::NoAgreement);
    assert_eq!(reason(promote_as(&town, Some(unknown), Some(digest))), Reason::VersionOld);
    promote_as(&town, None, Some(digest)).expect("nothing was in use");
    assert_eq!(reason(promote_as(&town, None, None)), Reason::VersionOld);
    assert_eq!(town.exchange.state().model_in_use(town.register), Some(digest));
    // The operator of another body has no say.
    let state = town.exchange.state();
    let provider = &state.datasets.get(&town.register).expect("the register").provider;
    let refused = state.permit_own::<Promote>(&caller("certifier-2"), Some(provider));
    assert_eq!(refused.expect_err("another body").reason, Reason::NoAgreement);
}

#[test]
fn short_lists_teach_nothing_and_a_model_without_birthdays_is_not_promoted() {
    let town = Town::new();
    let short = sealed_list(&town, "short", 20);
    assert_eq!(train(&town, short).expect_err("too short").reason, Reason::TooFewLines);
    // Every birthday of the list is taken out.
    let payments = town.payments(90);
    let header: Vec<&str> = payments.lines().next().expect("a header").split(',').collect();
    let birthday = header.iter().position(|name| *name == "生年月日").expect("a birthday");
    let emptied: String = payments
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if number > 0 && cells.len() == header.len() {
                cells[birthday] = "";
            }
            cells.join(",") + "\r\n"
        })
        .collect();
    let totals = town.totals_of(&emptied);
    let list = town.try_seal_list("no-birthdays", &emptied, totals).expect("a sealed list");
    let (model, done) = train(&town, list).expect("a model all the same");
    assert_eq!(model.untrained_comparisons().collect::<Vec<_>>(), ["birth_date"]);
    let refused = promote_as(&town, None, Some(done.reply)).expect_err("untrained");
    assert_eq!(refused.reason, Reason::ModelUnfit);
    assert_eq!(town.exchange.state().model_in_use(town.register), None);
}

#[test]
fn every_line_is_explained_in_the_numbers_of_its_result() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let state = town.exchange.state();
    let (_, linked) = state.linked_list(list).expect("linked");
    let mut linked_lines = 0;
    for (row, id) in (0u32..).zip(line_ids(&town, list)) {
        let decided = decided_line(town.exchange.vault(), linked, row).expect("a decision");
        let explained = explain(&town, list, &id, None).expect("an explanation");
        assert_eq!(explained.reason, decided.reason);
        let Some(pair) = explained.pair else { continue };
        if let Some((explanation, obstacles)) = pair.told {
            if decided.register_row.is_some() {
                assert_eq!(explanation.weight.millibits(), decided.weight, "{id}");
            }
            let terms = explanation.terms.iter().map(|term| term.weight + term.frequency);
            let others = explanation.relatives + explanation.rivals;
            assert_eq!(explanation.prior + terms.sum() + others, explanation.weight);
            let is_linked = explained.outcome == Outcome::Linked;
            assert_eq!(obstacles.is_empty(), is_linked, "{obstacles:?}");
            linked_lines += u32::from(is_linked);
        }
    }
    assert!(linked_lines > 40, "{linked_lines}");
    // Who is not there is answered as what is not permitted.
    let id = &line_ids(&town, list)[0];
    let refused = |line: &str, resident: Option<&str>| {
        explain(&town, list, line, resident).expect_err("nobody").reason
    };
    assert_eq!(refused("no such line", None), Reason::NoAgreement);
    assert_eq!(refused(id, Some("no such resident")), Reason::NoAgreement);
}

#[test]
fn nothing_is_told_of_protected_persons_but_what_the_result_shows() {
    let protect = |residents: String| -> String {
        let add = |(number, line): (usize, &str)| {
            let flag = if number == 0 { "支援措置" } else { "1" };
            format!("{},{flag}\r\n", line.trim_end())
        };
        residents.lines().enumerate().map(add).collect()
    };
    let town = Town::of_residents(protect);
    let list = town.linked_list("wave-1", 60);
    let mut withheld = 0;
    for id in line_ids(&town, list) {
        let explained = explain(&town, list, &id, None).expect("an answer");
        assert!(explained.rules.is_none() || explained.pair.is_none());
        assert!(explained.candidates.is_empty() || explained.pair.is_none(), "weights tell too");
        if let Some(pair) = explained.pair {
            assert!(pair.told.is_none(), "{id}");
            withheld += 1;
        }
    }
    assert!(withheld > 30, "{withheld}");
}

#[test]
fn an_estimate_and_an_evaluation_decide_nothing() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    town.decide_all(list, "clerk-1");
    let before = town.exchange.state().linked_list(list).expect("linked").1.clone();
    let (rules, _) = study(&town, list).estimate(&town.exchange, &town.indexes).expect("rules");
    assert!(rules.iter().map(|rule| rule.new_pairs).sum::<u64>() >= 60, "{rules:?}");
    let evaluate =
        |model| study(&town, list).evaluate(&town.exchange, &town.indexes, model, &Unwatched);
    let (found, _) = evaluate(None).expect("figures");
    assert_eq!(found.model, before.model_digest, "the list trains what its job trained");
    assert_eq!(found.lines, 90);
    assert!(found.expectation.precision.value > 0.9, "{:?}", found.expectation);
    let clerks = found.against_clerks.expect("clerks have decided");
    assert_eq!(clerks.lines, u64::from(before.task_count));
    assert!(clerks.best_is_persons <= clerks.persons && clerks.persons <= clerks.lines);
    let unknown = evaluate(Some(Digest::of(b"no model"))).expect_err("unknown");
    assert_eq!(unknown.reason, Reason::NoAgreement);
    let after = town.exchange.state().linked_list(list).expect("linked").1.clone();
    assert_eq!(before, after);
}
