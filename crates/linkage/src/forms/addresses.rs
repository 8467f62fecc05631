//! Addresses and postal codes as places.
//!
//! Town names are compared without the municipality, since lists leave it out: which municipalities there are is
//! learned from the addresses that name one: those of the register, and those of the list where its lines may help each
//! other. The towns of the register in turn help to read the list, where a name has letters that look like numbers. What
//! was learned when a register was built stays as it is when deltas change its records.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use renkei_japanese::address::{Address, AddressHalf, divide};
use renkei_japanese::postal::PostalCode;

use super::parts::Parts;
use super::{FEW, NONE, beginning, each_once, normalise};
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
    /// Whether damage done by a spreadsheet was undone to read the numbers.
    pub(crate) numbers_repaired: bool,
    /// Whether the zero that a spreadsheet took off the postal code was put back.
    pub(crate) postal_repaired: bool,
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
    towns: Parts,
    rooms: Interner,
    blocks: Interner,
    /// Key of each building: equal however much of the town's name is left out in front.
    buildings: Distinct<u64>,
    places: Distinct<Place>,
    /// The municipalities that the register's addresses name.
    municipalities: Arc<Municipalities>,
    /// Those that the addresses name that residents have left.
    former_municipalities: Arc<Municipalities>,
}

type Municipalities = HashSet<Box<str>, Seeded>;

