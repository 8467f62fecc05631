//! Accounts: whose they are, beside whom the money is for.
//!
//! Many benefits are paid into accounts of parents and spouses, and that is as it should be. It is also what a transcription
//! error looks like, an account that was typed one line too low, or one person who applied for many. A machine cannot tell
//! these apart, so nothing is stopped here: lines are counted into what certifiers sign, and shown to them by their ids.
//!
//! | finding | when |
//! |---|---|
//! | `HOLDER_DIFFERS` | the holder's kana is neither the payee's nor that of anybody in the payee's household |
//! | `FAMILY_ACCOUNT` | it is that of another member of the household |
//! | `SHARED_ACCOUNT` | several payees of the batch are paid into the account |
//!
//! Kana are compared as banks write them: spaces, width, small letters and long marks do not count.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use renkei_japanese::kana::kana_exact;
use renkei_japanese::text::fold;
use renkei_tables::built_in_column;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{BatchId, Reason};
use serde::{Deserialize, Serialize};

use crate::batch::{Payment, payments};
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Certify, Permit};
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::snapshot::RegisterRows;
use crate::store::Vault;
use crate::transfer;

closed_list! {
    /// Why somebody should look at an account.
    AccountFinding {
        /// The holder is not known in the payee's household.
        HolderDiffers = "HOLDER_DIFFERS",
        /// The holder is another member of the household.
        FamilyAccount = "FAMILY_ACCOUNT",
        /// Several payees are paid into it.
        SharedAccount = "SHARED_ACCOUNT",
    }
}

/// How many lines of a batch have which finding.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountCounts {
    /// See [`AccountFinding::HolderDiffers`].
    pub holder_differs: u64,
    /// See [`AccountFinding::FamilyAccount`].
    pub family_account: u64,
    /// See [`AccountFinding::SharedAccount`].
    pub shared_account: u64,
}

/// A line that somebody should look at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountLine {
    /// Row in the list.
    pub row: u32,
    /// Id of the line.
    pub line: String,
    /// Why.
    pub findings: BTreeSet<AccountFinding>,
    /// Lines of the batch with one number here share an account; 0: with nobody.
    pub group: u32,
}

/// How many lines of a list pay into each account, counted while the list is read. Accounts are compared as they are
/// written: whoever puts one account on every line writes it in one way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    columns: Option<[usize; 4]>,
    lines: HashMap<u64, u64>,
}

impl Tally {
    /// Of a list with these columns; one without accounts is not counted.
    pub(crate) fn of(header: &[String]) -> Self {
        let column = |name| built_in_column(header, name);
        let columns = || {
            let [bank, branch] = [column("bank_code")?, column("branch_code")?];
            Some([bank, branch, column("account_type")?, column("account_number")?])
        };
        Self { columns: columns(), lines: HashMap::new() }
    }

    /// Counts some lines.
    pub(crate) fn observe(&mut self, batch: &renkei_tables::Batch) {
        let Some(columns) = self.columns else { return };
        for row in 0..batch.rows() {
            let cells = columns.map(|column| batch.cell(column, row).trim());
            if !cells[3].is_empty() {
                let mut hasher = DefaultHasher::new();
                cells.hash(&mut hasher);
                *self.lines.entry(hasher.finish()).or_default() += 1;
            }
        }
    }

    /// How many lines the account has that has most.
    pub(crate) fn most(&self) -> u64 {
        self.lines.values().copied().max().unwrap_or_default()
    }
}

/// An account by what a bank reads; nothing where no account is given.
fn account(payment: &Payment) -> Option<String> {
    let cells = transfer::account_cells(payment);
    if cells[3].trim().is_empty() {
        return None;
    }
    // Not fit for a transfer file; the same text is the same account all the same.
    let as_written = |_| cells.map(|cell| fold(cell).trim().to_owned()).join("/");
    Some(transfer::account(cells).unwrap_or_else(as_written))
}

/// Payments are looked at one by one; what the register must be asked for is asked once, at the end.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    /// Payments into each account.
    accounts: HashMap<String, u32>,
    /// Lines whose holder is not the payee: row, household, key of the holder.
    others: Vec<(u32, String, String)>,
}

/// What one payment adds.
struct Seen {
    account: Option<String>,
    /// Key of the holder's name, where it is not the payee's.
    other: Option<String>,
}

/// Reads a payment to somebody with this reading of the name.
fn read(payment: &Payment, kana: &str) -> Seen {
    let account = account(payment);
    let holder = payment.cells.first().map_or("", String::as_str);
    // Without either there is nothing to compare: not every list brings accounts, not every register readings.
    if holder.trim().is_empty() || kana.trim().is_empty() || holder == kana {
        return Seen { account, other: None };
    }
    let holder = kana_exact(holder);
    let other = (holder != kana_exact(kana)).then_some(holder);
    Seen { account, other }
}

impl Examination {
    /// Looks at payments, each with household and reading of the payee; reading them is most of the work, and is shared
    /// between threads.
    pub(crate) fn see(&mut self, payments: &[(&Payment, &str, &str)]) {
        let seen: Vec<Seen> =
            payments.par_iter().map(|(payment, _, kana)| read(payment, kana)).collect();
        for (seen, (payment, household, _)) in seen.into_iter().zip(payments) {
            if let Some(account) = seen.account {
                *self.accounts.entry(account).or_default() += 1;
            }
            if let Some(holder) = seen.other {
                self.others.push((payment.row, (*household).to_owned(), holder));
            }
        }
    }

