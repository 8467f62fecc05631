//! A village that lives: a small town, the people of two families, and two lists with a line for one of them each.

mod payments;
mod register;

use renkei_exchange::Refusal;
use renkei_exchange::batch::Payment;
use renkei_exchange::division::DivisionKind;
use renkei_exchange::programme::{PayeeUnit, Rules};
use renkei_types::{BatchId, ListId, Reason};

use crate::life::{Event, FAMILIES, House, Life, Named, People, Which};
use crate::town::Town;
use crate::town::families::{self, Record, id, list_of, own};
use crate::town::kept::KeptTown;
use crate::town::stops::{divide, lifted, try_hold, try_leave_out};

/// Somebody, as the register has them.
#[derive(Clone, Debug)]
struct Person {
    record: Record,
    household: String,
    /// 異動日 and 処理日.
    days: [String; 2],
    is_here: bool,
}

/// All that is known of a village beside its town.
#[derive(Clone, Debug)]
struct Known {
    people: Vec<Person>,
    deltas: u64,
    day: i8,
    names: [usize; 2],
    lists: [Option<ListId>; 2],
    proposals: [Option<BatchId>; 2],
    /// Who was counted to which household by a division, and who was paid by then.
    still_one: Vec<(usize, House, Vec<usize>)>,
    /// What went out, and did not come back.
    paid: Vec<(Which, BatchId, Payment)>,
}

/// A village.
pub(crate) struct Village {
    town: Town,
    known: Known,
}

/// A village to begin with, or one whose life is over, from which others go on.
pub(crate) struct KeptVillage {
    town: KeptTown,
    known: Known,
}

impl KeptVillage {
    /// One to which nothing has happened.
    pub(crate) fn new() -> Self {
        let town = Town::of_size_and_rules((24, 1), families::with_days, |rules| Rules {
            unit: PayeeUnit::Household,
            ..rules
        });
        let families = families::families(&town);
        let mut places = [0; 2];
        let place = |family: usize| {
            let size = FAMILIES.iter().filter(|of| **of == family).count();
            families.iter().filter(|family| family.len() == size).nth(family).expect("a family")
        };
        let people = FAMILIES.map(|family| {
            let record = place(family)[places[family]].clone();
            places[family] += 1;
            let household = record["世帯番号"].clone();
            let days = ["2020-04-01", "2020-04-02"].map(str::to_owned);
            Person { record, household, days, is_here: true }
        });
        let known = Known {
            people: people.into(),
            deltas: 0,
            day: 21,
            names: [0, 1],
            lists: [None; 2],
            proposals: [None; 2],
            still_one: Vec::new(),
            paid: Vec::new(),
        };
        Self { town: KeptTown::of(town), known }
    }

    /// A village that goes on from here by itself.
    pub(crate) fn go_on(&self) -> Village {
        Village { town: self.town.go_on(), known: self.known.clone() }
    }

    /// What becomes of it by a life; both lists are linked then.
    pub(crate) fn lived(&self, life: &Life) -> Village {
        let mut village = self.go_on();
        village.known.names = life.names;
        life.events.iter().for_each(|event| village.meet(*event));
        for which in [Which::First, Which::Second] {
            village.meet(Event::Linked(which));
        }
        village
    }
}

impl Village {
    /// Ends here.
    pub(crate) fn keep(self) -> KeptVillage {
        KeptVillage { town: KeptTown::of(self.town), known: self.known }
    }

    /// Something happens, or nothing where it cannot.
    pub(crate) fn meet(&mut self, event: Event) {
        match event {
            Event::Delta(people, house, day) => self.send_delta(people, house, day),
            Event::File(people, house, day) => self.send_file(people, house, day),
            Event::Gone(person, day) => self.remove(person, None, day),
            Event::Succeeded(person, house, day) => self.remove(person, Some(house), day),
            Event::Linked(which) => self.link(which),
            Event::Proposed(which) => {
                self.link(which);
                self.propose(which);
            }
            Event::Certified(which) => {
                self.link(which);
                self.certify(which);
            }
            Event::CameBack(which) => self.take_back(which),
            Event::Apart(person) => {
                self.divide(DivisionKind::Separate, person, "");
            }
            Event::StillOne(person, house) => {
                if self.divide(DivisionKind::StillOne, person, &self.number(house)) {
                    self.known.still_one.push((person, house, self.paid()));
                }
            }
            Event::Stopped(named) => {
                self.stop(named);
            }
            Event::Excluded(named) => self.exclude(named),
        }
    }

