//! Keys of records that give one view of a name alone.
//!
//! A line in kana and a resident in kanji share no view, so no rule about names would bring them together. Both get keys
//! of readings: the one its own, the other the commonest readings that the register knows of what is written. These keys
//! meet each other and no others, so a record with both views has the keys and the candidates that it had.

use super::keys::{Side, Values};
use crate::forms::NONE;
use crate::forms::parts::Views;
use crate::forms::readings::{Alone, LOOKED_FOR, NamePart};
use crate::forms::whole_names::WholeName;
use crate::hash;
use crate::records::{NameValues, Normalised};

/// The readings under which a record meets those of the other side that lack the view which it has.
pub(super) struct Across {
    /// Tells these keys from those of readings that are recorded, and the two directions from each other.
    mark: u64,
    family: Looked,
    given: Looked,
    /// Family and given name as they are read where a list has the order wrong.
    exchanged: Option<(Looked, Looked)>,
}

/// Readings of a part, in the table of kana parts.
type Looked = [u32; LOOKED_FOR];

impl Across {
    /// Nothing where the record has both views, or the register nobody whom it could meet so.
    pub(super) fn of(normalised: &Normalised, side: Side, name: NameValues) -> Option<Self> {
        let names = &normalised.names;
        let readings = names.readings();
        if !readings.has(Alone::Written) && !readings.has(Alone::Read) {
            return None;
        }
        let (family, given) = (names.joint.views(name.family), names.joint.views(name.given));
        let of_register = match (alone(family, given)?, side) {
            (alone, Side::Register) => alone,
            (Alone::Written, Side::List) => Alone::Read,
            (Alone::Read, Side::List) => Alone::Written,
        };
        let looked_for = |part: NamePart, views: Views| {
            let mut kana = [NONE; LOOKED_FOR];
            if views.kana != NONE {
                kana[0] = views.kana;
            } else if views.written != NONE {
                let known = readings.of(part, views.written, &names.written_parts);
                kana.iter_mut().zip(known).for_each(|(kana, known)| *kana = known.kana);
            }
            kana
        };
        readings.has(of_register).then(|| Self {
            mark: of_register as u64 + 1,
            family: looked_for(NamePart::Family, family),
            given: looked_for(NamePart::Given, given),
            exchanged: (side == Side::List).then(|| {
                (looked_for(NamePart::Family, given), looked_for(NamePart::Given, family))
            }),
        })
    }

    pub(super) fn push_family(&self, normalised: &Normalised, values: &mut Values) {
        self.push_part(normalised, self.family, values);
    }

    pub(super) fn push_given(&self, normalised: &Normalised, values: &mut Values) {
        self.push_part(normalised, self.given, values);
    }

    fn push_part(&self, normalised: &Normalised, part: Looked, values: &mut Values) {
        for id in part.into_iter().filter(|&id| id != NONE) {
            values.push(hash::mix(self.mark, normalised.names.kana_parts.loose(id)));
        }
    }

    /// In the order that is written first: where there are more values than a part may have, the last ones are left out.
    pub(super) fn push_whole(&self, normalised: &Normalised, values: &mut Values) {
        let spelling = |id: u32| normalised.names.kana_parts.spelling(id);
        let known = |part: Looked| part.into_iter().filter(|&id| id != NONE);
        let orders = std::iter::once((self.family, self.given)).chain(self.exchanged);
        for (family, given) in orders {
            for family in known(family) {
                for given in known(given) {
                    let whole = WholeName::of_halves(spelling(family), spelling(given)).full;
                    values.push(hash::mix(self.mark, whole));
                }
            }
        }
    }
}

/// Which view a name gives alone: as read if nothing of it is written, as written if some part has no reading.
fn alone(family: Views, given: Views) -> Option<Alone> {
    let parts = [family, given];
    if parts.iter().any(|part| part.written != NONE && part.kana == NONE) {
        Some(Alone::Written)
    } else if parts.iter().all(|part| part.written == NONE)
        && parts.iter().any(|part| part.kana != NONE)
    {
        Some(Alone::Read)
    } else {
        None
    }
}
