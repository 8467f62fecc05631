//! The lines of a sealed list as the engine wants them: read once, for a job, an estimate, a training or an evaluation.

use std::collections::BTreeMap;
use std::sync::Arc;

use renkei_linkage::{Linkable, ListIntake, RegisterIndex};
use renkei_tables::Side;
use renkei_types::{Reason, Yen};

use crate::index::ChunkView;
use crate::list::SealedList;
use crate::refusal::Refusal;
use crate::rows;
use crate::store::Vault;

/// A sealed list, ready to be linked.
#[derive(Debug)]
pub struct Lines {
    /// The lines beside the register.
    pub linkable: Linkable,
    /// Lines that take no part, and why.
    pub rejected: BTreeMap<u32, Reason>,
    /// The amount of each line; 0 where it cannot be read.
    pub yen: Vec<u64>,
}

impl Lines {
    /// Reads a list. Blocks: for threads that may wait.
    pub fn read(
        vault: &Vault,
        sealed: &SealedList,
        index: &Arc<RegisterIndex>,
    ) -> Result<Self, Refusal> {
        let reader = sealed.rows.open(vault)?;
        let view = ChunkView::new(&sealed.rows, Side::List);
        let amount = sealed.rows.column("amount");
        let mut intake = ListIntake::new(Arc::clone(index));
        let mut yen: Vec<u64> = Vec::new();
        for number in 0..sealed.rows.chunks() {
            let chunk = rows::chunk(&reader, number)?;
            intake.extend(&view.of(&chunk));
            let cell = |row| amount.map_or("", |column| chunk.cell(column, row));
            // A list is sealed only when every amount can be read.
            yen.extend((0..chunk.rows()).map(|row| Yen::read(cell(row)).map_or(0, |yen| yen.0)));
        }
        let mut rejected = BTreeMap::new();
        for line in rows::rejected(&reader, &sealed.rows)? {
            let reason = Reason::ALL.iter().find(|reason| reason.as_str() == line.reason);
            rejected.insert(line.row, *reason.ok_or(Reason::Internal)?);
        }
        Ok(Self { linkable: intake.seal(), rejected, yen })
    }

    /// How many lines take part.
    pub fn taking_part(&self) -> usize {
        self.linkable.list_lines() - self.rejected.len()
    }
}
