//! Where each field stands in its record: positions counted from 1, both ends included, as bank manuals print them.
//!
//! Invariant: these are the positions of `data/zengin_transfer_layout.tsv`. A field that is missing here is written
//! blank and not read.

use std::ops::Range;

/// A field of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Its name in errors.
    pub(super) name: &'static str,
    from: usize,
    to: usize,
}

impl Field {
    const fn new(name: &'static str, from: usize, to: usize) -> Self {
        Self { name, from, to }
    }

    /// Its bytes within the record.
    pub(super) const fn range(self) -> Range<usize> {
        self.from - 1..self.to
    }

    /// How many bytes it has.
    pub(super) const fn cells(self) -> usize {
        self.to + 1 - self.from
    }
}

/// データ区分, the first byte of every record.
pub(super) const RECORD_KIND: Field = Field::new("record_kind", 1, 1);

/// The header's fields.
pub(super) mod header {
    use super::Field;

    /// データ区分.
    pub(crate) const KIND: u64 = 1;
    /// 種別コード of 総合振込.
    pub(crate) const TRANSFER: u64 = 21;
    /// コード区分 of JIS.
    pub(crate) const JIS: u64 = 0;

    pub(crate) const TYPE_CODE: Field = Field::new("type_code", 2, 3);
    pub(crate) const CODE_CLASS: Field = Field::new("code_class", 4, 4);
    pub(crate) const CONSIGNOR_CODE: Field = Field::new("consignor_code", 5, 14);
    pub(crate) const CONSIGNOR_NAME: Field = Field::new("consignor_name", 15, 54);
    pub(crate) const MONTH: Field = Field::new("month", 55, 56);
    pub(crate) const DAY: Field = Field::new("day", 57, 58);
    pub(crate) const BANK_CODE: Field = Field::new("bank_code", 59, 62);
    pub(crate) const BANK_NAME: Field = Field::new("bank_name", 63, 77);
    pub(crate) const BRANCH_CODE: Field = Field::new("branch_code", 78, 80);
    pub(crate) const BRANCH_NAME: Field = Field::new("branch_name", 81, 95);
    pub(crate) const ACCOUNT_TYPE: Field = Field::new("account_type", 96, 96);
    pub(crate) const ACCOUNT_NUMBER: Field = Field::new("account_number", 97, 103);
}

/// The fields of a data record.
pub(super) mod data {
    use super::Field;

    /// データ区分.
    pub(crate) const KIND: u64 = 2;
    /// 新規コード その他: whether a payee is paid for the first time is the bank's to know.
    pub(crate) const NEITHER_NEW_NOR_CHANGED: u64 = 0;
    /// 振込指定区分 電信: the money arrives on the day of the order.
    pub(crate) const BY_WIRE: u64 = 7;
    /// 識別表示 that makes one text of both customer codes.
    pub(crate) const ONE_TEXT: &str = "Y";

    pub(crate) const BANK_CODE: Field = Field::new("bank_code", 2, 5);
    pub(crate) const BRANCH_CODE: Field = Field::new("branch_code", 21, 23);
    pub(crate) const CLEARING_HOUSE: Field = Field::new("clearing_house", 39, 42);
    pub(crate) const ACCOUNT_TYPE: Field = Field::new("account_type", 43, 43);
    pub(crate) const ACCOUNT_NUMBER: Field = Field::new("account_number", 44, 50);
    pub(crate) const PAYEE: Field = Field::new("payee", 51, 80);
    pub(crate) const YEN: Field = Field::new("yen", 81, 90);
    pub(crate) const NEW_CODE: Field = Field::new("new_code", 91, 91);
    pub(crate) const CUSTOMER_CODE: Field = Field::new("customer_code", 92, 111);
    pub(crate) const SPEED: Field = Field::new("speed", 112, 112);
    pub(crate) const CUSTOMER_CODE_FORM: Field = Field::new("customer_code_form", 113, 113);
}

/// The trailer's fields.
pub(super) mod trailer {
    use super::Field;

    /// データ区分.
    pub(crate) const KIND: u64 = 8;

    pub(crate) const ROWS: Field = Field::new("total_rows", 2, 7);
    pub(crate) const YEN: Field = Field::new("total_yen", 8, 19);
}

/// The end record has no fields of its own.
pub(super) mod end {
    /// データ区分.
    pub(crate) const KIND: u64 = 9;
}
