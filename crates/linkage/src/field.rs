//! The fields that a register and a list have in common, and what each is good for.

use renkei_types::{DateOrder, FieldKind};

/// One field of the records to be linked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// Its name in the schema.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether the register has it.
    pub in_register: bool,
    /// Whether the list has it.
    pub in_list: bool,
}

/// The fields of a job, in the order of the schema.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields {
    /// All fields.
    pub fields: Vec<Field>,
    /// How an ambiguous date is read.
    pub date_order: DateOrder,
}

/// The part a field plays in the comparisons.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// The whole name as written.
    Written,
    /// The whole name as read.
    Kana,
    /// The family name alone, as written.
    Family,
    /// The given name alone, as written.
    Given,
    /// Another name of the resident (旧氏, 通称).
    OtherName,
    /// The reading of the account holder's name: the person's own, or one of the family.
    AccountHolder,
    /// The address, in Japanese.
    Address,
    /// An address that the resident has left.
    FormerAddress,
    /// The postal code beside an address.
    Postal,
    /// Compared on its own.
    Alone,
    /// Not compared: another field says the same.
    Repeated,
    /// Not compared: an amount, or a field that only one side has.
    Unused,
}

impl Fields {
    /// Whether a field of a register is taken in.
    pub(crate) fn reads_of_register(&self, field: usize) -> bool {
        self.fields[field].in_register && self.fields[field].kind != FieldKind::Amount
    }

    /// The role of each field. The first field of a kind that both sides have is the main one.
    pub(crate) fn roles(&self, address_is_japanese: impl Fn(usize) -> bool) -> Vec<Role> {
        let mut roles = vec![Role::Unused; self.fields.len()];
        let shared = |field: &Field| field.in_register && field.in_list;
        let main = |kind: FieldKind| {
            self.fields.iter().position(|field| field.kind == kind && shared(field))
        };
        let written = main(FieldKind::PersonName);
        let kana = main(FieldKind::KanaName);
        // The parts of a name say more than the whole, which has to be divided first; a part alone says less.
        let (family, given) = (main(FieldKind::FamilyName), main(FieldKind::GivenName));
        let split = written.is_none() || family.and(given).is_some();
        let (family, given) = (family.filter(|_| split), given.filter(|_| split));
        let address = (0..self.fields.len()).find(|&index| {
            let field = &self.fields[index];
            field.kind == FieldKind::Address && shared(field) && address_is_japanese(index)
        });
        for (index, field) in self.fields.iter().enumerate() {
            let is = |main: Option<usize>| main == Some(index);
            roles[index] = match field.kind {
                FieldKind::PersonName if is(written) => Role::Written,
                FieldKind::PersonName if field.in_register && !field.in_list => Role::OtherName,
                FieldKind::KanaName if is(kana) => Role::Kana,
                FieldKind::KanaName if field.in_list && !field.in_register => Role::AccountHolder,
                FieldKind::FamilyName if is(family) => Role::Family,
                FieldKind::GivenName if is(given) => Role::Given,
                FieldKind::Address if is(address) => Role::Address,
                FieldKind::Address if field.in_register && !field.in_list && address.is_some() => {
                    Role::FormerAddress
                }
                FieldKind::PostalCode if shared(field) && address.is_some() => Role::Postal,
                FieldKind::Amount => Role::Unused,
                FieldKind::PersonName
                | FieldKind::KanaName
                | FieldKind::FamilyName
                | FieldKind::GivenName
                | FieldKind::Address
                | FieldKind::PostalCode
                | FieldKind::Date
                | FieldKind::Sex
                | FieldKind::Phone
                | FieldKind::Identifier
                | FieldKind::Category
                | FieldKind::FreeText => {
                    if shared(field) {
                        Role::Alone
                    } else {
                        Role::Unused
                    }
                }
            };
        }
        roles
    }
}
