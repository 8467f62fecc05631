//! A town with a small register, known people and every role, over real folders and no network.

#![allow(dead_code, reason = "every test file uses a part of it")]

pub(crate) mod cases;
pub(crate) mod families;
pub(crate) mod kept;
pub(crate) mod ledger;
mod lists;
mod money;
pub(crate) mod moves;
pub(crate) mod records;
mod register;
mod review;
mod rights;
pub(crate) mod stops;
mod uploads;
pub(crate) mod years;

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::open;
use renkei_exchange::agreement::{ActivateAgreement, ApproveAgreement, ProposeAgreement, Terms};
use renkei_exchange::command::Call;
use renkei_exchange::directory::{AddAgency, AddParty, CreateDataset};
use renkei_exchange::index::Indexes;
use renkei_exchange::ledger::Threads;
use renkei_exchange::permit::Operate;
use renkei_exchange::programme::{ChangeLimits, CreateProgramme, PayeeUnit, Rules};
use renkei_exchange::upload::Spools;
use renkei_exchange::{Caller, Exchange, Operation, Refusal, Role, WitnessRule};
use renkei_journal::MemoryJournal;
use renkei_testkit::{Files, Mix, Recipe, generate};
use renkei_types::{DatasetId, Digest, Identity, ProgrammeId};

/// Name, agency's body, kind, roles.
const PARTIES: [(&str, &str, &str, &[Role]); 14] = [
    ("operator-2", "operations", "person", &[Role::Operator]),
    ("residents-operator", "residents", "person", &[Role::Operator]),
    ("discloser-1", "residents", "person", &[Role::Discloser]),
    ("residents-protector", "residents", "person", &[Role::Discloser, Role::Protector]),
    ("register", "residents", "system", &[Role::Submitter]),
    ("payments", "benefits", "system", &[Role::Submitter]),
    ("payments-consumer", "benefits", "system", &[Role::Consumer]),
    ("clerk-1", "benefits", "person", &[Role::Clerk]),
    ("certifying-clerk", "benefits", "person", &[Role::Clerk, Role::Certifier]),
    ("certifier-1", "benefits", "person", &[Role::Certifier]),
    ("certifier-2", "benefits", "person", &[Role::Certifier, Role::Operator]),
    ("protector-1", "benefits", "person", &[Role::Protector]),
    ("protector-2", "benefits", "person", &[Role::Protector]),
    ("transfers", "treasury", "system", &[Role::Consumer]),
];

pub(crate) fn identity(name: &str) -> Identity {
    let known = PARTIES.iter().find(|(known, ..)| *known == name);
    let (body, kind) = known.map_or(("operations", "person"), |(_, body, kind, _)| (*body, *kind));
    format!("spiffe://renkei.example/131016/{body}/{kind}/{name}").parse().expect("an identity")
}

pub(crate) fn caller(name: &str) -> Caller {
    let (certificate, authority) = (Digest::of(name.as_bytes()), Digest::of(b"authority"));
    Caller { identity: identity(name), certificate, authority }
}

pub(crate) struct Town {
    pub(crate) exchange: Exchange,
    pub(crate) indexes: Indexes,
    pub(crate) spools: Spools,
    pub(crate) register: DatasetId,
    pub(crate) programme: ProgrammeId,
    threads: Option<Threads>,
    memory: Option<MemoryJournal>,
    now: Timestamp,
    witnesses: Option<WitnessRule>,
    residents: String,
    payments: String,
    folder: tempfile::TempDir,
}

fn files(residents: usize, lines: usize) -> (String, String) {
    let recipe = Recipe { residents, lines, mix: Mix::Typical, seed: 11 };
    let (mut residents, mut payments, mut truth, mut classes) =
        <(Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>)>::default();
    let files = Files {
        residents: &mut residents,
        payments: &mut payments,
        truth: &mut truth,
        classes: &mut classes,
    };
    generate(&recipe, files, &mut |_, _, _| {}).expect("a town");
    let text = |bytes: Vec<u8>| {
        // Registers are UTF-8, lists come as the old system writes them.
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| encoding_rs::SHIFT_JIS.decode(error.as_bytes()).0.into_owned());
        text.trim_start_matches('\u{feff}').to_owned()
    };
    (text(residents), text(payments))
}

impl Town {
    /// A town whose journal is a folder.
    pub(crate) fn new() -> Self {
        Self::found(None, files(300, 90))
    }

    /// A town of another size.
    pub(crate) fn of_size(residents: usize, lines: usize) -> Self {
        Self::found(None, files(residents, lines))
    }

    /// The same with another register and other rules.
    pub(crate) fn of_size_and_rules(
        (residents, lines): (usize, usize),
        change: fn(String) -> String,
        rules: fn(Rules) -> Rules,
    ) -> Self {
        let (residents, payments) = files(residents, lines);
        Self::ruled(None, (change(residents), payments), rules)
    }

    /// A town whose journal others can reach.
    pub(crate) fn over(journal: MemoryJournal) -> Self {
        Self::found(Some(journal), files(300, 90))
    }

    /// A town whose register is another one.
    pub(crate) fn of_residents(change: fn(String) -> String) -> Self {
        let (residents, payments) = files(300, 90);
        Self::found(None, (change(residents), payments))
    }

    /// A town whose programme has other rules.
    pub(crate) fn of_rules(rules: fn(Rules) -> Rules) -> Self {
        Self::ruled(None, files(300, 90), rules)
    }

