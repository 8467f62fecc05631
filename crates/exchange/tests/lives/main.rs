//! Lives: whatever happens to a few households between two lists and their payments, some laws hold.
//!
//! A life is a random sequence of what happens: deltas and whole files, late notices, removals, divisions, stops, proposals
//! that wait to be signed. `RENKEI_LIVES=500 RENKEI_LIVES_SEED=7 cargo test -p renkei-exchange --test lives` tries more than the few that are tried
//! by default. A life that breaks a law is made as short as it can be, and told as it can be written into this file.

mod found;
mod laws;
mod life;
#[path = "../town/mod.rs"]
mod town;
mod village;

use life::{Kind, Life};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use village::KeptVillage;

/// How many lives of each kind are tried where nobody says more.
const LIVES: u64 = 6;

/// How often a life that breaks a law is shortened at most.
const SHORTENED_MOST: u32 = 200;

type Law = fn(&KeptVillage, &Life) -> Result<(), String>;

/// A law holds for the lives of a kind.
fn holds(kind: Kind, law: Law) {
    let asked = |name: &str| std::env::var(name).ok().map(|said| said.parse::<u64>());
    let number = |name, usual| asked(name).map_or(usual, |said| said.expect("a number"));
    let (lives, seed) = (number("RENKEI_LIVES", LIVES), number("RENKEI_LIVES_SEED", 1));
    let start = KeptVillage::new();
    let mut broken = Vec::new();
    for seed in seed..seed + lives {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_iters: SHORTENED_MOST,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let tried = TestRunner::new_with_rng(config, rng)
            .run(&kind.lives(), |life| law(&start, &life).map_err(TestCaseError::fail));
        match tried {
            Ok(()) => {}
            Err(TestError::Fail(why, life)) => {
                broken.push(format!("RENKEI_LIVES=1 RENKEI_LIVES_SEED={seed}: {life}: {why}"));
                println!("{}", broken.last().expect("one"));
            }
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
    }
    assert!(broken.is_empty(), "{} of {lives} lives:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn whichever_list_is_certified_first_equally_many_are_paid_and_nobody_is_twice() {
    holds(Kind::PaidAtTheEnd, laws::order);
}

#[test]
fn a_proposal_that_is_drawn_up_early_and_signed_late_pays_no_fewer() {
    holds(Kind::ProposedOnTheWay, laws::early);
}

#[test]
fn nobody_is_paid_twice_whatever_happens_between_two_payments() {
    holds(Kind::PaidOnTheWay, laws::on_the_way);
}

#[test]
fn a_stop_holds_the_same_lines_before_a_proposal_as_after_it() {
    holds(Kind::StoppedAtTheEnd, laws::stop);
}
