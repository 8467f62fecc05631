use renkei_linkage::Outcome;
use renkei_types::Language;

use super::sample::Sample;
use super::{outcomes, render};

const LANGUAGES: [Language; 2] = [Language::English, Language::Japanese];

#[test]
fn the_page_needs_nothing_else() {
    let sample = Sample::usual();
    for language in LANGUAGES {
        let page = render(&sample.input(language));
        for outside in ["http:", "https:", "src=", "url(", "@import", "<script", "<link", "href"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}

#[test]
fn values_and_names_are_escaped() {
    let sample = Sample::usual();
    let evil = "<script>alert(\"'&\")</script>";
    let mut input = sample.input(Language::English);
    input.list.name = evil.to_owned();
    input.register.format = evil.to_owned();
    input.seconds[0].0 = evil.to_owned();
    let shown = &mut input.waterfalls[0];
    shown.values[0] = (evil.to_owned(), evil.to_owned(), evil.to_owned());
    shown.explanation.terms[1].comparison = evil.to_owned();
    shown.explanation.terms[1].level = evil.to_owned();
    shown.explanation.rules = vec![evil.to_owned()];
    let page = render(&input);
    assert!(!page.contains("<script"));
    assert!(!page.contains("alert(\""));
    assert!(page.matches("alert(").count() > 9);
}

#[test]
fn rows_add_up_to_the_totals_of_the_input() {
    let sample = Sample::usual();
    let received = sample.totals.sum().expect("little money");
    assert_eq!(received.lines, 6_000);
    let rows = outcomes::rows(&sample.totals, Language::English);
    assert_eq!(rows.len(), Outcome::ALL.len());
    assert_eq!(rows.iter().map(|row| row.lines.0).sum::<u64>(), received.lines);
    assert_eq!(rows.iter().map(|row| row.yen.0).sum::<u64>(), received.yen.0);

    let page = render(&sample.input(Language::English));
    let foot = page.split("<tfoot>").nth(1).and_then(|rest| rest.split("</tfoot>").next());
    let foot = foot.expect("the table of outcomes has a total");
    assert!(foot.contains(">6,000<"), "{foot}");
    assert!(foot.contains(&format!(">{}<", received.yen)), "{foot}");
    for outcome in Outcome::ALL {
        assert!(page.contains(&format!("<code>{outcome}</code>")), "{outcome}");
    }
}

#[test]
fn a_lost_line_is_said_first() {
    let sample = Sample::usual();
    let mut input = sample.input(Language::English);
    let warning = "do not use this result";
    assert!(!render(&input).contains(warning));
    input.list.rows += 1;
    assert!(render(&input).contains(warning));
}

#[test]
fn an_empty_list_has_a_page() {
    let sample = Sample::empty();
    for language in LANGUAGES {
        let mut input = sample.input(language);
        input.seconds.clear();
        input.register.rows = 0;
        let page = render(&input);
        assert!(page.trim_end().ends_with("</html>"));
        assert!(!page.contains("NaN") && !page.contains("inf%"));
    }
}

#[test]
fn the_page_speaks_the_language_of_its_reader() {
    let sample = Sample::usual();
    let page = render(&sample.input(Language::Japanese));
    assert!(page.contains("<html lang=\"ja\">"));
    assert!(page.contains("表記が似ている、読みが近い"));
    assert!(page.contains("氏名の読み ＋ 生年月日の年"));
    assert!(render(&sample.input(Language::English)).contains("<html lang=\"en\">"));
}

#[test]
fn the_summary_counts_what_is_linked_and_what_needs_eyes() {
    let sample = Sample::usual();
    let page = render(&sample.input(Language::English));
    let yen = sample.totals.sum().expect("little money").yen;
    assert!(page.contains(&format!("Of 6,000 lines ({yen} yen), 5,853 (")));
    assert!(page.contains(", 45 ("), "38 in review and 7 ambiguous");
}

#[test]
fn bars_of_a_waterfall_skip_what_is_nothing() {
    let sample = Sample::usual();
    let page = render(&sample.input(Language::English));
    let third = page.split("A refused case").nth(1).expect("three waterfalls");
    let steps = third.split("</ol>").next().expect("a list of steps");
    assert!(!steps.contains("<span>sex</span>"), "a missing value has no bar");
    assert!(third.contains("missing"), "but a row in the table");
}