    /// Asks the register who else lives with those payees whose account is not their own.
    pub(crate) fn finish(
        self,
        vault: &Vault,
        register: &RegisterRows<'_>,
    ) -> Result<Findings, Refusal> {
        // Lines by household, each with the key of the holder who is looked for there.
        let mut households: HashMap<&str, Vec<(u32, &str)>> = HashMap::new();
        for (row, household, holder) in &self.others {
            if !household.is_empty() {
                households.entry(household).or_default().push((*row, holder));
            }
        }
        let mut family = Vec::new();
        let columns = ["household_id", "name_kana"].map(|name| register.column(name));
        if let [Some(household), Some(kana)] = columns
            && !households.is_empty()
        {
            family = register.gather(vault, |_, chunk, at, family: &mut Vec<u32>| {
                if let Some(lines) = households.get(chunk.cell(household, at)) {
                    let member = kana_exact(chunk.cell(kana, at));
                    let of_member = lines.iter().filter(|(_, holder)| *holder == member);
                    family.extend(of_member.map(|(row, _)| row));
                }
            })?;
        }
        let others = self.others.iter().map(|(row, ..)| (*row, AccountFinding::HolderDiffers));
        let family = family.into_iter().map(|row| (row, AccountFinding::FamilyAccount));
        let holders = others.chain(family).collect();
        let mut shared = self.accounts;
        shared.retain(|_, payments| *payments > 1);
        Ok(Findings { holders, shared })
    }
}

/// What was found about the accounts of a batch.
#[derive(Debug)]
pub(crate) struct Findings {
    holders: HashMap<u32, AccountFinding>,
    /// Accounts with more than one payment, and how many.
    shared: HashMap<String, u32>,
}

impl Findings {
    /// Lines by finding.
    pub(crate) fn counts(&self) -> AccountCounts {
        let lines = |wanted| self.holders.values().filter(|found| **found == wanted).count() as u64;
        AccountCounts {
            holder_differs: lines(AccountFinding::HolderDiffers),
            family_account: lines(AccountFinding::FamilyAccount),
            shared_account: self.shared.values().map(|&payments| u64::from(payments)).sum(),
        }
    }

    /// The lines, in the order of the batch.
    fn lines(&self, payments: &[Payment]) -> Vec<AccountLine> {
        let mut groups = HashMap::<&str, u32>::new();
        let mut lines = Vec::new();
        for payment in payments {
            let mut findings: BTreeSet<AccountFinding> =
                self.holders.get(&payment.row).copied().into_iter().collect();
            let account = account(payment);
            let shared = account.and_then(|account| self.shared.get_key_value(&account));
            let group = shared.map_or(0, |(account, _)| {
                findings.insert(AccountFinding::SharedAccount);
                let next = groups.len() as u32 + 1;
                *groups.entry(account).or_insert(next)
            });
            if !findings.is_empty() {
                let (row, line) = (payment.row, payment.line.clone());
                lines.push(AccountLine { row, line, findings, group });
            }
        }
        lines
    }
}

/// The lines of a batch whose accounts somebody should look at, for a certifier. Blocks: for threads that may wait.
pub fn look(
    exchange: &Exchange,
    permit: Permit<Certify>,
    id: BatchId,
) -> Result<Done<Vec<AccountLine>>, Refusal> {
    let (vault, state) = (exchange.vault(), exchange.state());
    let batch = state.batches.get(&id).ok_or(Reason::NoAgreement)?;
    let (_, linked) = state.linked_list(batch.list)?;
    let register = state.register_rows(linked.snapshot)?;
    let payments = payments(vault, batch)?;
    let mut people: HashMap<&str, (String, String)> =
        payments.iter().map(|payment| (payment.person.as_str(), Default::default())).collect();
    let columns = ["resident_id", "household_id", "name_kana"];
    let [person, household, kana] = columns.map(|name| register.column(name));
    register.each(vault, |_, chunk, at| {
        let cell = |column: Option<usize>| column.map_or("", |column| chunk.cell(column, at));
        if let Some(known) = people.get_mut(cell(person)) {
            *known = (cell(household).to_owned(), cell(kana).to_owned());
        }
    })?;
    let mut examination = Examination::default();
    let known: Vec<(&Payment, &str, &str)> = payments
        .iter()
        .filter_map(|payment| {
            let (household, kana) = people.get(payment.person.as_str())?;
            Some((payment, household.as_str(), kana.as_str()))
        })
        .collect();
    examination.see(&known);
    let lines = examination.finish(vault, &register)?.lines(&payments);
    let call = Call::read(permit.caller().clone());
    let looked = LookAtAccounts { permit, batch: id, lines: lines.len() as u64 };
    let done = exchange.execute_now(call, looked)?;
    Ok(Done { reply: lines, receipt: done.receipt })
}

/// Notes that the lines are handed out.
struct LookAtAccounts {
    permit: Permit<Certify>,
    batch: BatchId,
    lines: u64,
}

impl Command for LookAtAccounts {
    type Reply = ();
    const METHOD: &'static str = "CheckAccounts";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::Export).about(self.batch);
        Ok(Decision::new((), mark.count(Counter::Out, self.lines)))
    }
}
