//! The payment list: lines drawn from a population, the truth about each, and the classes of injected errors.

use std::io::{self, Write};

use crate::chance::Chance;
use crate::cp932;
use crate::damage::{Columns, Damage, Strikes};
use crate::kana::bank;
use crate::population::{PROGRESS_STEP, Population};
use crate::rates::{Class, ClassSet, ErrorRates};
use crate::recipe::{RecipeError, Stage, Totals};
use crate::subject::Subject;

/// Head of the list file.
const HEADER: &str = "申請番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,支給額,口座名義カナ";

/// Amounts in yen with their shares.
const AMOUNTS: [(u32, u32); 5] =
    [(2, 30_000), (1, 50_000), (1, 70_000), (1, 100_000), (1, 120_000)];

/// Accounts of a family member, and applications without an account, in percent.
const FAMILY_ACCOUNT_PERCENT: u32 = 8;
const NO_ACCOUNT_PERCENT: u32 = 3;

/// Bytes gathered before they are written.
const BLOCK: usize = 1 << 20;

/// One line of the list.
#[derive(Clone, Debug)]
pub struct Line {
    resident: Option<usize>,
    strikes: Strikes,
    letters_lost: bool,
    columns: Columns,
    amount: u32,
    account_holder: String,
}

impl Line {
    /// The person's place in the register; nobody for those who are not in it.
    pub fn resident(&self) -> Option<usize> {
        self.resident
    }

    /// The classes of errors injected into the line.
    pub fn classes(&self) -> ClassSet {
        self.strikes.struck
    }

    /// The classes that could have been injected: those with something in this line to change.
    pub fn applicable(&self) -> ClassSet {
        self.strikes.applicable
    }

    /// The factor on the rates of this line; log-normal with mean 1, large for careless forms.
    pub fn quality(&self) -> f64 {
        self.strikes.quality
    }

    /// Whether CP932 had no place for a letter of the name; then [`Class::KanjiGaiji`] is set without having been drawn.
    pub fn letters_lost(&self) -> bool {
        self.letters_lost
    }

    /// Amount in yen.
    pub fn amount(&self) -> u32 {
        self.amount
    }
}

/// A payment list.
#[derive(Clone, Debug)]
pub struct PaymentList {
    lines: Vec<Line>,
}

impl PaymentList {
    /// Draws a list of so many lines.
    pub fn draw(
        population: &Population,
        lines: usize,
        rates: &ErrorRates,
        seed: u64,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Self, RecipeError> {
        let residents = population.residents();
        if lines > residents {
            return Err(RecipeError::Lines { lines, residents });
        }
        let mut chance = Chance::new(seed, "list");
        let mut applicants = Applicants::new(residents);
        let mut list = Self { lines: Vec::with_capacity(lines) };
        while list.lines.len() < lines {
            let drawn = applicants.draw(population, rates, &mut chance);
            let Some((subject, whole_line)) = drawn else { break };
            list.lines.push(line(population, rates, &subject, whole_line, &mut chance));
            if list.lines.len().is_multiple_of(PROGRESS_STEP) {
                progress(Stage::Lines, list.lines.len(), lines);
            }
        }
        progress(Stage::Lines, list.lines.len(), lines);
        Ok(list)
    }

    /// The lines in the order of the file.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// 申請番号 of the line at a place of the list.
    pub fn benefit_id(at: usize) -> String {
        format!("B{:09}", at + 1)
    }

    /// Writes the list: CP932, CRLF, Japanese headers.
    pub fn write_list(&self, file: &mut dyn Write) -> io::Result<()> {
        let rows = self.lines.iter().enumerate().map(|(at, line)| {
            let Columns { name, kana, birth, sex, postal, address } = &line.columns;
            let (id, amount, holder) = (Self::benefit_id(at), line.amount, &line.account_holder);
            format!("{id},{name},{kana},{birth},{sex},{postal},{address},{amount},{holder}")
        });
        write_rows(file, HEADER, rows)
    }

    /// Writes the truth: benefit_id, resident_id; empty for nobody.
    pub fn write_truth(&self, population: &Population, file: &mut dyn Write) -> io::Result<()> {
        let rows = self.lines.iter().enumerate().map(|(at, line)| {
            let resident = line.resident.map_or_else(String::new, |at| population.resident_id(at));
            format!("{},{resident}", Self::benefit_id(at))
        });
        write_rows(file, "benefit_id,resident_id", rows)
    }

    /// Writes the injected classes: benefit_id, classes joined with `|`.
    pub fn write_classes(&self, file: &mut dyn Write) -> io::Result<()> {
        let lines = self.lines.iter().enumerate();
        let rows =
            lines.map(|(at, line)| format!("{},{}", Self::benefit_id(at), line.strikes.struck));
        write_rows(file, "benefit_id,classes", rows)
    }

    /// Totals of the list and its register.
    pub fn totals(&self, population: &Population) -> Totals {
        let with = |class| self.lines.iter().filter(|line| line.classes().contains(class)).count();
        Totals {
            residents: population.residents(),
            households: population.households(),
            lines: self.lines.len(),
            nonresidents: with(Class::NonResident),
            duplicates: with(Class::DuplicateLine),
            yen: self.lines.iter().map(|line| u64::from(line.amount)).sum(),
        }
    }
}

/// Writes rows in CP932 (of which ASCII is a part) with CRLF, a block at a time.
fn write_rows(
    file: &mut dyn Write,
    header: &str,
    rows: impl Iterator<Item = String>,
) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK + 1024);
    cp932::encode_into(header, &mut block);
    block.extend_from_slice(b"\r\n");
    for row in rows {
        cp932::encode_into(&row, &mut block);
        block.extend_from_slice(b"\r\n");
        if block.len() > BLOCK {
            file.write_all(&block)?;
            block.clear();
        }
    }
    file.write_all(&block)
}

