//! A town with a small register, known people and every role, over real folders and no network.

#![allow(dead_code, reason = "every test file uses a part of it")]

pub(crate) mod records;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use renkei_exchange::agreement::{
    ActivateAgreement, ApproveAgreement, LegalBasis, ProposeAgreement, Telling, Terms,
};
use renkei_exchange::batch::{Payment, Proposed, Signed, certify, payments, propose};
use renkei_exchange::command::Call;
use renkei_exchange::delivery::{Acknowledge, Deliver};
use renkei_exchange::delta::{self, AppliedDelta};
use renkei_exchange::directory::{AddAgency, AddParty, CreateDataset};
use renkei_exchange::index::Indexes;
use renkei_exchange::job::CreateJob;
use renkei_exchange::ledger::Threads;
use renkei_exchange::link_code::Naming;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{
    Certify, DecideLines, Link, Operate, Permit, Receive, Right, Submit,
};
use renkei_exchange::programme::{
    ChangeLimits, CreateProgramme, ListKind, OpenList, PayeeUnit, Rules,
};
use renkei_exchange::protection::{self, Protected, Reported};
use renkei_exchange::reconcile::{Reconciliation, reconcile};
use renkei_exchange::review::{Claim, Decide, Verdict};
use renkei_exchange::seal::{Declaration, Sealed, seal};
use renkei_exchange::shown::Withheld;
use renkei_exchange::store::Vault;
use renkei_exchange::subject::{Handles, Said, SubjectSet};
use renkei_exchange::supersede::Supersedes;
use renkei_exchange::upload::{Brings, FileEncoding, FileShape, OpenUpload, Spools};
use renkei_exchange::{
    Caller, Charter, Equipment, Exchange, HandedKeys, Operation, Refusal, Role, Store, StorePaths,
    WitnessRule, run, shown,
};
use renkei_journal::{Journal, LocalJournal, MemoryJournal, Options};
use renkei_linkage::Unwatched;
use renkei_testkit::{Files, Mix, Recipe, generate};
use renkei_tlog::{Leaf, LogFolder};
use renkei_types::{
    BatchId, Clock, DatasetId, Digest, FixedClock, Identity, LinkageJobId, ListId, ProgrammeId,
    SeededEntropy, UploadId, Yen,
};
use sha2::{Digest as _, Sha256};

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

/// A delta on its way.
pub(crate) struct SentDelta {
    permit: Permit<Submit>,
    pub(crate) upload: UploadId,
    declared: Declaration,
}

impl SentDelta {
    /// The same, but what is declared is said of other bytes.
    pub(crate) fn of_other_bytes(&self) -> Self {
        let declared = Declaration { sha256: [7; 32], ..self.declared };
        Self { permit: self.permit.clone(), upload: self.upload, declared }
    }
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
        let (residents, payments) = files(300, 90);
        Self::ruled(None, (change(residents), payments), rules)
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
        let terms = Terms {
            consumer: format!("131016/{consumer}").parse().expect("an agency"),
            dataset,
            basis: LegalBasis::OwnDuties,
            purpose: "benefit-2026".parse().expect("a code"),
            fields,
            operations: operations.iter().copied().collect(),
            valid_from: "2026-01-01".parse().expect("a day"),
            valid_until: "2027-03-31".parse().expect("a day"),
            daily_records_max: 1_000_000,
            retention_days: 365,
            told: Telling::AtOnce,
        };
        self.agree_on(terms, approver)
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

    fn upload_register(&self) {
        let lines = self.residents.lines().count() as u64 - 1;
        let bytes = self.residents.as_bytes();
        self.try_snapshot(bytes, FileEncoding::Auto, lines).expect("a snapshot");
        self.follow();
    }

