//! Lives: what may happen to a few households, in any order, and how a life is made up and written down.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;

/// Of which household each of the people is at first, who are known by their place here.
pub(crate) const FAMILIES: [usize; 5] = [0, 0, 0, 1, 1];

/// The days on which something is true, or nobody knows since when: a late notice says something of the day before the base date.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Day {
    Before,
    After,
    Unknown,
}

/// A number of a household: one that a family had at first, or one that nobody had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum House {
    Old(usize),
    New(usize),
}

/// One person, or all of a family who are there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum People {
    One(usize),
    Family(usize),
}

/// The two lists, each with a line for one person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Which {
    First,
    Second,
}

/// What a stop or an exclusion names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Named {
    Person(usize),
    Number(House),
}

/// What happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    /// A delta moves people to a household.
    Delta(People, House, Day),
    /// A whole file has them there; where the day is unknown, with the 異動日 of before.
    File(People, House, Day),
    /// A delta removes somebody.
    Gone(usize, Day),
    /// The same, and all others of the family have another number by it.
    Succeeded(usize, House, Day),
    /// A list is linked to the register as it is.
    Linked(Which),
    /// The first signature under a list, which is linked before.
    Proposed(Which),
    /// Both of them.
    Certified(Which),
    /// All that a list has paid comes back from the bank.
    CameBack(Which),
    /// A division gives somebody a household of their own.
    Apart(usize),
    /// A division counts somebody to a household.
    StillOne(usize, House),
    Stopped(Named),
    Excluded(Named),
}

/// Whom the two lists name, and what happens. Lists that nothing links are linked at the end.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) names: [usize; 2],
    pub(crate) events: Vec<Event>,
}

/// As it is written in a test.
impl fmt::Display for Life {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "life({:?}, &{:?})", self.names, self.events)
    }
}

/// A life that somebody wrote down.
pub(crate) fn life(names: [usize; 2], events: &[Event]) -> Life {
    Life { names, events: events.to_vec() }
}

impl Life {
    /// The same where what is proposed on the way is linked alone.
    pub(crate) fn linked_alone(&self) -> Self {
        let linked = |event: &Event| {
            if let Event::Proposed(which) = *event { Event::Linked(which) } else { *event }
        };
        Self { events: self.events.iter().map(linked).collect(), ..self.clone() }
    }
}

fn day() -> impl Strategy<Value = Day> {
    prop_oneof![2 => Just(Day::Before), 1 => Just(Day::After), 1 => Just(Day::Unknown)]
}

fn house() -> impl Strategy<Value = House> {
    use House::{New, Old};
    prop::sample::select(vec![New(0), New(0), New(1), Old(0), Old(1)])
}

/// Mostly it is one of the family that most lists pay.
fn person() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0usize..3, 1 => 3usize..5]
}

fn people() -> impl Strategy<Value = People> {
    let family = prop_oneof![3 => Just(0), 1 => Just(1)];
    prop_oneof![3 => family.prop_map(People::Family), 2 => person().prop_map(People::One)]
}

fn which() -> impl Strategy<Value = Which> {
    prop::sample::select(vec![Which::First, Which::Second])
}

fn named() -> impl Strategy<Value = Named> {
    prop_oneof![person().prop_map(Named::Person), house().prop_map(Named::Number)]
}

/// What the register brings.
fn register() -> BoxedStrategy<Event> {
    let moves = || (people(), house(), day());
    prop_oneof![
        3 => moves().prop_map(|(who, to, on)| Event::Delta(who, to, on)),
        2 => moves().prop_map(|(who, to, on)| Event::File(who, to, on)),
        1 => (person(), day()).prop_map(|(who, on)| Event::Gone(who, on)),
        2 => (person(), house(), day()).prop_map(|(who, to, on)| Event::Succeeded(who, to, on)),
    ]
    .boxed()
}

fn linked() -> BoxedStrategy<Event> {
    which().prop_map(Event::Linked).boxed()
}

/// Who counts to which household by a division: mostly one who is named to the other family.
fn divided() -> BoxedStrategy<Event> {
    let to_the_other = prop::sample::select(vec![(0, House::Old(1)), (3, House::Old(0))]);
    let still_one = prop_oneof![2 => to_the_other, 1 => (person(), house())];
    let still_one = still_one.prop_map(|(who, to)| Event::StillOne(who, to));
    prop_oneof![1 => person().prop_map(Event::Apart), 2 => still_one].boxed()
}

fn stopped() -> BoxedStrategy<Event> {
    prop_oneof![named().prop_map(Event::Stopped), named().prop_map(Event::Excluded)].boxed()
}

/// A kind of lives, by what may happen in them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// All is paid at the end.
    PaidAtTheEnd,
    /// Something is proposed on the way.
    ProposedOnTheWay,
    /// Something is paid on the way.
    PaidOnTheWay,
    /// Somebody is stopped at the end.
    StoppedAtTheEnd,
}

impl Kind {
    /// Any life of the kind.
    pub(crate) fn lives(self) -> impl Strategy<Value = Life> {
        let proposed = || which().prop_map(Event::Proposed).boxed();
        let certified = || which().prop_map(Event::Certified).boxed();
        let came_back = || which().prop_map(Event::CameBack).boxed();
        let register = (8, register());
        let mut kinds = vec![register, (3, linked()), (1, divided())];
        kinds.extend(match self {
            Self::PaidAtTheEnd => vec![(1, stopped())],
            Self::ProposedOnTheWay => vec![(6, proposed()), (1, stopped())],
            Self::PaidOnTheWay => {
                vec![(5, certified()), (1, proposed()), (1, came_back()), (3, divided())]
            }
            Self::StoppedAtTheEnd => vec![(2, proposed()), (2, divided())],
        });
        // Mostly they are of one household.
        let mates = prop::sample::select(vec![[0, 1], [0, 1], [1, 0], [0, 2]]);
        let strangers = prop::sample::select(vec![[0, 3], [3, 0]]);
        let any = [person(), person()].prop_filter("two persons", |[one, other]| one != other);
        let apart = if self == Self::PaidOnTheWay { 4 } else { 1 };
        let names = prop_oneof![4 => mates, apart => strangers, 1 => any];
        let most = if self == Self::PaidAtTheEnd { 7 } else { 8 };
        let life = (names, vec(Union::new_weighted(kinds), 1..most));
        life.prop_map(|(names, events)| Life { names, events })
    }
}
