//! Columns of addresses while a side is sealed: texts become places.
//!
//! An address arrives in two halves, names and what stands behind them from the first number on (see
//! [`crate::intake`]). A city has a few thousand towns, and the numbers of its houses repeat from town to town, so each half
//! is read once, and a row joins the two. What cannot be read in halves is read as a whole, once for all rows that have it.
//! Then it is known which municipalities the column names, and they are taken off. Invariant: the two ways of reading give
//! an address the same place.

use std::sync::Arc;

use hashbrown::HashMap;
use renkei_japanese::address::{Address, AddressHalf};

use super::addresses::{Addresses, Municipalities, Place};
use super::{FEW, NONE, beginning, each_once};
use crate::hash::{self, Seeded};
use crate::intake::RawColumn;
use crate::intern::Interner;

/// An address as read, before it is known what of the town's name is the municipality.
#[derive(Clone, Copy)]
struct ReadPlace {
    /// Number of the municipality and town as written, among those of the column.
    whole: u32,
    /// Where the address itself says that the municipality ends.
    municipality_end: u32,
    place: Place,
}

/// A half that can be read alone, and whether it may have a street.
type Half<T> = Option<(bool, T)>;

/// The addresses of a column, read but for their towns.
#[derive(Default)]
pub(crate) struct AddressColumn {
    /// By text, of those that stand in front.
    names: Vec<Half<ReadPlace>>,
    /// By text, of those that stand behind.
    numbers: Vec<Half<Place>>,
    /// Which of `names` some row joins.
    joined: Vec<bool>,
    /// Of addresses that are read as wholes: their two texts, and the place in `read`.
    wholes: HashMap<(u32, u32), u32, Seeded>,
    read: Vec<Option<ReadPlace>>,
    /// Municipalities with towns as they are written.
    towns: Interner,
    municipalities: Arc<Municipalities>,
    /// The town of each of `towns`, without the municipality.
    settled: HashMap<(u32, u32, bool), u32, Seeded>,
}

impl Addresses {
    /// Reads a column of the register. Municipalities are learned from it if `learns`; otherwise they are those that were.
    pub(crate) fn register_column(&mut self, raw: &RawColumn, learns: bool) -> AddressColumn {
        let read = self.read(raw, |text| Address::read(text, ""), |_| true);
        if learns {
            self.municipalities = Arc::new(read.named().collect());
        }
        AddressColumn { municipalities: Arc::clone(&self.municipalities), ..read }
    }

    /// The same for a column of addresses that residents have left.
    pub(crate) fn former_column(&mut self, raw: &RawColumn, learns: bool) -> AddressColumn {
        let read = self.read(raw, |text| Address::read(text, ""), |_| true);
        if learns {
            self.former_municipalities = Arc::new(read.named().collect());
        }
        AddressColumn { municipalities: Arc::clone(&self.former_municipalities), ..read }
    }

    /// The same for a column of a list. Municipalities are learned from it if `learns`, and from the register at any
    /// rate.
    pub(crate) fn list_column(&mut self, raw: &RawColumn, learns: bool) -> AddressColumn {
        // A register whose addresses name no municipality may still know some from those that residents have left.
        let known = [&self.municipalities, &self.former_municipalities];
        let known = known.into_iter().find(|known| !known.is_empty());
        let mut municipalities = Arc::clone(known.unwrap_or(&self.municipalities));
        let known = Arc::clone(&municipalities);
        let towns = self.towns.above();
        let is_town = |whole: &str| {
            let end = municipality_end(whole, 0, &known);
            end < whole.len() && towns.find_first(&whole[end..]).is_some()
        };
        let is_known = |read: &Address| {
            read.town.is_empty()
                || is_town(&read.town)
                || towns.find_first(read.town_name()).is_some()
        };
        let read_text = |text: &str| {
            let read = Address::read(text, "")?;
            let known = is_known(&read);
            let again = if known { None } else { Address::read_knowing(text, "", is_town) };
            Some(again.unwrap_or(read))
        };
        let read = self.read(raw, read_text, is_known);
        if learns {
            Arc::make_mut(&mut municipalities).extend(read.named());
        }
        AddressColumn { municipalities, ..read }
    }

    /// Every text in parts. `suffices` says whether an address need not be read again once its names are known.
    fn read(
        &mut self,
        raw: &RawColumn,
        read_text: impl Fn(&str) -> Option<Address> + Sync,
        suffices: impl Fn(&Address) -> bool + Sync,
    ) -> AddressColumn {
        let mut column = AddressColumn::default();
        self.read_halves(raw, suffices, &mut column);
        let mut texts: Vec<(u32, u32)> = Vec::new();
        let mut before = None;
        for cells in raw.cells().filter(|&cells| before.replace(cells) != Some(cells)) {
            if column.join(cells).is_some() {
                column.joined[cells.0 as usize] = true;
            } else if cells.0 != NONE {
                column.wholes.entry(cells).or_insert_with(|| {
                    texts.push(cells);
                    u32::try_from(texts.len() - 1).expect("fewer than 2^32 distinct values")
                });
            }
        }
        let AddressColumn { read, towns, .. } = &mut column;
        each_once(
            texts.len(),
            |number| read_text(beginning(&raw.text(texts[number as usize]))),
            |address| {
                read.push(address.map(|address| self.read_place(&address, towns)));
                NONE
            },
        );
        column
    }