    /// The number of a household.
    pub(crate) fn number(&self, house: House) -> String {
        match house {
            House::Old(family) => {
                let of_family = FAMILIES.iter().position(|of| *of == family);
                self.known.people[of_family.expect("a family")].record["世帯番号"].clone()
            }
            House::New(number) => format!("90000{number}"),
        }
    }

    /// The id of a person or a household.
    pub(crate) fn id(&self, named: Named) -> String {
        match named {
            Named::Person(person) => id(&self.known.people[person].record),
            Named::Number(house) => self.number(house),
        }
    }

    /// Whether a list is linked.
    pub(crate) fn has_list(&self, which: Which) -> bool {
        self.known.lists[which as usize].is_some()
    }

    /// Whether somebody is in the register.
    pub(crate) fn is_here(&self, person: usize) -> bool {
        self.known.people[person].is_here
    }

    /// Whether an id is that of a family which has somebody here: of one of them, the number that they had at first, or that of today.
    pub(crate) fn is_of(&self, named: Named, family: usize) -> bool {
        let here = self.those(People::Family(family));
        match named {
            Named::Person(person) => here.contains(&person),
            Named::Number(house) => {
                let number = self.number(house);
                let has_it = |person: &usize| self.known.people[*person].household == number;
                !here.is_empty() && (house == House::Old(family) || here.iter().any(has_it))
            }
        }
    }

    /// Whom payments name, who did not come back.
    pub(crate) fn paid(&self) -> Vec<usize> {
        let of = |payment: &Payment| {
            self.known.people.iter().position(|one| id(&one.record) == payment.person)
        };
        self.known.paid.iter().map(|(.., one)| of(one).expect("one of the people")).collect()
    }

    /// Who was counted to which household by a division, and who was paid by then.
    pub(crate) fn still_one(&self) -> &[(usize, House, Vec<usize>)] {
        &self.known.still_one
    }

    fn those(&self, people: People) -> Vec<usize> {
        let is_meant = |person: &usize| match people {
            People::One(one) => *person == one,
            People::Family(family) => FAMILIES[*person] == family,
        };
        (0..FAMILIES.len()).filter(is_meant).filter(|person| self.is_here(*person)).collect()
    }

    fn link(&mut self, which: Which) {
        let at = which as usize;
        let person = self.known.names[at];
        if self.known.lists[at].is_none() && self.is_here(person) {
            let name = ["first", "second"][at];
            self.known.lists[at] = Some(self.list(name, &[person]));
        }
    }

    /// A list with a line for each of some people.
    pub(crate) fn list(&self, name: &str, people: &[usize]) -> ListId {
        let people: Vec<&Record> =
            people.iter().map(|person| &self.known.people[*person].record).collect();
        list_of(&self.town, name, &own(&people))
    }

    /// Whether the division stands.
    fn divide(&self, kind: DivisionKind, person: usize, to: &str) -> bool {
        let record = &self.known.people[person].record;
        // Whom no list's register has cannot be divided.
        let divided = divide(&self.town, "payments", kind, &[(record, to)]);
        done(divided, &[Reason::UnknownPerson]).is_some()
    }

    /// Places a stop; whether it stands by that, and not where it means nobody.
    pub(crate) fn stop(&self, named: Named) -> bool {
        let held = try_hold(&self.town, &self.id(named));
        done(held, &[Reason::UnknownPerson, Reason::WrongState]).is_some()
    }

    /// Two people lift a stop.
    pub(crate) fn lift(&self, named: Named) {
        lifted(&self.town, &self.id(named));
    }

    /// Whether a stop on somebody holds a batch up.
    pub(crate) fn waits(&self, batch: BatchId) -> bool {
        let state = self.town.exchange.state();
        state.held_payees(self.town.programme).any(|(_, hold)| hold.batches.contains(&batch))
    }

    fn exclude(&self, named: Named) {
        let excluded = try_leave_out(&self.town, &self.id(named));
        done(excluded, &[Reason::UnknownPerson, Reason::WrongState]);
    }
}

/// What was done, if it was not refused for a reason that may be.
fn done<T>(done: Result<T, Refusal>, reasons: &[Reason]) -> Option<T> {
    match done {
        Ok(done) => Some(done),
        Err(refused) if reasons.contains(&refused.reason) => None,
        Err(refused) => panic!("{refused}"),
    }
}
