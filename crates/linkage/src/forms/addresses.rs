//! Addresses and postal codes as places.
//!
//! Town names are compared without the municipality, since lists leave it out: which municipalities there are is
//! learned from the addresses that name one.

use hashbrown::{HashMap, HashSet};
use renkei_japanese::address::Address;

use super::parts::Parts;
use super::{NONE, beginning, normalise};
use crate::hash::{self, Seeded};
use crate::intern::Interner;

/// The most numbers an address keeps; the rest only tells rooms apart.
const NUMBERS_MAX: usize = 6;

/// Where somebody lives, as far as it is known.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Place {
    /// Town without the municipality, in [`Addresses::towns`], or [`NONE`].
    pub(crate) town: u32,
    numbers: [u32; NUMBERS_MAX],
    count: u8,
    /// Letters that belong to the numbers (イ, 甲, A番), or [`NONE`].
    pub(crate) block: u32,
    /// Room, or [`NONE`].
    pub(crate) room: u32,
    /// Town, numbers and block: one for all rooms of a house, or [`NONE`].
    pub(crate) building: u32,
    /// Postal code, 7 digits.
    pub(crate) postal: Option<u32>,
}

impl Place {
    const UNKNOWN: Self = Self {
        town: NONE,
        numbers: [0; NUMBERS_MAX],
        count: 0,
        block: NONE,
        room: NONE,
        building: NONE,
        postal: None,
    };

    pub(crate) fn numbers(&self) -> &[u32] {
        &self.numbers[..usize::from(self.count)]
    }
}

/// Distinct places.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    towns: Parts,
    rooms: Interner,
    blocks: Interner,
    /// Key of each building: equal however much of the town's name is left out in front.
    buildings: Vec<u64>,
    building_ids: HashMap<u64, u32, Seeded>,
    pub(crate) places: Vec<Place>,
    ids: HashMap<Place, u32, Seeded>,
}

impl Addresses {
    /// The letters of a town.
    pub(crate) fn town(&self, id: u32) -> &[char] {
        self.towns.letters(id)
    }

    /// The address, still without a postal code, of each distinct text of a column.
    pub(crate) fn column(&mut self, raw: &Interner) -> Vec<Place> {
        let mut read: Vec<Option<Address>> = Vec::with_capacity(raw.len());
        normalise(
            raw,
            |text| Address::read(beginning(text), ""),
            |address| {
                read.push(address);
                NONE
            },
        );
        let municipalities: HashSet<&str, Seeded> = read
            .iter()
            .flatten()
            .filter(|address| address.municipality_end < address.town.len())
            .map(|address| &address.town[..address.municipality_end])
            .collect();
        let town_of = |address: &Address| {
            let whole = address.town.as_str();
            let cuts = whole.char_indices().map(|(at, _)| at).skip(1);
            let longest = cuts.filter(|&at| municipalities.contains(&whole[..at])).last();
            whole[longest.unwrap_or(0)..].to_owned()
        };
        let towns: Vec<Option<String>> =
            read.iter().map(|address| address.as_ref().map(town_of)).collect();
        read.iter().zip(towns).map(|(address, town)| self.place(address.as_ref(), town)).collect()
    }

    fn place(&mut self, address: Option<&Address>, town: Option<String>) -> Place {
        let (Some(address), Some(town)) = (address, town) else {
            return Place::UNKNOWN;
        };
        let mut place = Place::UNKNOWN;
        place.town = self.towns.intern(&town, last_letters);
        for (slot, &number) in place.numbers.iter_mut().zip(address.numbers.as_slice()) {
            *slot = number;
            place.count += 1;
        }
        let known = |interner: &mut Interner, text: &str| {
            if text.is_empty() { NONE } else { interner.intern(text).0 }
        };
        place.block = known(&mut self.blocks, &address.block);
        place.room = known(&mut self.rooms, &address.room);
        if place.town != NONE && place.count > 0 {
            let town = self.towns.loose(place.town);
            let number = |key, &number: &u32| hash::mix(key, u64::from(number));
            let key = place.numbers().iter().fold(town, number);
            let key = hash::mix(key, hash::text(&address.block));
            let buildings = &mut self.buildings;
            place.building = *self.building_ids.entry(key).or_insert_with(|| {
                buildings.push(key);
                u32::try_from(buildings.len() - 1).expect("fewer than 2^32 buildings")
            });
        }
        place
    }

    /// Key of the building, where town and numbers are known.
    pub(crate) fn building_key(&self, place: &Place) -> Option<u64> {
        self.buildings.get(place.building as usize).copied()
    }

    /// Key of the town, where it is known.
    pub(crate) fn town_key(&self, place: &Place) -> Option<u64> {
        (place.town != NONE).then(|| self.towns.loose(place.town))
    }

    /// A hash of what is known of a place, the same in every run.
    pub(crate) fn value_hash(&self, id: u32) -> u64 {
        let place = &self.places[id as usize];
        let text = |interner: &Interner, id: u32| {
            if id == NONE { 0 } else { hash::text(interner.get(id)) }
        };
        let town = if place.town == NONE { 0 } else { hash::text(self.towns.text(place.town)) };
        let key = hash::mix(town, place.postal.map_or(u64::MAX, u64::from));
        let key = hash::mix(key, text(&self.rooms, place.room));
        let key = hash::mix(key, text(&self.blocks, place.block));
        place.numbers().iter().fold(key, |key, &number| hash::mix(key, u64::from(number)))
    }

    /// The id of a place with its postal code, [`NONE`] where nothing is known.
    pub(crate) fn intern(&mut self, place: Place, postal: Option<u32>) -> u32 {
        let place = Place { postal, ..place };
        if place == Place::UNKNOWN {
            return NONE;
        }
        let places = &mut self.places;
        *self.ids.entry(place).or_insert_with(|| {
            places.push(place);
            u32::try_from(places.len() - 1).expect("fewer than 2^32 distinct places")
        })
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// The last two letters of a town: equal however much of what stands before them is left out.
fn last_letters(town: &str) -> String {
    let from = town.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
    town[from..].to_owned()
}
