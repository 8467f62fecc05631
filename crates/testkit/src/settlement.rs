//! Settling the city: households, one after the other, until everybody has a home.
//!
//! Sizes from 1 to 6 as in the census; spouses, children, twins, grandparents; foreign households; care homes where a
//! hundred strangers share one address. Invariant: the members of a household stand together in the register.

mod family;
mod individual;

use crate::chance::Chance;
use crate::city::City;
use crate::date::REFERENCE_DATE;
use crate::names::NameBooks;
use crate::person::{Extra, Person};
use crate::place::Place;
use crate::population::{Household, PROGRESS_STEP};
use crate::recipe::Stage;

/// Residents per care home.
const RESIDENTS_PER_FACILITY: usize = 5_000;
/// Registers too small for a care home.
const RESIDENTS_WITHOUT_FACILITY: usize = 1_000;

/// What a settlement leaves.
pub(crate) struct Settled {
    pub(crate) people: Vec<Person>,
    pub(crate) households: Vec<Household>,
    pub(crate) extras: Vec<Extra>,
}

/// The work of settling.
pub(crate) struct Settlement<'a> {
    books: &'a NameBooks,
    city: &'a City,
    chance: Chance,
    residents: usize,
    settled: Settled,
    /// The last block of flats built in each town, to be filled room by room.
    flats: Vec<Option<Place>>,
    /// Day number of the reference date.
    today: u16,
}

impl<'a> Settlement<'a> {
    /// An empty city.
    pub(crate) fn new(
        books: &'a NameBooks,
        city: &'a City,
        chance: Chance,
        residents: usize,
    ) -> Self {
        Self {
            books,
            city,
            chance,
            residents,
            settled: Settled {
                people: Vec::with_capacity(residents),
                households: Vec::with_capacity(residents / 2),
                extras: Vec::new(),
            },
            flats: vec![None; city.towns.len()],
            today: REFERENCE_DATE.day_number(),
        }
    }

    /// Fills it.
    pub(crate) fn settle(mut self, progress: &mut dyn FnMut(Stage, usize, usize)) -> Settled {
        let mut next_facility = match self.residents < RESIDENTS_WITHOUT_FACILITY {
            true => usize::MAX,
            false => self.residents.min(RESIDENTS_PER_FACILITY) / 2,
        };
        let mut reported = 0;
        while self.vacancies() > 0 {
            if self.settled.people.len() >= next_facility {
                self.found_facility();
                next_facility += RESIDENTS_PER_FACILITY;
            } else if self.chance.permille(33) {
                self.found_foreign_household();
            } else {
                self.found_family();
            }
            if self.settled.people.len() >= reported + PROGRESS_STEP {
                reported = self.settled.people.len();
                progress(Stage::People, reported, self.residents);
            }
        }
        progress(Stage::People, self.residents, self.residents);
        self.settled.households.shrink_to_fit();
        self.settled
    }

    /// People still to come.
    fn vacancies(&self) -> usize {
        self.residents - self.settled.people.len()
    }

    /// Opens a household; its members are moved in next.
    fn open_household(&mut self, place: Place) -> u32 {
        let first = self.settled.people.len() as u32;
        self.settled.households.push(Household { first, place });
        self.settled.households.len() as u32 - 1
    }

    /// A home: a house, a new block of flats, or another room in one that stands.
    fn home(&mut self, in_flats_percent: u32) -> Place {
        let plot = self.city.plot(&mut self.chance);
        if !self.chance.percent(in_flats_percent) {
            // Two generations in two households at one address.
            if self.chance.percent(2)
                && let Some(neighbour) = self.settled.households.last()
                && !neighbour.place.has_building()
            {
                return neighbour.place;
            }
            return plot;
        }
        let Some(standing) = self.flats.get_mut(usize::from(plot.town)) else { return plot };
        let flat = match standing {
            Some(flats) if self.chance.percent(55) => flats.with_room(&mut self.chance),
            _ => plot.with_flats(&mut self.chance),
        };
        *standing = Some(flat);
        flat
    }

    /// A care home: 50 to 100 old people, each a household of their own, at one address without room numbers.
    fn found_facility(&mut self) {
        let place = self.city.plot(&mut self.chance).with_facility(&mut self.chance);
        let beds = self.chance.between(50, 100) as usize;
        for _ in 0..beds.min(self.vacancies()) {
            let household = self.open_household(place);
            let age = self.chance.between(72, 101);
            let sex = if self.chance.percent(70) {
                crate::person::Sex::Female
            } else {
                crate::person::Sex::Male
            };
            let name = self.family_name();
            self.move_in(household, name, sex, age);
        }
    }
}