/// An address as read, before it is known what of the town's name is the municipality.
#[derive(Clone, Copy)]
struct ReadPlace {
    /// Number of the municipality and town as written, among those of the column.
    whole: u32,
    /// Where the address itself says that the municipality ends.
    municipality_end: u32,
    place: Place,
}

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

    /// The address, still without a postal code, of each distinct text of a column of the register. Municipalities are
    /// learned from it if `learns`; otherwise they are those that were.
    pub(crate) fn register_column(&mut self, raw: &Interner, learns: bool) -> Vec<Place> {
        let (read, wholes) = self.read(raw, |text| Address::read(text, ""), |_| true);
        if learns {
            self.municipalities = Arc::new(named(&read, &wholes).collect());
        }
        let municipalities = Arc::clone(&self.municipalities);
        self.settle(read, &wholes, &municipalities)
    }

    /// The same for a column of addresses that residents have left.
    pub(crate) fn former_column(&mut self, raw: &Interner, learns: bool) -> Vec<Place> {
        let (read, wholes) = self.read(raw, |text| Address::read(text, ""), |_| true);
        if learns {
            self.former_municipalities = Arc::new(named(&read, &wholes).collect());
        }
        let municipalities = Arc::clone(&self.former_municipalities);
        self.settle(read, &wholes, &municipalities)
    }

    /// The same for a column of a list. Municipalities are learned from it if `learns`, and from the register at any
    /// rate.
    pub(crate) fn list_column(&mut self, raw: &Interner, learns: bool) -> Vec<Place> {
        // A register whose addresses name no municipality may still know some from those that residents have left.
        let known = [&self.municipalities, &self.former_municipalities];
        let known = known.into_iter().find(|known| !known.is_empty());
        let municipalities = Arc::clone(known.unwrap_or(&self.municipalities));
        let towns = self.towns.above();
        let is_town = |whole: &str| {
            let end = municipality_end(whole, 0, &municipalities);
            end < whole.len() && towns.find_first(&whole[end..]).is_some()
        };
        let is_known = |read: &Address| {
            read.town.is_empty()
                || is_town(&read.town)
                || towns.find_first(read.town_name()).is_some()
        };
        let read = |text: &str| {
            let read = Address::read(text, "")?;
            let known = is_known(&read);
            let again = if known { None } else { Address::read_knowing(text, "", is_town) };
            Some(again.unwrap_or(read))
        };
        let (read, wholes) = self.read(raw, read, is_known);
        let mut municipalities = municipalities;
        if learns {
            Arc::make_mut(&mut municipalities).extend(named(&read, &wholes));
        }
        self.settle(read, &wholes, &municipalities)
    }

    /// Every distinct text in parts. `suffices` says whether an address need not be read again once its names are known.
    fn read(
        &mut self,
        raw: &Interner,
        read_text: impl Fn(&str) -> Option<Address> + Sync,
        suffices: impl Fn(&Address) -> bool + Sync,
    ) -> (Vec<Option<ReadPlace>>, Interner) {
        let mut wholes = Interner::default();
        let halves =
            if raw.len() < FEW { Vec::new() } else { self.read_halves(raw, suffices, &mut wholes) };
        let in_halves = |id: u32| halves.get(id as usize).copied().flatten();
        let mut read: Vec<Option<ReadPlace>> = Vec::with_capacity(raw.len());
        each_once(
            raw.len(),
            |id| match in_halves(id) {
                Some(_) => None,
                None => read_text(beginning(raw.get(id))),
            },
            |address| {
                let id = u32::try_from(read.len()).expect("fewer than 2^32 distinct values");
                let whole = || address.map(|address| self.read_place(&address, &mut wholes));
                read.push(in_halves(id).or_else(whole));
                NONE
            },
        );
        (read, wholes)
    }

    /// The texts whose halves can be read alone; each half is read once.
    fn read_halves(
        &mut self,
        raw: &Interner,
        suffices: impl Fn(&Address) -> bool + Sync,
        wholes: &mut Interner,
    ) -> Vec<Option<ReadPlace>> {
        let (mut names, mut numbers) = (Interner::default(), Interner::default());
        let mut number =
            |(name, number): (&str, &str)| (names.intern(name).0, numbers.intern(number).0);
        let divided: Vec<Option<(u32, u32)>> =
            raw.iter().map(|text| divide(beginning(text)).map(&mut number)).collect();
        let mut read_names = Vec::with_capacity(names.len());
        normalise(
            &names,
            |text| AddressHalf::of_names(text).filter(|half| suffices(&half.read)),
            |half| {
                read_names
                    .push(half.map(|half| (half.streets, self.read_place(&half.read, wholes))));
                NONE
            },
        );
        let mut read_numbers = Vec::with_capacity(numbers.len());
        normalise(&numbers, AddressHalf::of_numbers, |half| {
            read_numbers
                .push(half.map(|half| (half.streets, self.read_place(&half.read, wholes).place)));
            NONE
        });
        let join = |(name, number): (u32, u32)| {
            let (may_have_street, names) = read_names[name as usize]?;
            let (has_street, place) = read_numbers[number as usize]?;
            (!(may_have_street && has_street)).then_some(ReadPlace { place, ..names })
        };
        divided.into_iter().map(|halves| halves.and_then(join)).collect()
    }

    /// Takes the municipality off every town and numbers what is left.
    fn settle(
        &mut self,
        read: Vec<Option<ReadPlace>>,
        wholes: &Interner,
        municipalities: &Municipalities,
    ) -> Vec<Place> {
        let mut towns: HashMap<(u32, u32, bool), u32, Seeded> = HashMap::default();
        let settle = |read: Option<ReadPlace>| {
            let Some(ReadPlace { whole, municipality_end, place }) = read else {
                return Place::UNKNOWN;
            };
            let numbered = place.count > 0 || place.block != NONE;
            let town = *towns.entry((whole, municipality_end, numbered)).or_insert_with(|| {
                let whole = wholes.get(whole);
                let end = self::municipality_end(whole, municipality_end as usize, municipalities);
                // 下田市2丁目4: numbers without a town stand directly behind the municipality.
                let town = if end == whole.len() && numbered {
                    without_county(whole).unwrap_or(whole)
                } else {
                    &whole[end..]
                };
                self.towns.intern(town, last_letters)
            });
            let building = if town != NONE && place.count > 0 {
                let number = |key, &number: &u32| hash::mix(key, u64::from(number));
                let key = place.numbers().iter().fold(self.towns.loose(town), number);
                let block = if place.block == NONE { "" } else { self.blocks.get(place.block) };
                self.buildings.intern(hash::mix(key, hash::text(block)))
            } else {
                NONE
            };
            Place { town, building, ..place }
        };
        read.into_iter().map(settle).collect()
    }

    /// Everything but the town.
    fn read_place(&mut self, address: &Address, wholes: &mut Interner) -> ReadPlace {
        let mut place = Place::UNKNOWN;
        for (slot, &number) in place.numbers.iter_mut().zip(address.numbers.as_slice()) {
            *slot = number;
            place.count += 1;
        }
        let known = |interner: &mut Interner, text: &str| {
            if text.is_empty() { NONE } else { interner.intern(text).0 }
        };
        place.block = known(&mut self.blocks, &address.block);
        place.room = known(&mut self.rooms, &address.room);
        place.numbers_repaired = address.repaired;
        ReadPlace {
            whole: wholes.intern(&address.town).0,
            municipality_end: u32::try_from(address.municipality_end).unwrap_or(0),
            place,
        }
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

/// The municipalities that addresses name.
fn named(read: &[Option<ReadPlace>], wholes: &Interner) -> impl Iterator<Item = Box<str>> {
    read.iter().flatten().flat_map(|read| {
        let (whole, end) = (wholes.get(read.whole), read.municipality_end as usize);
        let name = &whole[..end];
        let names = [Some(name), without_county(name)];
        names.into_iter().flatten().filter(|name| !name.is_empty()).map(Box::from)
    })
}

/// A town or village without its county, which is often left out; nothing where none is written.
fn without_county(municipality: &str) -> Option<&str> {
    let name = &municipality[municipality.rfind('郡')? + '郡'.len_utf8()..];
    (name.chars().nth(1).is_some()).then_some(name)
}

/// Where in a municipality and town the municipality ends, in bytes: `own` is what the address itself says.
fn municipality_end(whole: &str, own: usize, municipalities: &Municipalities) -> usize {
    let cuts = whole.char_indices().map(|(at, _)| at).skip(1).chain([whole.len()]);
    cuts.filter(|&at| at == own || municipalities.contains(&whole[..at])).last().unwrap_or(0)
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