    /// Reads the halves that can be read alone, each once.
    fn read_halves(
        &mut self,
        raw: &RawColumn,
        suffices: impl Fn(&Address) -> bool + Sync,
        column: &mut AddressColumn,
    ) {
        let AddressColumn { names, numbers, joined, towns, .. } = column;
        let texts = raw.values.len();
        joined.resize(texts, false);
        if texts < FEW {
            return;
        }
        let [mut in_front, mut behind] = [vec![false; texts], vec![false; texts]];
        for (name, number) in raw.cells().filter(|(_, number)| *number != NONE) {
            (in_front[name as usize], behind[number as usize]) = (true, true);
        }
        let text = |id: u32| raw.values.get(id);
        each_once(
            texts,
            |id| in_front[id as usize].then(|| AddressHalf::of_names(text(id)))?,
            |half| {
                let half = half.filter(|half| suffices(&half.read));
                names.push(half.map(|half| (half.streets, self.read_place(&half.read, towns))));
                NONE
            },
        );
        each_once(
            texts,
            |id| behind[id as usize].then(|| AddressHalf::of_numbers(text(id)))?,
            |half| {
                numbers.push(
                    half.map(|half| (half.streets, self.read_place(&half.read, towns).place)),
                );
                NONE
            },
        );
    }

    /// The place of a row, still without a postal code: takes the municipality off the town and numbers what is left.
    pub(crate) fn settle(&mut self, column: &mut AddressColumn, cells: (u32, u32)) -> Place {
        let Some(ReadPlace { whole, municipality_end, place }) = column.of_cells(cells) else {
            return Place::UNKNOWN;
        };
        let AddressColumn { towns, municipalities, settled, .. } = column;
        let numbered = place.count > 0 || place.block != NONE;
        let town = *settled.entry((whole, municipality_end, numbered)).or_insert_with(|| {
            let whole = towns.get(whole);
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
    }

    /// Everything but the town.
    fn read_place(&mut self, address: &Address, towns: &mut Interner) -> ReadPlace {
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
            whole: towns.intern(&address.town).0,
            municipality_end: u32::try_from(address.municipality_end).unwrap_or(0),
            place,
        }
    }
}

impl AddressColumn {
    /// The address of a row from its halves, where these can be read alone.
    fn join(&self, (name, number): (u32, u32)) -> Option<ReadPlace> {
        let (may_have_street, names) = (*self.names.get(name as usize)?)?;
        let (has_street, place) = (*self.numbers.get(number as usize)?)?;
        (!(may_have_street && has_street)).then_some(ReadPlace { place, ..names })
    }

    fn of_cells(&self, cells: (u32, u32)) -> Option<ReadPlace> {
        self.join(cells).or_else(|| self.read[*self.wholes.get(&cells)? as usize])
    }

    /// The municipalities that addresses name.
    fn named(&self) -> impl Iterator<Item = Box<str>> {
        let joined = self.names.iter().zip(&self.joined).filter(|(_, joined)| **joined);
        let names = joined.filter_map(|(name, _)| name.as_ref().map(|(_, read)| read));
        names.chain(self.read.iter().flatten()).flat_map(|read| {
            let (whole, end) = (self.towns.get(read.whole), read.municipality_end as usize);
            let name = &whole[..end];
            let names = [Some(name), without_county(name)];
            names.into_iter().flatten().filter(|name| !name.is_empty()).map(Box::from)
        })
    }
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

/// The last two letters of a town: equal however much of what stands before them is left out.
fn last_letters(town: &str) -> String {
    let from = town.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
    town[from..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Division;

    /// What is known of each of these addresses, read in one column.
    fn known(texts: &[String]) -> Vec<Option<u64>> {
        let raw = RawColumn::of(Division::Address, texts.iter());
        let mut addresses = Addresses::default();
        let mut read = addresses.register_column(&raw, false);
        let of_row = |cells| {
            let place = addresses.settle(&mut read, cells);
            let id = addresses.intern(place, None);
            (id != NONE).then(|| addresses.value_hash(id))
        };
        raw.cells().map(of_row).collect()
    }

    #[test]
    fn an_address_says_among_many_what_it_says_alone() {
        let numbers = ["5番1号", "12-3", "1条西2丁目", "4日市2", "７番地８ ハイツ緑２０１号室"];
        let names = ["千葉県若葉市寿町", "京都市中京区烏丸通", "甲", "〒", "若葉市 緑", ""];
        let mut texts: Vec<String> = Vec::new();
        for number in 0..FEW {
            let joined = names.iter().flat_map(|name| {
                numbers
                    .map(|behind| format!("{name}{}{behind}", if number == 0 { "" } else { "九" }))
            });
            texts.extend(joined);
            texts.push(format!("若葉市寿町{number}番"));
        }
        // Around the most bytes that are divided, and the most letters that are read.
        for letters in [96, 97, 98, 280, 300, 330] {
            texts.push(format!("若葉市{}1番", "寿".repeat(letters)));
            texts.push(format!("若葉市寿町1番 {}", "ハ".repeat(letters)));
        }
        texts.extend([String::new(), "住所不定".to_owned()]);
        let among_many = known(&texts);
        for (text, among_many) in texts.iter().zip(among_many) {
            assert_eq!(known(std::slice::from_ref(text)), [among_many], "{text}");
        }
    }
}