    fn send_and_seal(
        &self,
        permit: Permit<Submit>,
        who: &str,
        upload: UploadId,
        bytes: impl AsRef<[u8]>,
        totals: Totals,
    ) -> Result<Sealed, Refusal> {
        let declared = self.send(upload, bytes)?(totals);
        let call = Call::read(caller(who));
        seal(&self.exchange, &self.spools, call, permit, upload, declared).map(|done| done.reply)
    }

    /// Sends a file; answers what is declared of it.
    fn send(
        &self,
        upload: UploadId,
        bytes: impl AsRef<[u8]>,
    ) -> Result<impl FnOnce(Totals) -> Declaration + 'static, Refusal> {
        let bytes = bytes.as_ref();
        let state = self.exchange.state();
        let known = state.uploads.get(&upload).expect("the upload");
        let spool = self.spools.of(self.exchange.vault(), upload, known)?;
        let entropy = SeededEntropy::new(3);
        for (at, piece) in bytes.chunks(1000).enumerate() {
            let mut spool = spool.lock();
            let spool = spool.as_mut().expect("an open spool");
            spool.append(at as u64 * 1000, piece, &entropy).expect("bytes are taken");
        }
        let sha256 = Sha256::digest(bytes).into();
        let bytes = bytes.len() as u64;
        Ok(move |totals| Declaration { bytes, sha256, totals })
    }

    /// The register's file.
    pub(crate) fn residents(&self) -> &str {
        &self.residents
    }

    /// Replaces the register by another file.
    pub(crate) fn replace_register(&mut self, residents: String) {
        self.residents = residents;
        self.upload_register();
    }

    /// A delta that has been sent, to be applied: what `apply` needs beside the call.
    pub(crate) fn sent_delta(&self, number: u64, text: &str) -> Result<SentDelta, Refusal> {
        self.sent(Brings::Delta(number), text)
    }

    /// Reports who is protected.
    pub(crate) fn report(&self, number: u64, text: &str) -> Result<Reported, Refusal> {
        let SentDelta { permit, upload, declared } = self.sent(Brings::Protection(number), text)?;
        let call = Call::read(caller("register"));
        protection::report(&self.exchange, &self.spools, call, permit, upload, declared)
            .map(|done| done.reply)
    }

    /// These persons of the register, as answers to a question.
    pub(crate) fn answered<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> SubjectSet {
        self.said(Said::Answered, ids)
    }

    fn said<'a>(&self, said: Said, ids: impl IntoIterator<Item = &'a str>) -> SubjectSet {
        let handles = Handles::of_today(&self.exchange, self.register).expect("handles");
        SubjectSet::new(&handles, self.exchange.vault().entropy(), said, ids)
    }

    /// Who of the register is protected now.
    pub(crate) fn protected(&self) -> Protected {
        let (state, now) = (self.exchange.state(), self.exchange.clock().now());
        self.indexes.protected(&state, self.exchange.vault(), self.register, now)
    }

    fn sent(&self, brings: Brings, text: &str) -> Result<SentDelta, Refusal> {
        let permit = self.permit_submit_register();
        let shape = FileShape { encoding: FileEncoding::Auto, layout: None };
        let (dataset, key) = (self.register, self.key());
        let command = OpenUpload { permit: permit.clone(), dataset, brings, shape, key };
        let call = Call::read(caller("register"));
        let upload = self.exchange.execute_now(call, command)?.reply;
        let declared = self.send(upload, text)?;
        let lines = text.lines().count() as u64 - 1;
        Ok(SentDelta { permit, upload, declared: declared(Totals { lines, yen: 0 }) })
    }

    /// Sends a delta and applies it.
    pub(crate) fn apply(&self, number: u64, text: &str) -> Result<AppliedDelta, Refusal> {
        let sent = self.sent_delta(number, text)?;
        self.apply_sent(&sent, &Call::read(caller("register")))
    }

    pub(crate) fn apply_sent(
        &self,
        sent: &SentDelta,
        call: &Call,
    ) -> Result<AppliedDelta, Refusal> {
        let SentDelta { permit, upload, declared } = sent;
        let (exchange, spools, indexes) = (&self.exchange, &self.spools, &self.indexes);
        delta::apply(exchange, spools, indexes, call, permit, *upload, *declared)
            .map(|done| done.reply)
    }

    pub(crate) fn permit_submit_register(&self) -> Permit<Submit> {
        let state = self.exchange.state();
        let owner = state.datasets.get(&self.register).map(|dataset| dataset.provider.clone());
        state.permit_own::<Submit>(&caller("register"), owner.as_ref()).expect("a permit")
    }

    /// Begins a snapshot.
    fn open_snapshot(&self, encoding: FileEncoding) -> Result<UploadId, Refusal> {
        let (permit, shape) = (self.permit_submit_register(), FileShape { encoding, layout: None });
        let (dataset, key) = (self.register, self.key());
        let command = OpenUpload { permit, dataset, brings: Brings::Snapshot, shape, key };
        self.exchange.execute_now(Call::read(caller("register")), command).map(|done| done.reply)
    }

    /// Tries a snapshot of any bytes, said to be in some encoding.
    pub(crate) fn try_snapshot(
        &self,
        bytes: &[u8],
        encoding: FileEncoding,
        lines: u64,
    ) -> Result<Sealed, Refusal> {
        let upload = self.open_snapshot(encoding)?;
        let permit = self.permit_submit_register();
        self.send_and_seal(permit, "register", upload, bytes, Totals { lines, yen: 0 })
    }

    /// Tries a snapshot whose second half is not that of the file that is declared.
    pub(crate) fn try_mixed_snapshot(&self) -> Result<Sealed, Refusal> {
        let permit = self.permit_submit_register();
        let call = || Call::read(caller("register"));
        let upload = self.open_snapshot(FileEncoding::Auto)?;
        let lines = self.residents.lines().count() as u64 - 1;
        let declared = self.send(upload, &self.residents)?(Totals { lines, yen: 0 });
        let other = self.residents.replace('1', "2");
        let half = self.residents.len() / 2;
        let mixed = [&self.residents.as_bytes()[..half], &other.as_bytes()[half..]].concat();
        let declared = Declaration { sha256: Sha256::digest(&mixed).into(), ..declared };
        seal(&self.exchange, &self.spools, call(), permit, upload, declared).map(|done| done.reply)
    }

    /// Loads what the state says is in use.
    pub(crate) fn follow(&self) {
        let (state, clock) = (self.exchange.state(), self.exchange.clock());
        self.indexes.follow(&state, self.exchange.vault(), clock.as_ref()).expect("indexes");
    }

    /// The first lines of the payment list.
    pub(crate) fn payments(&self, lines: usize) -> String {
        self.payments.split_inclusive('\n').take(lines + 1).collect()
    }

    /// The same lines from the last to the first.
    pub(crate) fn shuffled_payments(&self, lines: usize) -> String {
        let mut all: Vec<&str> = self.payments.split_inclusive('\n').take(lines + 1).collect();
        all[1..].reverse();
        all.concat()
    }

    pub(crate) fn totals_of(&self, payments: &str) -> Totals {
        let mut lines = payments.lines();
        let header = lines.next().unwrap_or_default();
        let amount = header.split(',').position(|name| name.trim() == "支給額").expect("an amount");
        let mut totals = Totals::default();
        for line in lines {
            let mut reader = renkei_tables::TableReader::from_bytes(
                format!("{header}\n{line}\n").into_bytes(),
                "line",
                &renkei_tables::ReadOptions::default(),
            )
            .expect("a line");
            let batch = reader.next_batch().expect("a line").expect("a row");
            totals.add(Yen::read(batch.cell(amount, 0)).expect("an amount").0);
        }
        totals
    }

    pub(crate) fn try_seal_list(
        &self,
        name: &str,
        payments: &str,
        totals: Totals,
    ) -> Result<ListId, Refusal> {
        self.try_seal_list_over(name, payments, totals, None)
    }

    /// The same for a list that takes the place of another.
    pub(crate) fn try_seal_list_over(
        &self,
        name: &str,
        payments: &str,
        totals: Totals,
        supersedes: Option<Supersedes>,
    ) -> Result<ListId, Refusal> {
        let (list, upload) = self.open_list(name, supersedes)?;
        let permit = self.permit_own::<Submit>("payments");
        self.send_and_seal(permit, "payments", upload, payments, totals)?;
        Ok(list)
    }

    /// Opens a list without sending anything.
    pub(crate) fn open_list(
        &self,
        name: &str,
        supersedes: Option<Supersedes>,
    ) -> Result<(ListId, UploadId), Refusal> {
        self.open_list_of_kind(name, supersedes, None)
    }

    pub(crate) fn open_list_of_kind(
        &self,
        name: &str,
        supersedes: Option<Supersedes>,
        kind: Option<ListKind>,
    ) -> Result<(ListId, UploadId), Refusal> {
        let permit = || self.permit_own::<Submit>("payments");
        let shape = FileShape { encoding: FileEncoding::Auto, layout: None };
        let name = name.parse().expect("a name");
        let open = OpenList {
            permit: permit(),
            programme: self.programme,
            name,
            shape,
            supersedes,
            kind,
            key: self.key(),
        };
        let call = Call::read(caller("payments"));
        self.exchange.execute_now(call, open).map(|done| done.reply)
    }

    /// Sends the bytes of a list and seals it.
    pub(crate) fn seal_list(
        &self,
        upload: UploadId,
        payments: &str,
        totals: Totals,
    ) -> Result<Sealed, Refusal> {
        let permit = self.permit_own::<Submit>("payments");
        self.send_and_seal(permit, "payments", upload, payments, totals)
    }

    /// A list that takes the place of another, linked.
    pub(crate) fn corrected_list(
        &self,
        name: &str,
        payments: &str,
        supersedes: Supersedes,
    ) -> ListId {
        let totals = self.totals_of(payments);
        let list = self.try_seal_list_over(name, payments, totals, Some(supersedes));
        let list = list.expect("a sealed list");
        self.link(list);
        list
    }

    /// A list of the first lines, linked.
    pub(crate) fn linked_list(&self, name: &str, lines: usize) -> ListId {
        self.linked_list_of(name, &self.payments(lines))
    }

    pub(crate) fn linked_list_of(&self, name: &str, payments: &str) -> ListId {
        let (list, job) = self.queued_job_of(name, payments);
        run::run(&self.exchange, &self.indexes, job, &Unwatched).expect("a result");
        list
    }

    /// A list of the first lines, and a job that waits.
    pub(crate) fn queued_job(&self, name: &str, lines: usize) -> (ListId, LinkageJobId) {
        self.queued_job_of(name, &self.payments(lines))
    }

    fn queued_job_of(&self, name: &str, payments: &str) -> (ListId, LinkageJobId) {
        let totals = self.totals_of(payments);
        let list = self.try_seal_list(name, payments, totals).expect("a sealed list");
        self.queued(list)
    }

    pub(crate) fn link(&self, list: ListId) {
        let (_, job) = self.queued(list);
        run::run(&self.exchange, &self.indexes, job, &Unwatched).expect("a result");
    }

    fn queued(&self, list: ListId) -> (ListId, LinkageJobId) {
        let state = self.exchange.state();
        let owner = state.owner_of_list(list);
        let today = self.exchange.clock().today();
        let permit = state
            .permit_own_with_dataset::<Link>(&caller("payments"), owner, Some(self.register), today)
            .expect("a permit");
        let command = CreateJob { permit, list, dataset: self.register };
        let call = Call::read(caller("payments"));
        let job = self.exchange.execute_now(call, command).expect("a job").reply;
        (list, job)
    }

    /// The next entry of the feed reaches the treasury, which acknowledges it.
    pub(crate) fn deliver_and_acknowledge(&self) -> BatchId {
        let programme = self.programme;
        let state = self.exchange.state();
        let number = state.programmes.get(&programme).expect("the programme").acknowledged + 1;
        let permit = || self.permit_dataset::<Receive>("transfers", self.deliveries());
        let call = || Call::read(caller("transfers"));
        let deliver = Deliver { permit: permit(), programme, number };
        let batch = self.exchange.execute_now(call(), deliver).expect("an entry").reply;
        let totals = state.batches.get(&batch).expect("the batch").totals;
        let acknowledge = Acknowledge { permit: permit(), programme, number, totals };
        self.exchange.execute_now(call(), acknowledge).expect("an acknowledgement");
        batch
    }

    /// A list's lines that are certified, delivered and acknowledged.
    pub(crate) fn pay(&self, list: ListId) -> BatchId {
        let batch = self.certify(list).expect("two signatures");
        assert_eq!(self.deliver_and_acknowledge(), batch);
        batch
    }

    /// What a batch pays.
    pub(crate) fn paid(&self, batch: BatchId) -> Vec<Payment> {
        let state = self.exchange.state();
        let batch = state.batches.get(&batch).expect("the batch");
        payments(self.exchange.vault(), batch).expect("payments")
    }

    /// Lines and yen of a list, which must be what was declared.
    pub(crate) fn sheet(&self, list: ListId) -> Reconciliation {
        let sheet = self.exchange.ask_now(move |desk| reconcile(desk, list)).expect("a sheet");
        assert!(sheet.is_balanced(), "{sheet:?}");
        sheet
    }

    /// Decides every open task: the first candidate that no line holds, else nobody.
    pub(crate) fn decide_all(&self, list: ListId, clerk: &str) {
        let call = || Call::read(caller(clerk));
        loop {
            let claim = Claim {
                permit: self.permit_review(clerk, list),
                list,
                parked: false,
                duration: std::time::Duration::from_secs(60),
                records_max: 10,
            };
            let claimed = self.exchange.execute_now(call(), claim).expect("a claim").reply;
            let Some(claimed) = claimed else { return };
            let place = claimed.place;
            let book = self.exchange.ask_now(move |desk| desk.book(list)).expect("the book");
            let row = book.task_rows()[place.number as usize];
            let state = self.exchange.state();
            let permit = self.permit_review(clerk, list);
            let naming = Naming::under(&self.exchange, &permit, self.register).expect("names");
            let protected = self.protected();
            let withheld = Withheld { naming: &naming, protected: &protected };
            let shown = shown::task(self.exchange.vault(), &state, &permit, withheld, place, row);
            let shown = shown.expect("the task");
            let free = shown.candidates.iter().find(|one| book.holder(one.row).is_none());
            let snapshot = state.linked_list(list).expect("the list").1.snapshot;
            let indexed = self.indexes.get(snapshot).expect("the register");
            let verdict = free.map_or(Verdict::Nobody, |one| {
                let id = indexed.index.id(one.row).to_owned();
                let subject = self.said(Said::LinkedByClerk, [id.as_str()]);
                Verdict::Person { row: one.row, id, subject }
            });
            let version = claimed.version;
            let decide = Decide { permit, place, version, verdict, revises: false };
            match self.exchange.execute_now(call(), decide) {
                Ok(_) => {}
                // Somebody whom another list pays: the line repeats that application.
                Err(refused) if refused.reason == renkei_types::Reason::AlreadyPaid => {
                    let permit = self.permit_review(clerk, list);
                    let verdict = Verdict::Duplicate;
                    let decide = Decide { permit, place, version, verdict, revises: false };
                    self.exchange.execute_now(call(), decide).expect("a decision");
                }
                Err(refused) => panic!("{refused}"),
            }
        }
    }

    /// Two signatures under all payable lines of a list.
    pub(crate) fn certify(&self, list: ListId) -> Result<BatchId, Refusal> {
        let batch = self.propose("certifier-1", list)?.batch;
        self.sign("certifier-2", list, batch)
    }

    /// The first signature.
    pub(crate) fn propose(&self, who: &str, list: ListId) -> Result<Proposed, Refusal> {
        let (permit, call) = (self.permit_own::<Certify>(who), Call::read(caller(who)));
        propose(&self.exchange, &self.indexes, &call, &permit, list).map(|done| done.reply)
    }

    /// The second signature, under the batch as it is.
    pub(crate) fn sign(&self, who: &str, list: ListId, batch: BatchId) -> Result<BatchId, Refusal> {
        let digest = self.exchange.state().batches.get(&batch).expect("the batch").digest;
        self.sign_digest(who, Signed { list, batch, digest })
    }

    /// The second signature, under something else.
    pub(crate) fn sign_digest(&self, who: &str, signed: Signed) -> Result<BatchId, Refusal> {
        let (permit, call) = (self.permit_own::<Certify>(who), Call::read(caller(who)));
        certify(&self.exchange, &self.indexes, call, permit, signed).map(|done| done.reply)
    }

    /// The dataset under which the programme's deliveries are agreed on.
    pub(crate) fn deliveries(&self) -> DatasetId {
        self.exchange.state().programmes.get(&self.programme).expect("the programme").dataset
    }

    pub(crate) fn permit<R: Right>(&self, who: &str) -> Permit<R> {
        self.exchange.state().permit(&caller(who)).expect("a permit")
    }

    pub(crate) fn permit_own<R: Right>(&self, who: &str) -> Permit<R> {
        let state = self.exchange.state();
        let owner = &state.programmes.get(&self.programme).expect("the programme").agency;
        state.permit_own(&caller(who), Some(owner)).expect("a permit")
    }

    pub(crate) fn permit_dataset<R: Right>(&self, who: &str, dataset: DatasetId) -> Permit<R> {
        let today = self.exchange.clock().today();
        let state = self.exchange.state();
        state.permit_dataset(&caller(who), Some(dataset), None, today).expect("a permit")
    }

    pub(crate) fn permit_review(&self, who: &str, list: ListId) -> Permit<DecideLines> {
        self.permit_over_list(who, list)
    }

    pub(crate) fn permit_over_list<R: Right>(&self, who: &str, list: ListId) -> Permit<R> {
        let (state, today) = (self.exchange.state(), self.exchange.clock().today());
        let owner = state.owner_of_list(list);
        let permit = state.permit_own_with_dataset(&caller(who), owner, Some(self.register), today);
        permit.expect("a permit")
    }

    pub(crate) fn today(&self) -> jiff::civil::Date {
        self.exchange.clock().today()
    }

    fn key(&self) -> renkei_types::DataKeyId {
        self.exchange.vault().create_key(self.exchange.clock().now()).expect("a key")
    }

    pub(crate) fn paths(&self) -> StorePaths {
        paths(self.folder.path())
    }

    /// Every leaf of the log so far.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(self.exchange.checkpoint()).expect("a checkpoint");
        self.leaves_unsigned()
    }

    /// The same where nothing is signed. Whoever has asked for a checkpoint knows that all that was before it is there.
    pub(crate) fn leaves_unsigned(&self) -> Vec<Leaf> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let leaves = runtime.block_on(async {
            let _ = self.exchange.checkpoint().await;
            let all = |log: &LogFolder| log.leaves(0..log.size()).collect::<Result<Vec<_>, _>>();
            self.exchange.read_log(all).await.expect("leaves")
        });
        leaves.iter().map(|leaf| Leaf::parse(leaf).expect("a leaf")).collect()
    }

    /// Digest of everything that the state says, but for the starts of the broker.
    pub(crate) fn digest(&self) -> Digest {
        self.exchange.state().digest().expect("a digest")
    }

    /// Ends the ledger and waits until everything is written.
    pub(crate) fn close(&mut self) {
        let journal = MemoryJournal::new();
        let elsewhere = tempfile::tempdir().expect("a folder");
        let (other, other_threads) = open(elsewhere.path(), Some(&journal), self.now, None);
        drop(std::mem::replace(&mut self.exchange, other));
        if let Some(threads) = self.threads.replace(other_threads) {
            threads.join();
        }
    }

    /// Where the keys are.
    pub(crate) fn keys(&self) -> std::path::PathBuf {
        paths(self.folder.path()).keys
    }

    /// Opens the ledger again.
    pub(crate) fn reopen(&mut self) {
        let rule = self.witnesses.clone();
        let (exchange, threads) = open(self.folder.path(), self.memory.as_ref(), self.now, rule);
        self.exchange = exchange;
        self.threads = Some(threads);
    }

    pub(crate) fn restart(&mut self) {
        self.close();
        self.reopen();
    }

    /// The same on another day, at noon in Japan.
    pub(crate) fn restart_on(&mut self, day: &str) {
        self.now = format!("{day}T03:00:00Z").parse().expect("a day");
        self.restart();
    }

    /// The same so many hours later, with witnesses who have to cosign from now on.
    pub(crate) fn restart_witnessed(&mut self, hours: i64, rule: &WitnessRule) {
        self.now += jiff::SignedDuration::from_hours(hours);
        self.witnesses = Some(rule.clone());
        self.restart();
    }
}