    /// A town whose register is another one and whose programme has other rules.
    pub(crate) fn of_residents_and_rules(
        change: fn(String) -> String,
        rules: fn(Rules) -> Rules,
    ) -> Self {
        Self::of_size_and_rules((300, 90), change, rules)
    }

    fn found(memory: Option<MemoryJournal>, files: (String, String)) -> Self {
        Self::ruled(memory, files, |rules| rules)
    }

    fn ruled(
        memory: Option<MemoryJournal>,
        (residents, payments): (String, String),
        rules: fn(Rules) -> Rules,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let now = "2026-11-21T01:00:00Z".parse().expect("a time");
        let (exchange, threads) = open(folder.path(), memory.as_ref(), now, None);
        let nowhere = DatasetId::from_bytes([0; 16]);
        let mut town = Self {
            exchange,
            indexes: Indexes::default(),
            spools: Spools::default(),
            register: nowhere,
            programme: ProgrammeId::from_bytes([0; 16]),
            threads: Some(threads),
            memory,
            now,
            witnesses: None,
            residents,
            payments,
            folder,
        };
        town.settle(rules);
        town
    }

    /// Agencies, parties, the register, a programme, agreements.
    fn settle(&mut self, change: fn(Rules) -> Rules) {
        let call = || Call::read(caller("operator-1"));
        let permit = || self.permit::<Operate>("operator-1");
        for body in ["residents", "benefits", "treasury"] {
            let agency = format!("131016/{body}").parse().expect("an agency");
            let command = AddAgency { permit: permit(), agency, title: body.to_owned() };
            self.exchange.execute_now(call(), command).expect("an agency");
        }
        for (name, _, _, roles) in PARTIES {
            let roles = roles.iter().copied().collect();
            let command = AddParty { permit: permit(), identity: identity(name), roles };
            self.exchange.execute_now(call(), command).expect("a party");
        }
        let header = self.residents.lines().next().unwrap_or_default();
        let header: Vec<String> = header.split(',').map(|name| name.trim().to_owned()).collect();
        let known = renkei_exchange::rows::REGISTER_FIELDS.iter();
        let fields: BTreeSet<String> = known
            .filter(|field| renkei_tables::built_in_column(&header, field).is_some())
            .map(|&field| field.to_owned())
            .collect();
        let command = CreateDataset {
            permit: permit(),
            provider: "131016/residents".parse().expect("an agency"),
            name: "residents".parse().expect("a name"),
            title: "住民記録".to_owned(),
            fields: fields.clone(),
        };
        let register = self.exchange.execute_now(call(), command).expect("a register").reply;
        let rules = Rules {
            name: "benefit".parse().expect("a name"),
            title: "給付金".to_owned(),
            base_date: "2026-09-01".parse().expect("a day"),
            unit: PayeeUnit::Person,
            line_yen_max: 1_000_000,
            transfer_date: "2026-12-10".parse().expect("a day"),
            consignor: None,
            amount: None,
            decline_until: None,
            limits: ChangeLimits::default(),
        };
        let rules = change(rules);
        let agency = "131016/benefits".parse().expect("an agency");
        let key = self.key();
        let command = CreateProgramme { permit: permit(), agency, rules, key };
        let programme = self.exchange.execute_now(call(), command).expect("a programme").reply;
        let use_register = [Operation::Link, Operation::Identify, Operation::Review];
        self.agree("benefits", register, fields, &use_register, "residents-operator")
            .expect("an agreement");
        let list_fields = renkei_exchange::rows::LIST_FIELDS.iter().map(|&field| field.to_owned());
        let receive = [Operation::Deliver];
        self.agree("treasury", programme.1, list_fields.collect(), &receive, "certifier-2")
            .expect("an agreement");
        (self.register, self.programme) = (register, programme.0);
        self.upload_register();
        self.report(1, "宛名番号,支援措置\n").expect("nobody is protected");
    }

    /// Proposes, approves and activates; answers whether it is in force.
    pub(crate) fn agree(
        &self,
        consumer: &str,
        dataset: DatasetId,
        fields: BTreeSet<String>,
        operations: &[Operation],
        approver: &str,
    ) -> Result<(), Refusal> {
        self.agree_on(years::terms(consumer, dataset, fields, operations, "2027-03-31"), approver)
    }

    /// The same with terms of any kind.
    pub(crate) fn agree_on(&self, terms: Terms, approver: &str) -> Result<(), Refusal> {
        let call = |who: &str| Call::read(caller(who));
        let permit = |who: &str| self.permit::<Operate>(who);
        let propose = ProposeAgreement { permit: permit("operator-1"), terms };
        let proposed = self.exchange.execute_now(call("operator-1"), propose);
        let agreement = proposed.expect("a proposal").reply;
        let approve = ApproveAgreement { permit: permit(approver), agreement };
        self.exchange.execute_now(call(approver), approve).expect("an approval");
        let activate = |who: &str| ActivateAgreement { permit: permit(who), agreement };
        let same = self.exchange.execute_now(call("operator-1"), activate("operator-1"));
        assert_eq!(same.expect_err("who proposed it").reason, renkei_types::Reason::SamePerson);
        let other = self.exchange.execute_now(call("operator-2"), activate("operator-2"));
        other.map(|_| ())
    }

    pub(crate) fn today(&self) -> jiff::civil::Date {
        self.exchange.clock().today()
    }

    fn key(&self) -> renkei_types::DataKeyId {
        self.exchange.vault().create_key(self.exchange.clock().now()).expect("a key")
    }
}
