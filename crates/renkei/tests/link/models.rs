//! Models that are saved and used again.

use crate::linking::{link, linked};
use crate::support::Folder;
use crate::support::sample::{payments, residents};

#[test]
fn a_saved_model_links_as_the_job_that_saved_it() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
        run.option("--model", linked().file("model.toml"));
        run.option("--save-model", folder.path("again.toml"));
    })
    .exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    assert_eq!(run.json()["model_digest"], linked().run.json()["model_digest"]);
    let models = [folder.path("again.toml"), linked().file("model.toml")];
    let [again, saved] = models.map(|path| fs_err::read_to_string(path).expect("a model"));
    assert_eq!(again, saved);
}

#[test]
fn a_model_with_one_number_changed_is_refused() {
    let model = fs_err::read_to_string(linked().file("model.toml")).expect("a model");
    let lines: Vec<&str> = model.lines().collect();
    let is_number = |line: &&&str| {
        line.split_once(" = ").is_some_and(|(_, value)| value.parse::<f64>().is_ok())
    };
    // One of the weights, one of the thresholds and one of the first lines.
    let changed: Vec<&str> = ["link = ", "m = 0.", "match_rate = "]
        .into_iter()
        .map(|start| {
            let found = lines.iter().filter(is_number).find(|line| line.starts_with(start));
            *found.unwrap_or_else(|| panic!("no line begins with {start}"))
        })
        .collect();
    for line in changed {
        let digit = line.rfind(|c: char| c.is_ascii_digit()).expect("a digit");
        let other = if line.ends_with('1') { "2" } else { "1" };
        let damaged = model.replacen(line, &format!("{}{other}", &line[..digit]), 1);
        assert_ne!(damaged, model);
        let folder = Folder::new();
        let path = folder.write("model.toml", damaged);
        let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
            run.option("--model", &path);
        });
        run.exits(2).says(&["model"]);
        assert_eq!(folder.names(), ["model.toml"], "{line}");
    }
}
