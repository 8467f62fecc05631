//! A clerk's search: fast enough to type into, and it says no more than the agreement does.

mod town;

use renkei_exchange::identify::Query;
use renkei_linkage::Beginnings;
use town::Town;
use town::records::{column, table};

/// Most residents that are shown.
const MOST: usize = 10;

struct City {
    town: Town,
    /// Id, kana and birthday of each resident.
    residents: Vec<[String; 3]>,
}

impl City {
    fn new() -> Self {
        let town = Town::new();
        // Makes the snapshot known that is searched.
        town.linked_list("wave-1", 20);
        let (header, records) = table(&town);
        let columns = ["宛名番号", "氏名カナ", "生年月日"].map(|name| column(&header, name));
        let residents =
            records.iter().map(|one| columns.map(|column| one[column].clone())).collect();
        Self { town, residents }
    }

    fn search(&self, values: &[(&str, &str)], may_be_shown: fn(&str) -> bool) -> Beginnings {
        let state = self.town.exchange.state();
        let snapshot = state.snapshot_in_use(self.town.register).expect("a snapshot");
        let indexed = self.town.indexes.get(snapshot).expect("an index");
        let query = Query::new(values.iter().copied()).expect("a question");
        query.search(&indexed, &self.town.protected(), may_be_shown, MOST)
    }

    /// Kana of those who were found.
    fn names(&self, found: &Beginnings) -> Vec<String> {
        let state = self.town.exchange.state();
        let snapshot = state.snapshot_in_use(self.town.register).expect("a snapshot");
        let indexed = self.town.indexes.get(snapshot).expect("an index");
        let name = |row: &u32| {
            let id = indexed.index.id(*row);
            let known = self.residents.iter().find(|one| one[0] == id);
            known.expect("a resident")[1].clone()
        };
        found.rows.iter().map(name).collect()
    }
}

fn letters(text: &str, count: usize) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).take(count).collect()
}

#[test]
fn the_beginning_of_a_name_finds_whoever_is_called_so_and_tells_that_there_are_more() {
    let city = City::new();
    let mut told_of_more = 0;
    for [id, kana, _] in city.residents.iter().step_by(37).take(20) {
        let typed = letters(kana, 3);
        let alike = city.residents.iter().filter(|one| letters(&one[1], 3) == typed).count();
        let found = city.search(&[("name_kana", &typed)], |_| true);
        assert_eq!(found.more, alike > MOST, "{alike}");
        told_of_more += usize::from(found.more);
        let begin = city.names(&found).iter().filter(|name| letters(name, 3) == typed).count();
        assert_eq!(begin, alike.min(MOST));
        // The whole name tells the person.
        let whole = city.search(&[("name_kana", kana)], |_| true);
        let rows = &whole.rows;
        assert!(!rows.is_empty() && rows.len() <= MOST, "{id}");
    }
    assert!(told_of_more < 20);
}

/// Without `may_be_shown` in `Query::search` a clerk sounds out a reading that the agreement does not give; without `alone` in
/// `Query::new` a birthday would be ignored.
#[test]
fn what_may_not_be_shown_and_what_is_more_than_a_name_begins_nothing() {
    let city = City::new();
    let [_, kana, birth] = &city.residents[7];
    let typed = letters(kana, 3);
    let begun = city.search(&[("name_kana", &typed)], |_| true);
    let unseen = city.search(&[("name_kana", &typed)], |field| field != "name_kana");
    assert!(unseen.rows.len() < begun.rows.len() && !unseen.more);
    let dated = city.search(&[("name_kana", &typed), ("birth_date", birth)], |_| true);
    assert!(!dated.more);
    assert_eq!(dated, city.search(&[("birth_date", birth), ("name_kana", &typed)], |_| false));
}