fn paths(folder: &std::path::Path) -> StorePaths {
    StorePaths {
        store: folder.join("store"),
        keys: folder.join("keys"),
        handed: HandedKeys::default(),
    }
}

fn open(
    folder: &std::path::Path,
    memory: Option<&MemoryJournal>,
    now: Timestamp,
    witnesses: Option<WitnessRule>,
) -> (Exchange, Threads) {
    let clock = Arc::new(FixedClock(now));
    open_witnessed(folder, memory, clock, equipment("usual"), witnesses)
}

/// Digests of a configuration and of certificates that go by this name.
pub(crate) fn equipment(name: &str) -> Equipment {
    let digest = |what: &str| Digest::of(format!("{what} {name}").as_bytes());
    Equipment { config: digest("configuration"), credentials: digest("certificates") }
}

/// Opens an exchange with its own clock and equipment.
pub(crate) fn open_with(
    folder: &std::path::Path,
    memory: Option<&MemoryJournal>,
    clock: Arc<dyn Clock + Send + Sync>,
    equipment: Equipment,
) -> (Exchange, Threads) {
    open_witnessed(folder, memory, clock, equipment, None)
}

fn open_witnessed(
    folder: &std::path::Path,
    memory: Option<&MemoryJournal>,
    clock: Arc<dyn Clock + Send + Sync>,
    equipment: Equipment,
    witnesses: Option<WitnessRule>,
) -> (Exchange, Threads) {
    let paths = paths(folder);
    // Another seed at each start: ids must not come again.
    let starts = fs_err::read_dir(folder).map_or(0, Iterator::count) as u64;
    let seed = starts + memory.map_or(0, |journal| journal.last().0);
    let entropy = Arc::new(SeededEntropy::new(seed));
    let vault = Vault::open(&paths, entropy.clone()).expect("a vault");
    let journal: Box<dyn Journal> = match memory {
        Some(journal) => Box::new(journal.clone()),
        None => {
            let folder = paths.store.join("journal");
            fs_err::create_dir_all(&folder).expect("a folder");
            Box::new(LocalJournal::open(&folder, Options::default()).expect("a journal").journal)
        }
    };
    let store = Store { journal, vault: Arc::new(vault), paths, clock, entropy };
    let charter = Charter {
        founders: vec![identity("operator-1")],
        log_origin: "renkei.example/renkei-audit/131016".to_owned(),
        checkpoint_interval: std::time::Duration::from_millis(50),
        equipment,
        witnesses,
    };
    Exchange::open(store, &charter).expect("an exchange")
}
