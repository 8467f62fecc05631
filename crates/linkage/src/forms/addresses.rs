//! Addresses and postal codes as places.
//!
//! Town names are compared without the municipality, since lists leave it out: which municipalities there are is
//! learned from the addresses that name one: those of the register, and those of the list where its lines may help each
//! other. The towns of the register in turn help to read the list, where a name has letters that look like numbers. What
//! was learned when a register was built stays as it is when deltas change its records.

use std::sync::Arc;

use hashbrown::HashSet;
use renkei_japanese::postal::PostalCode;

use super::NONE;
use super::parts::Parts;
use crate::hash::{self, Seeded};
use crate::intern::Interner;
use crate::layers::Distinct;

/// The most numbers an address keeps; the rest only tells rooms apart.
const NUMBERS_MAX: usize = 6;

/// Where somebody lives, as far as it is known.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Place {
    /// Town without the municipality, in [`Addresses::towns`], or [`NONE`].
    pub(crate) town: u32,
    pub(super) numbers: [u32; NUMBERS_MAX],
    pub(super) count: u8,
    /// Letters that belong to the numbers (イ, 甲, A番), or [`NONE`].
    pub(crate) block: u32,
    /// Room, or [`NONE`].
    pub(crate) room: u32,
    /// Town, numbers and block: one for all rooms of a house, or [`NONE`].
    pub(crate) building: u32,
    /// Postal code, 7 digits.
    pub(crate) postal: Option<u32>,
    /// Whether damage done by a spreadsheet was undone to read the numbers.
    pub(crate) numbers_repaired: bool,
    /// Whether the zero that a spreadsheet took off the postal code was put back.
    pub(crate) postal_repaired: bool,
}

impl Place {
    pub(super) const UNKNOWN: Self = Self {
        town: NONE,
        numbers: [0; NUMBERS_MAX],
        count: 0,
        block: NONE,
        room: NONE,
        building: NONE,
        postal: None,
        numbers_repaired: false,
        postal_repaired: false,
    };

    pub(crate) fn numbers(&self) -> &[u32] {
        &self.numbers[..usize::from(self.count)]
    }

    /// Whether nothing is known behind the town, so that its own end may be missing.
    pub(crate) fn is_cut_town(&self) -> bool {
        self.count == 0 && self.block == NONE && self.room == NONE
    }
}

/// Distinct places, those of a list above those of the register.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    pub(super) towns: Parts,
    pub(super) rooms: Interner,
    pub(super) blocks: Interner,
    /// Key of each building: equal however much of the town's name is left out in front.
    pub(super) buildings: Distinct<u64>,
    places: Distinct<Place>,
    /// The municipalities that the register's addresses name.
    pub(super) municipalities: Arc<Municipalities>,
    /// Those that the addresses name that residents have left.
    pub(super) former_municipalities: Arc<Municipalities>,
}

pub(super) type Municipalities = HashSet<Box<str>, Seeded>;

impl Addresses {
    /// From now on, the addresses of lists may stand on these.
    pub(crate) fn share(&mut self) {
        self.towns.share();
        self.rooms.share();
        self.blocks.share();
        self.buildings.share();
        self.places.share();
    }

    /// From now on, the addresses of lists may stand on what a delta has added to these.
    pub(crate) fn leave(&mut self) {
        self.towns.leave();
        self.rooms.leave();
        self.blocks.leave();
        self.buildings.leave();
        self.places.leave();
    }

    /// Tables above what these share.
    pub(crate) fn above(&self) -> Self {
        Self {
            towns: self.towns.above(),
            rooms: self.rooms.above(),
            blocks: self.blocks.above(),
            buildings: self.buildings.above(),
            places: self.places.above(),
            municipalities: Arc::clone(&self.municipalities),
            former_municipalities: Arc::clone(&self.former_municipalities),
        }
    }

    /// The letters of a town.
    pub(crate) fn town(&self, id: u32) -> &[char] {
        self.towns.letters(id)
    }

    /// The place with this id, if there is one.
    pub(crate) fn place(&self, id: u32) -> Option<&Place> {
        self.places.get(id)
    }

    /// Brings to hand these places and their buildings.
    pub(crate) fn fetch(&self, ids: impl Iterator<Item = u32> + Clone) {
        let places = || ids.clone().filter_map(|id| self.places.get(id));
        let mut seen = places().fold(0, |seen, place| seen ^ place.town ^ place.room);
        for building in places().filter_map(|place| self.building_key(place)) {
            seen ^= (building >> 32) as u32;
        }
        std::hint::black_box(seen);
    }

    /// Key of the building, where town and numbers are known.
    pub(crate) fn building_key(&self, place: &Place) -> Option<u64> {
        (place.building != NONE).then(|| *self.buildings.value(place.building))
    }

    /// Key of the town, where it is known.
    pub(crate) fn town_key(&self, place: &Place) -> Option<u64> {
        (place.town != NONE).then(|| self.towns.loose(place.town))
    }

    /// A hash of what is known of a place, the same in every run.
    pub(crate) fn value_hash(&self, id: u32) -> u64 {
        let place = self.places.value(id);
        let text = |interner: &Interner, id: u32| {
            if id == NONE { 0 } else { hash::text(interner.get(id)) }
        };
        let town = if place.town == NONE { 0 } else { hash::text(self.towns.text(place.town)) };
        let key = hash::mix(town, place.postal.map_or(u64::MAX, u64::from));
        let key = hash::mix(key, text(&self.rooms, place.room));
        let key = hash::mix(key, text(&self.blocks, place.block));
        place.numbers().iter().fold(key, |key, &number| hash::mix(key, u64::from(number)))
    }

    /// The room as a number, where it is one.
    pub(crate) fn room_number(&self, place: &Place) -> Option<u32> {
        if place.room == NONE { None } else { self.rooms.get(place.room).parse().ok() }
    }

    /// The id of a place with its postal code, [`NONE`] where nothing is known.
    pub(crate) fn intern(&mut self, place: Place, postal: Option<PostalCode>) -> u32 {
        let place = Place {
            postal: postal.map(|code| code.number),
            postal_repaired: postal.is_some_and(|code| code.repaired),
            ..place
        };
        if place == Place::UNKNOWN { NONE } else { self.places.intern(place) }
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::UNKNOWN
    }
}
