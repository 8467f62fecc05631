//! Addresses in all the shapes that registers and lists give them, as pairs with what a careful clerk would say.

use renkei_japanese::address::Address;

/// What two addresses are to each other.
fn relation(a: &Address, b: &Address) -> &'static str {
    if !a.same_town(b) || a.numbers != b.numbers || a.block != b.block {
        return "differs";
    }
    match (a.room.is_empty(), b.room.is_empty()) {
        (true, true) => "same",
        (false, false) if a.room == b.room => "same",
        (false, false) => "room",
        _ => "house",
    }
}

#[test]
fn pairs_of_addresses_are_what_a_careful_clerk_would_say() {
    let rows = include_str!("data/places.tsv");
    let mut wrong = Vec::new();
    for row in rows.lines().filter(|row| !row.starts_with('#')) {
        let cells: Vec<&str> = row.splitn(3, '\t').collect();
        let [expected, one, other] = cells[..] else { panic!("three cells: {row}") };
        let read = |text| Address::read(text, "").expect("an address");
        let (a, b) = (read(one), read(other));
        let found = relation(&a, &b);
        assert_eq!(found, relation(&b, &a), "{row}");
        if found != expected {
            wrong.push(format!("{found}, not {expected}:\n  {one}: {a:?}\n  {other}: {b:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
