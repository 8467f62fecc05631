//! The sample, linked once for all tests, and links of parts of it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::sample::{payments, residents, truth};
use crate::support::{Folder, Run, Sheet, cp932, renkei, shared_folder};

pub(crate) const COLUMNS: [&str; 6] =
    ["list_id", "register_id", "outcome", "probability", "match_weight", "reason"];

/// The sample, linked once by four threads.
pub(crate) struct Linked {
    pub(crate) folder: PathBuf,
    pub(crate) run: Run,
    pub(crate) links: Sheet,
}

impl Linked {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn digest(&self) -> Value {
        self.run.json()["result_digest"].clone()
    }
}

pub(crate) fn linked() -> &'static Linked {
    static LINKED: OnceLock<Linked> = OnceLock::new();
    LINKED.get_or_init(|| {
        let folder = shared_folder("link-sample");
        let run = link(&folder, "links.csv", &residents(), &payments(), |run| {
            run.option("--candidates", folder.join("candidates.csv"));
            run.option("--save-model", folder.join("model.toml"));
            run.option("--report", folder.join("report.html"));
            run.option("--threads", "4");
        })
        .exits(0);
        let links = Sheet::read(&folder.join("links.csv"));
        Linked { folder, run, links }
    })
}

/// Arguments as they are collected.
pub(crate) struct Arguments(pub(crate) Vec<std::ffi::OsString>);

impl Arguments {
    pub(crate) fn flag(&mut self, name: &str) {
        self.0.push(name.into());
    }

    pub(crate) fn option(&mut self, name: &str, value: impl Into<std::ffi::OsString>) {
        self.0.extend([name.into(), value.into()]);
    }
}

/// Links into a file of the folder.
pub(crate) fn link(
    folder: &Path,
    output: &str,
    register: &Path,
    list: &Path,
    more: impl FnOnce(&mut Arguments),
) -> Run {
    let mut arguments = Arguments(vec!["link".into(), "--json".into()]);
    arguments.option("--register", register);
    arguments.option("--list", list);
    arguments.option("--output", folder.join(output));
    more(&mut arguments);
    renkei(arguments.0)
}

/// Links some lines of the sample into `links.csv` of a new folder.
pub(crate) fn link_some(
    lines: &Sheet,
    more: impl FnOnce(&mut Arguments, &Folder),
) -> (Folder, Run) {
    let folder = Folder::new();
    let list = folder.write("some.csv", cp932(&lines.csv()));
    let place = folder.path("");
    let run = link(&place, "links.csv", &residents(), &list, |arguments| more(arguments, &folder));
    (folder, run)
}

pub(crate) fn evaluate(predictions: &Path) -> Value {
    renkei([
        "evaluate".as_ref(),
        "--json".as_ref(),
        "--predictions".as_ref(),
        predictions.as_os_str(),
        "--truth".as_ref(),
        truth().as_os_str(),
    ])
    .exits(0)
    .json()
}

/// Every so many-th line of the list that is no second application: cut out, it stands for itself.
pub(crate) fn cut(every: usize, lines: usize) -> Sheet {
    cut_from(0, every, lines)
}

/// The same from some row on.
pub(crate) fn cut_from(first: usize, every: usize, lines: usize) -> Sheet {
    let list = Sheet::read(&payments());
    let outcomes = linked().links.cells("outcome");
    let rows = (first..list.rows.len()).step_by(every);
    list.some(rows.filter(|&row| outcomes[row] != "DUPLICATE").take(lines))
}

/// Whether a text is a number with so many decimals.
pub(crate) fn has_decimals(text: &str, decimals: usize) -> bool {
    let fraction = text.split_once('.').map(|(_, fraction)| fraction.len());
    text.parse::<f64>().is_ok() && fraction == Some(decimals)
}
