//! A town that is closed, from which others go on: what is the same for many need not happen again for each.

use jiff::Timestamp;
use renkei_exchange::index::Indexes;
use renkei_exchange::upload::Spools;
use renkei_types::{DatasetId, ProgrammeId};

use super::Town;
use super::ledger::{copy, open};

/// A town over a folder, as it was when it was closed.
pub(crate) struct KeptTown {
    register: DatasetId,
    programme: ProgrammeId,
    now: Timestamp,
    residents: String,
    payments: String,
    folder: tempfile::TempDir,
}

impl KeptTown {
    /// Closes a town that has no witnesses.
    pub(crate) fn of(mut town: Town) -> Self {
        assert!(town.memory.is_none() && town.witnesses.is_none(), "a town over a folder alone");
        town.close();
        let Town { register, programme, now, residents, payments, folder, .. } = town;
        Self { register, programme, now, residents, payments, folder }
    }

    /// A town that goes on from here by itself.
    pub(crate) fn go_on(&self) -> Town {
        let folder = tempfile::tempdir().expect("a folder");
        copy(self.folder.path(), folder.path());
        // A start is another one by how much its folder has: ids must not come again on the same day.
        let starts = fs_err::read_dir(folder.path()).expect("a folder").count();
        fs_err::create_dir(folder.path().join(format!("start-{starts}"))).expect("a folder");
        let (exchange, threads) = open(folder.path(), None, self.now, None);
        let town = Town {
            exchange,
            indexes: Indexes::default(),
            spools: Spools::default(),
            register: self.register,
            programme: self.programme,
            threads: Some(threads),
            memory: None,
            now: self.now,
            witnesses: None,
            residents: self.residents.clone(),
            payments: self.payments.clone(),
            folder,
        };
        town.follow();
        town
    }
}
