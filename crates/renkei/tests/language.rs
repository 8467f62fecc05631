//! Words in the language of whoever reads them; data in none.

mod support;

use support::people::{Pair, lines, list, register, town};
use support::{Folder, renkei, renkei_in};

fn is_japanese(text: &str) -> bool {
    text.chars().any(|letter| ('ぁ'..='ヶ').contains(&letter) || ('一'..='龥').contains(&letter))
}

/// Mistakes of every kind, as arguments.
fn mistakes(folder: &Folder) -> Vec<Vec<String>> {
    let people = town(20);
    let text = |name: &str, content: &str| {
        folder.write(name, content).into_os_string().into_string().expect("a name in UTF-8")
    };
    let register = text("register.csv", &register(&people).csv());
    let list = text("list.csv", &list(&lines(&people, 2)).csv());
    let repeated = text("repeated.csv", "宛名番号,氏名\n1,a\n1,b\n");
    let headless = text("headless.csv", "1,a\n2,b\n");
    let empty = text("empty.csv", "");
    let model = text("model.toml", "format = 1\n");
    let layout = text("layout.toml", "encoding = \"ebcdic\"\n");
    let output = folder.path("links.csv").into_os_string().into_string().expect("UTF-8");
    let pair = |register: &str, list: &str, output: &str| {
        ["link", "--register", register, "--list", list, "--output", output]
            .map(str::to_owned)
            .to_vec()
    };
    let with = |more: [&str; 2]| {
        let mut arguments = pair(&register, &list, &output);
        arguments.extend(more.map(str::to_owned));
        arguments
    };
    vec![
        pair("nowhere.csv", &list, &output),
        pair(&repeated, &list, &output),
        pair(&register, &headless, &output),
        pair(&register, &empty, &output),
        pair(&register, &list, &list),
        pair(&register, &list, &output.replace(".csv", ".txt")),
        with(["--model", &model]),
        with(["--schema", &model]),
        with(["--list-layout", &layout]),
        ["check", &empty].map(str::to_owned).to_vec(),
        ["evaluate", "--predictions", &list, "--truth", &list].map(str::to_owned).to_vec(),
        ["generate", "--residents", "5", "--lines", "6", "--mix", "nasty", "--seed", "1", "--dir"]
            .into_iter()
            .chain([output.trim_end_matches("links.csv")])
            .map(str::to_owned)
            .collect(),
    ]
}

#[test]
fn mistakes_are_told_in_japanese_under_a_japanese_locale_or_if_asked_for() {
    let folder = Folder::new();
    let mut not_japanese = Vec::new();
    for arguments in mistakes(&folder) {
        let english = renkei(&arguments);
        let by_locale = renkei_in("ja_JP.UTF-8", &arguments);
        let asked = renkei(arguments.iter().map(String::as_str).chain(["--lang", "ja"]));
        assert!(english.code > 1, "{arguments:?}: {}", english.stderr);
        assert!(english.stderr.starts_with("error: "), "{}", english.stderr);
        // The names that a column has, or may have, are those of files.
        let words = english.stderr.split("(wanted").next().unwrap_or_default();
        assert!(!is_japanese(&words.replace("宛名番号", "")), "{}", english.stderr);
        assert!(by_locale.stderr.starts_with("エラー: "), "{}", by_locale.stderr);
        if !is_japanese(&by_locale.stderr.replacen("エラー", "", 1)) {
            not_japanese.push(by_locale.stderr.clone());
        }
        assert_eq!((asked.code, &asked.stderr), (by_locale.code, &by_locale.stderr));
        assert_eq!(english.code, by_locale.code);
    }
    assert!(not_japanese.is_empty(), "{not_japanese:#?}");
}

#[test]
fn what_the_operating_system_says_is_told_in_japanese_too() {
    let folder = Folder::new();
    let path = |name: &str| folder.path(name).into_os_string().into_string().expect("UTF-8");
    let (missing, here) = (path("nowhere.toml"), path(""));
    let text = folder.write("list.csv", "申請番号,氏名,支給額\n1,a,1\n");
    let text = text.to_str().expect("UTF-8");
    let broken = format!("{missing}/under-a-file");
    fs_err::write(&missing, "x = 1\n").expect("a file");
    let nowhere = path("gone/gone.toml");
    for arguments in [
        vec!["check", &nowhere],
        vec!["check", &here],
        vec!["check", &broken],
        vec!["check", text, "--repair", &nowhere],
        vec!["check", text, "--layout", &nowhere],
        vec!["check", text, "--schema", &nowhere],
        vec!["check-config", &nowhere],
        vec!["serve", "--config", &nowhere],
        vec!["agreement", "list", "--as", &nowhere],
        vec!["pki", "status", "--dir", &nowhere],
        vec!["audit", "verify", &here, "--key", &nowhere],
    ] {
        let told = renkei_in("ja_JP.UTF-8", &arguments);
        assert!(told.code > 1, "{arguments:?}: {}", told.stderr);
        for english in ["os error", "No such file", "directory", "failed to", "stream did"] {
            assert!(!told.stderr.contains(english), "{arguments:?}: {}", told.stderr);
        }
        assert!(is_japanese(&told.stderr.replacen("エラー", "", 1)), "{arguments:?}");
    }
}

#[test]
fn lang_en_wins_over_a_japanese_locale() {
    let folder = Folder::new();
    let path = folder.path("nowhere.csv");
    let arguments = ["--lang".as_ref(), "en".as_ref(), "check".as_ref(), path.as_os_str()];
    let run = renkei_in("ja_JP.UTF-8", arguments).exits(2);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
}

#[test]
fn data_does_not_depend_on_the_language() {
    let people = town(100);
    let mut asking = lines(&people, 3);
    asking[3].amount = "五万".to_owned();
    let pair = Pair::of(&register(&people), &list(&asking));
    let english = pair.link(&[]).exits(0);
    let japanese = pair.link_to("japanese.csv", &["--lang", "ja"]).exits(0);
    let read = |name: &str| fs_err::read_to_string(pair.folder.path(name)).expect("links");
    assert_eq!(read("links.csv"), read("japanese.csv"));
    assert_eq!(english.json()["result_digest"], japanese.json()["result_digest"]);
    assert_eq!(english.json()["outcomes"], japanese.json()["outcomes"]);
    // The warning about the rejected line is for people.
    assert!(!is_japanese(&english.stderr), "{}", english.stderr);
    assert!(is_japanese(&japanese.stderr), "{}", japanese.stderr);

    let list = pair.list.as_os_str();
    let check = |lang: &str| renkei_in(lang, ["check".as_ref(), "--json".as_ref(), list]);
    assert_eq!(check("C").json(), check("ja_JP.UTF-8").json());
}

#[test]
fn tables_for_people_are_in_their_language() {
    let people = town(100);
    let pair = Pair::of(&register(&people), &list(&lines(&people, 3)));
    let output = pair.output();
    let table = |lang: &str| {
        let arguments = [
            "link".as_ref(),
            "--register".as_ref(),
            pair.register.as_os_str(),
            "--list".as_ref(),
            pair.list.as_os_str(),
            "--output".as_ref(),
            output.as_os_str(),
        ];
        renkei_in(lang, arguments).exits(0).stdout
    };
    let (english, japanese) = (table("C"), table("ja_JP.UTF-8"));
    assert!(english.contains("LINKED") && !is_japanese(&english), "{english}");
    assert!(japanese.contains("LINKED") && japanese.contains("合計"), "{japanese}");
}
