//! Single questions: whom of a register does a record mean?

use renkei_linkage::{Identification, Rows as LinkageRows};
use renkei_tables::{Schema, Side};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DatasetId, Digest, Reason, SnapshotId};

use crate::agreement::use_volume;
use crate::command::{Command, Decision, Desk};
use crate::directory::Content;
use crate::index::Indexed;
use crate::mark::Mark;
use crate::permit::{AskIdentity, Permit};
use crate::refusal::Refusal;
use crate::state::State;

/// Longest value of a question, in bytes.
pub const VALUE_BYTES_MAX: usize = 1024;

/// What is known of somebody: values under canonical names.
#[derive(Clone, Debug, Default)]
pub struct Query {
    fields: Vec<String>,
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
        Ok(Self { fields: schema.fields.iter().map(text).collect() })
    }

    /// Asks a register.
    pub fn ask(&self, indexed: &Indexed) -> Identification {
        indexed.index.decide(self, &indexed.model)
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
            Some(Content::Register(None)) => Err(Reason::NoRegister.into()),
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
    /// How many candidates will be answered.
    pub candidates: u64,
}

impl Command for Asked {
    type Reply = ();
    const METHOD: &'static str = "Identify";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        // Also a question that finds nobody counts, or the volume could be sounded out for nothing.
        use_volume(desk, &self.permit, self.candidates.max(1))?;
        let mark = Mark::ok(Operation::QuerySingle)
            .of_dataset(self.dataset)
            .of_snapshot(self.snapshot)
            .by_model(self.model)
            .under(&self.permit)
            .count(Counter::Out, self.candidates);
        Ok(Decision::new((), mark))
    }
}
