//! Single questions: whom of a register does a record mean?

use renkei_linkage::{Beginnings, Identification, Rows as LinkageRows};
use renkei_tables::{Schema, Side};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DatasetId, Digest, Reason, SnapshotId};

use crate::agreement::use_volume;
use crate::command::{Command, Decision, Desk};
use crate::directory::Content;
use crate::index::Indexed;
use crate::mark::Mark;
use crate::permit::{AskIdentity, Permit};
use crate::protection::Protected;
use crate::refusal::Refusal;
use crate::state::State;
use crate::subject::SubjectSet;

/// Longest value of a question, in bytes.
pub const VALUE_BYTES_MAX: usize = 1024;

/// The columns of a name: as written, and as read.
const NAME: [&str; 2] = ["name_kanji", "name_kana"];

/// What is known of somebody: values under canonical names.
#[derive(Clone, Debug, Default)]
pub struct Query {
    fields: Vec<String>,
    /// What is known of the name, as written and as read, where nothing else is.
    name: Option<[String; 2]>,
}

impl Query {
    /// A question with these values. An unknown name, a name that stands twice or a value that is too long is refused.
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refusal> {
        let schema = Schema::resident_payment();
        let mut columns: Vec<(&str, &str)> = Vec::new();
        for (name, value) in values {
            let known = schema
                .fields
                .iter()
                .any(|field| field.columns(Side::Register).iter().any(|column| column == name));
            let twice = columns.iter().any(|(other, _)| *other == name);
            if !known || twice || value.len() > VALUE_BYTES_MAX || name == "resident_id" {
                return Err(Refusal::field("record"));
            }
            columns.push((name, value.trim()));
        }
        let text = |field: &renkei_tables::schema::Field| {
            let values = field.columns(Side::Register).iter().filter_map(|name| {
                columns.iter().find(|(known, value)| known == name && !value.is_empty())
            });
            values.map(|(_, value)| *value).collect::<Vec<_>>().join(" ")
        };
        let name = NAME.map(|name| {
            let known = columns.iter().find(|(known, _)| *known == name);
            known.map_or(String::new(), |(_, value)| (*value).to_owned())
        });
        let alone = columns.iter().all(|(known, value)| value.is_empty() || NAME.contains(known));
        let fields = schema.fields.iter().map(text).collect();
        Ok(Self { fields, name: Some(name).filter(|_| alone) })
    }

    /// Asks a register.
    pub fn ask(&self, indexed: &Indexed) -> Identification {
        indexed.index.decide(self, &indexed.model)
    }

    /// Looks for residents as a clerk types: whose name begins so, where nothing but a name is known, and whom the record
    /// may mean. Of the name only those views count that may be shown.
    pub fn search(
        &self,
        indexed: &Indexed,
        protected: &Protected,
        may_be_shown: impl Fn(&str) -> bool,
        most: usize,
    ) -> Beginnings {
        let name = self.name.as_ref().map(|[written, kana]| {
            let shown = |at: usize, text: &str| match may_be_shown(NAME[at]) {
                true => text.to_owned(),
                false => String::new(),
            };
            (shown(0, written), shown(1, kana))
        });
        let mut found = name.map_or_else(Beginnings::default, |(written, kana)| {
            indexed.index.beginning_with(&written, &kana, most)
        });
        for candidate in self.ask_guarded(indexed, protected).candidates {
            if found.rows.len() < most && !found.rows.contains(&candidate.resident) {
                found.rows.push(candidate.resident);
            }
        }
        found
    }

    /// Asks a register so that the answer says nothing of where protected persons live: they are weighed as if the
    /// question had no place in it. So an address that is guessed weighs the same whether it is right or wrong. Both
    /// questions are asked, and looked through in the same way, whoever is found.
    pub fn ask_guarded(&self, indexed: &Indexed, protected: &Protected) -> Identification {
        let placeless = self.without_places().ask(indexed);
        let mut found = self.ask(indexed);
        let covered = |resident: u32| protected.covers(indexed.index.id(resident));
        let concerned = |one: &Identification| {
            // Where a rival is protected the decision would tell of them.
            one.candidates.iter().fold(false, |any, one| any | covered(one.resident))
        };
        let any = concerned(&found) | concerned(&placeless);
        let guarded = placeless.candidates.iter().filter(|one| covered(one.resident)).copied();
        let guarded: Vec<_> = guarded.collect();
        found.candidates.retain(|one| !covered(one.resident));
        found.candidates.extend(guarded);
        found.candidates.sort_by(|one, other| {
            let by_id = || indexed.index.id(one.resident).cmp(indexed.index.id(other.resident));
            other.weight.cmp(&one.weight).then_with(by_id)
        });
        if any { Identification { decision: placeless.decision, ..found } } else { found }
    }

    /// The same question without what says where somebody lives.
    fn without_places(&self) -> Self {
        let schema = Schema::resident_payment();
        let place = |field: &renkei_tables::schema::Field| {
            let columns = field.columns(Side::Register);
            columns.iter().any(|column| crate::shown::WITHHELD.contains(&column.as_str()))
        };
        let fields = schema.fields.iter().zip(&self.fields);
        let fields = fields.map(|(field, text)| match place(field) {
            true => String::new(),
            false => text.clone(),
        });
        Self { fields: fields.collect(), name: None }
    }
}

impl LinkageRows for Query {
    fn len(&self) -> usize {
        1
    }

    fn id(&self, _: usize) -> &str {
        ""
    }

    fn text<'a>(&'a self, field: usize, _: usize, _: &'a mut String) -> &'a str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

impl State {
    /// The snapshot of a register that is in use.
    pub fn snapshot_in_use(&self, dataset: DatasetId) -> Result<SnapshotId, Refusal> {
        match self.datasets.get(&dataset).map(|dataset| dataset.content) {
            Some(Content::Register(Some(snapshot))) => Ok(snapshot),
            Some(Content::Register(None)) => {
                self.check_provided(dataset)?;
                Err(Reason::NoRegister.into())
            }
            Some(Content::Deliveries(_)) | None => Err(Reason::NoAgreement.into()),
        }
    }
}

/// Notes that a question was asked, before it is answered.
#[derive(Debug)]
pub struct Asked {
    /// That the caller may.
    pub permit: Permit<AskIdentity>,
    /// The register.
    pub dataset: DatasetId,
    /// Its snapshot.
    pub snapshot: SnapshotId,
    /// The model that weighed.
    pub model: Digest,
    /// Who will be answered.
    pub candidates: SubjectSet,
}

impl Command for Asked {
    type Reply = ();
    const METHOD: &'static str = "Identify";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        // Also a question that finds nobody counts, or the volume could be sounded out for nothing.
        let candidates = self.candidates.len();
        use_volume(desk, &self.permit, candidates.max(1))?;
        let mark = Mark::ok(Operation::QuerySingle)
            .of_dataset(self.dataset)
            .of_snapshot(self.snapshot)
            .by_model(self.model)
            .under(&self.permit)
            .count(Counter::Out, candidates);
        Ok(Decision::concerning((), mark, self.candidates.clone()))
    }
}