/// Who applies: residents without repetition, some of them twice, and strangers.
struct Applicants {
    /// Places in the register; the first `drawn` have applied.
    order: Vec<u32>,
    drawn: usize,
    /// Of those who have applied, how many, counted from the first, have applied again.
    again: usize,
}

impl Applicants {
    fn new(residents: usize) -> Self {
        Self { order: (0..residents as u32).collect(), drawn: 0, again: 0 }
    }

    fn draw(
        &mut self,
        population: &Population,
        rates: &ErrorRates,
        chance: &mut Chance,
    ) -> Option<(Subject, ClassSet)> {
        let mut whole_line = ClassSet::default();
        if chance.unit() < rates.rate(Class::NonResident) {
            let (subject, kind) = Subject::stranger(population, rates, chance)?;
            whole_line.insert(Class::NonResident);
            whole_line.insert(kind);
            return Some((subject, whole_line));
        }
        if chance.unit() < rates.rate(Class::DuplicateLine) && self.again < self.drawn {
            let other = self.again + chance.index(self.drawn - self.again);
            self.order.swap(self.again, other);
            self.again += 1;
            whole_line.insert(Class::DuplicateLine);
            let at = *self.order.get(self.again - 1)? as usize;
            return Some((Subject::resident(population, at)?, whole_line));
        }
        let other = self.drawn + chance.index(self.order.len() - self.drawn);
        self.order.swap(self.drawn, other);
        self.drawn += 1;
        let at = *self.order.get(self.drawn - 1)? as usize;
        Some((Subject::resident(population, at)?, whole_line))
    }
}

fn line(
    population: &Population,
    rates: &ErrorRates,
    subject: &Subject,
    whole_line: ClassSet,
    chance: &mut Chance,
) -> Line {
    let (mut columns, mut strikes) = Damage::new(population, rates, subject, chance).write();
    for class in whole_line.iter() {
        strikes.struck.insert(class);
    }
    let letters_lost = cp932::settle(&mut columns.name);
    if letters_lost {
        strikes.struck.insert(Class::KanjiGaiji);
    }
    for column in [&mut columns.kana, &mut columns.birth, &mut columns.address] {
        cp932::settle(column);
    }
    let mut account_holder = account_holder(population, subject, chance);
    cp932::settle(&mut account_holder);
    let amount = chance.weighted(&AMOUNTS);
    Line { resident: subject.resident, strikes, letters_lost, columns, amount, account_holder }
}

/// Whose account the money goes to, in a bank's kana.
fn account_holder(population: &Population, subject: &Subject, chance: &mut Chance) -> String {
    if chance.percent(NO_ACCOUNT_PERCENT) {
        return String::new();
    }
    let own = subject.registered_name(population);
    if chance.percent(FAMILY_ACCOUNT_PERCENT) {
        let members = population.members(subject.person.household);
        if members.len() > 1 {
            let member = &members[chance.index(members.len())];
            let member =
                Subject { person: *member, extra: population.extra_of(member), ..subject.clone() };
            return bank(&member.registered_name(population).kana());
        }
        // Family outside the household.
        let given = population.books.given.draw(
            subject.person.sex.other(),
            crate::names::Generation::Mid,
            chance,
        );
        let kana = population.books.given.reading(given, 0);
        return bank(&format!("{}　{kana}", own.family_kana));
    }
    bank(&own.kana())
}
