use proptest::option::of;
use proptest::prelude::*;
use renkei_types::{AgreementId, DatasetId, ListId, Reason, SnapshotId, Yen};

use super::*;

/// The fields of the schema, as the log's guide lists them.
const RESERVED: &[&str] = &[
    "actor.agency",
    "actor.ca",
    "actor.cert",
    "actor.dept",
    "actor.sys",
    "actor.user",
    "agr.digest",
    "agr.id",
    "agr.ver",
    "att",
    "basis",
    "cfg",
    "clk",
    "cnt",
    "code",
    "dec.act",
    "dec.by",
    "dec.rule",
    "disc",
    "ds.id",
    "ds.layout",
    "id",
    "idem",
    "job",
    "man.alg",
    "man.enc",
    "man.n",
    "man.root",
    "model.commit",
    "model.dict",
    "model.digest",
    "model.linker",
    "model.rules",
    "model.thresholds",
    "op",
    "parent",
    "peer",
    "purpose",
    "res",
    "seen.root",
    "seen.size",
    "snap.digest",
    "snap.id",
    "subj.epoch",
    "subj.mode",
    "subj.n",
    "subj.root",
    "sum.in",
    "sum.out",
    "t",
    "trace",
    "v",
];

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a text of its kind")
}

fn slug(text: &str) -> Slug {
    parsed(text)
}

fn small() -> Leaf {
    let id = EventId::from_bytes([1; 16]);
    Leaf::new(id, UtcMillis(1_795_219_200_000), Operation::Start, LeafResult::Ok)
}

/// A leaf with every field set, and every counter.
fn full() -> Leaf {
    let digest = Digest::of(b"synthetic");
    let clerk: Identity = parsed("spiffe://kita.example/131016/residents/person/c-0042");
    Leaf {
        actor: Actor {
            ca: Some(digest),
            cert: Some(digest),
            dept: Some(slug("welfare-2")),
            ..Actor::of(&clerk)
        },
        agr: Some(AgreementRef { digest, id: AgreementId::from_bytes([2; 16]), ver: 3 }),
        att: Some(1),
        basis: Some(slug("art19-8")),
        cfg: Some(digest),
        clk: ClockState::Jumped,
        cnt: Counter::ALL.iter().zip(1..).map(|(&counter, n)| (counter, n)).collect(),
        code: Some(Reason::Tie.into()),
        dec: Some(Decision {
            act: DecisionKind::Merge,
            by: DecidedBy::Human,
            rule: Some(slug("r7")),
        }),
        disc: Some(Disclosure::Withhold),
        ds: Some(DatasetRef { id: DatasetId::from_bytes([4; 16]), layout: 2 }),
        idem: Some(digest),
        job: Some(ListId::from_bytes([5; 16]).into()),
        man: Some(Manifest {
            alg: slug("sha256-tree"),
            enc: slug("xchacha20poly1305"),
            n: 300_000,
            root: digest,
        }),
        model: Some(ModelRef {
            commit: Some(parsed(&"0a".repeat(20))),
            dict: Some(slug("kanji-2026-1")),
            digest: Some(digest),
            linker: Some(parsed("0.1.0")),
            rules: Some(digest),
            thresholds: Some(digest),
        }),
        parent: Some(EventId::from_bytes([6; 16])),
        peer: Some(parsed("131016/treasury")),
        purpose: Some(slug("benefit-2026")),
        seen: Some(SeenCheckpoint { root: digest, size: 41 }),
        snap: Some(SnapshotRef { digest: Some(digest), id: SnapshotId::from_bytes([7; 16]) }),
        subj: Some(Subjects {
            epoch: Some(2026),
            mode: SubjectMode::Set,
            n: 12,
            root: Some(digest),
        }),
        sum: Some(Sums {
            yen_in: Some(Amount::of_lines(Yen(30_000_000), 300, &[0; 16])),
            yen_out: Some(Amount::of_lines(Yen(100_000), 1, &[0; 16])),
        }),
        trace: Some(parsed(&"0f".repeat(16))),
        ..small()
    }
}

fn field_names(value: &serde_json::Value) -> Vec<String> {
    let object = value.as_object().expect("an object");
    let mut names = Vec::new();
    for (name, value) in object {
        match value.as_object() {
            Some(parts) if name != "cnt" => {
                names.extend(parts.keys().map(|part| format!("{name}.{part}")));
            }
            _ => names.push(name.clone()),
        }
    }
    names.sort();
    names
}

#[test]
fn the_schema_reserves_exactly_these_fields() {
    let bytes = full().to_bytes().expect("a leaf");
    assert_eq!(field_names(&serde_json::from_slice(&bytes).expect("JSON")), RESERVED);
    assert!(bytes.len() < 4096, "{}", bytes.len());
}

#[test]
fn the_schema_that_auditors_get_has_the_same_fields_and_words() {
    let schema = include_str!("../../../../docs/auditor/leaf.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("JSON");
    let leaf: serde_json::Value =
        serde_json::from_slice(&full().to_bytes().expect("a leaf")).expect("JSON");
    let keys = |value: &serde_json::Value| {
        let fields = value.as_object().expect("an object").keys().cloned();
        fields.collect::<std::collections::BTreeSet<_>>()
    };
    let properties = &schema["properties"];
    assert_eq!(keys(properties), keys(&leaf));
    for (field, value) in leaf.as_object().expect("an object") {
        if let (true, Some(parts)) = (value.is_object(), properties[field].get("properties")) {
            assert_eq!(keys(parts), keys(value), "{field}");
        }
    }
    let required = ["clk", "id", "op", "res", "t", "v"];
    assert_eq!(schema["required"], serde_json::json!(required));
    fn texts<T: std::fmt::Display>(words: &[T]) -> serde_json::Value {
        words.iter().map(ToString::to_string).collect::<Vec<_>>().into()
    }
    assert_eq!(properties["op"]["enum"], texts(Operation::ALL));
    assert_eq!(properties["res"]["enum"], texts(LeafResult::ALL));
    assert_eq!(properties["clk"]["enum"], texts(ClockState::ALL));
    assert_eq!(properties["cnt"]["propertyNames"]["enum"], texts(Counter::ALL));
    assert_eq!(properties["subj"]["properties"]["mode"]["enum"], texts(SubjectMode::ALL));
    assert_eq!(properties["dec"]["properties"]["act"]["enum"], texts(DecisionKind::ALL));
    assert_eq!(properties["dec"]["properties"]["by"]["enum"], texts(DecidedBy::ALL));
    // What a leaf can hold of these two is wider, what a broker writes is not.
    assert_eq!(properties["code"]["enum"], texts(renkei_types::Reason::ALL));
    let bases = renkei_types::LegalBasis::ALL.iter().map(|it| it.as_str().to_ascii_lowercase());
    assert_eq!(properties["basis"]["enum"], texts(&bases.collect::<Vec<_>>()));
}

/// Each rule of a schema, with those within it.
fn rules(schema: &serde_json::Value) -> Vec<&serde_json::Map<String, serde_json::Value>> {
    let (mut found, mut left) = (Vec::new(), vec![schema]);
    while let Some(next) = left.pop() {
        found.extend(next.as_object().filter(|object| object.contains_key("type")));
        // Below `properties` stand names, of which one is a field of its own.
        match next {
            serde_json::Value::Object(object) => left.extend(object.values()),
            serde_json::Value::Array(all) => left.extend(all),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }
    found
}

#[test]
fn the_schema_leaves_no_text_number_or_part_without_bounds() {
    let schema = include_str!("../../../../docs/auditor/leaf.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("JSON");
    let rules = rules(&schema);
    assert!(rules.len() > 50, "{}", rules.len());
    for rule in rules {
        let closed = rule.contains_key("enum");
        match rule["type"].as_str() {
            Some("string") => {
                let pattern = rule.get("pattern").and_then(|pattern| pattern.as_str());
                let whole = |it: &str| it.starts_with('^') && it.ends_with('$');
                let bounded = |it: &str| !it.contains(['*', '+']) && !it.contains(",}");
                assert!(closed || pattern.is_some_and(|it| whole(it) && bounded(it)), "{rule:?}");
            }
            Some("integer") => {
                assert!(closed || (rule["minimum"] == 0 && rule["maximum"].is_u64()), "{rule:?}");
            }
            Some("object") => {
                let never_empty = rule.get("minProperties").is_some_and(|least| *least == 1);
                let needs = rule.get("required").and_then(|names| names.as_array());
                let never_empty = never_empty || needs.is_some_and(|names| !names.is_empty());
                assert!(never_empty && rule.contains_key("additionalProperties"), "{rule:?}");
            }
            _ => panic!("{rule:?}"),
        }
    }
}

#[test]
fn keys_are_sorted_and_nothing_is_spelt_with_spaces_or_escapes() {
    let text = String::from_utf8(full().to_bytes().expect("a leaf")).expect("UTF-8");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    // The serialiser's own map is sorted.
    assert_eq!(serde_json::to_string(&value).expect("JSON"), text);
    assert!(text.is_ascii() && !text.contains([' ', '\\', '\n']));
}

#[test]
fn a_small_leaf_has_the_bytes_of_the_guide() {
    assert_eq!(
        String::from_utf8(small().to_bytes().expect("a leaf")).expect("UTF-8"),
        "{\"clk\":\"ok\",\"id\":\"event_01040g2081040g2081040g2081\",\"op\":\"START\",\"res\":\"OK\",\"t\":1795219200000,\"v\":1}"
    );
}

#[test]
fn what_is_not_a_leaf_is_refused_and_never_cut_to_fit() {
    let text = String::from_utf8(small().to_bytes().expect("a leaf")).expect("UTF-8");
    for (changed, why) in [
        (text.replace("\"v\":1", "\"v\":2"), LeafError::UnknownSchema),
        (text.replace("\"v\":1", "\"new\":0,\"v\":2"), LeafError::UnknownSchema),
        (text.replace(",\"op\"", ", \"op\""), LeafError::NotCanonical),
        (text.replace("START", "\\u0053TART"), LeafError::NotCanonical),
        (text.replace("\"clk\"", "\"att\":null,\"clk\""), LeafError::NotCanonical),
        (text.replace("\"clk\"", "\"actor\":{},\"clk\""), LeafError::NotCanonical),
        (format!("{text}\n"), LeafError::NotCanonical),
        (text.replace("\"clk\"", "\"cnt\":{},\"clk\""), LeafError::NotCanonical),
        (
            text.replace("{\"clk\":\"ok\",", "{").replace("\"v\"", "\"clk\":\"ok\",\"v\""),
            LeafError::NotCanonical,
        ),
    ] {
        assert_eq!(Leaf::parse(changed.as_bytes()), Err(why), "{changed}");
    }
    for changed in [
        text.replace("\"v\"", "\"name\":\"x\",\"v\""),
        text.replace("\"v\"", "\"t\":1,\"v\""),
        text.replace("START", "BEGIN"),
        text.replace("1795219200000", "1.5"),
        text.replace("1795219200000", "-1"),
        text.replace("event_", "list_"),
        format!("{text}x"),
        text[..40].to_owned(),
        String::new(),
    ] {
        let refused = Leaf::parse(changed.as_bytes());
        assert!(matches!(refused, Err(LeafError::Malformed { .. })), "{changed}: {refused:?}");
    }
    let long = vec![b' '; LEAF_BYTES_MAX + 1];
    assert_eq!(Leaf::parse(&long), Err(LeafError::TooLarge { bytes: LEAF_BYTES_MAX + 1 }));
}

#[test]
fn an_array_in_the_place_of_an_object_is_another_spelling() {
    let text = String::from_utf8(full().to_bytes().expect("a leaf")).expect("UTF-8");
    let whole: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut changed = 0;
    for (name, value) in whole.as_object().expect("an object") {
        let Some(object) = value.as_object() else { continue };
        // In each order of two: that in which the fields are declared is among them.
        let values: Vec<_> = object.values().cloned().collect();
        for values in [values.clone(), values.into_iter().rev().collect()] {
            let mut leaf = whole.clone();
            leaf[name] = serde_json::Value::Array(values);
            let bytes = serde_json::to_vec(&leaf).expect("JSON");
            assert!(Leaf::parse(&bytes).is_err(), "{name}");
            changed += 1;
        }
    }
    assert!(changed > 4);
}

#[test]
fn a_digest_in_capitals_is_another_spelling() {
    let text = String::from_utf8(full().to_bytes().expect("a leaf")).expect("UTF-8");
    let digest = Digest::of(b"synthetic").to_string();
    let capitals = digest.replace("sha256:", "").to_uppercase();
    let changed = text.replacen(&digest, &format!("sha256:{capitals}"), 1);
    assert_ne!(changed, text);
    assert_eq!(Leaf::parse(changed.as_bytes()), Err(LeafError::NotCanonical));
}

#[test]
fn a_name_that_could_be_a_persons_number_is_refused_wherever_it_stands() {
    let number = "123456789018";
    let identity: Identity = parsed(&format!("spiffe://kita.example/131016/x/person/{number}"));
    let body = format!("131016/{number}");
    let hidden = Some(slug(number));
    type Edit = fn(&mut Leaf, Option<Slug>);
    let edits: [(&str, Edit); 6] = [
        ("basis", |leaf, name| leaf.basis = name),
        ("purpose", |leaf, name| leaf.purpose = name),
        ("actor.dept", |leaf, name| leaf.actor.dept = name),
        ("actor.user", |leaf, name| leaf.actor.user = name),
        ("dec.rule", |leaf, name| {
            leaf.dec = leaf.dec.take().map(|dec| Decision { rule: name, ..dec });
        }),
        ("model.dict", |leaf, name| {
            leaf.model = leaf.model.take().map(|model| ModelRef { dict: name, ..model });
        }),
    ];
    for (field, edit) in edits {
        let mut leaf = full();
        edit(&mut leaf, hidden.clone());
        assert_eq!(leaf.to_bytes(), Err(LeafError::PersonalNumber { field }));
    }
    let sys = Leaf { actor: Actor { sys: Some(identity.clone()), ..full().actor }, ..full() };
    assert_eq!(sys.to_bytes(), Err(LeafError::PersonalNumber { field: "actor.sys" }));
    for peer in [Peer::Client(identity), parsed(&body)] {
        let leaf = Leaf { peer: Some(peer), ..full() };
        assert_eq!(leaf.to_bytes(), Err(LeafError::PersonalNumber { field: "peer" }));
    }
    let code = Leaf { code: Some(parsed(&format!("X{number}"))), ..full() };
    assert_eq!(code.to_bytes(), Err(LeafError::PersonalNumber { field: "code" }));
    let error = code.to_bytes().expect_err("refused");
    assert!(!error.to_string().contains(number));
    assert!(!error.localised(Language::Japanese).contains(number));
}

#[test]
fn digests_ids_and_numbers_are_not_taken_for_a_persons_number() {
    let mut leaf = full();
    leaf.cnt.insert(Counter::In, 123_456_789_018);
    leaf.trace = Some(parsed("00000000000000000000123456789018"));
    leaf.agr = leaf.agr.map(|agr| AgreementRef { id: AgreementId::from_bytes([0; 16]), ..agr });
    assert!(leaf.to_bytes().is_ok());
}

fn any_slug() -> impl Strategy<Value = Slug> {
    "[a-z][a-z_-]{0,20}[0-9]{0,6}".prop_map(|text| parsed(&text))
}

prop_compose! {
    fn any_leaf()(
        bytes in any::<[u8; 16]>(),
        op in prop::sample::select(Operation::ALL),
        res in prop::sample::select(LeafResult::ALL),
        t in any::<u64>(),
        (basis, purpose, dept) in (of(any_slug()), of(any_slug()), of(any_slug())),
        counts in proptest::collection::btree_map(
            prop::sample::select(Counter::ALL), any::<u64>(), 0..5),
        (yen_in, lines) in (any::<u64>(), 0_u64..20),
        (att, disc) in (of(any::<u32>()), of(prop::sample::select(
            vec![Disclosure::Show, Disclosure::ShowLater, Disclosure::Withhold]))),
        parts in any::<[bool; 10]>(),
    ) -> Leaf {
        let full = full();
        let [agr, dec, ds, job, man, model, peer, seen, subj, trace] = parts;
        Leaf {
            actor: Actor { dept, ..Actor::default() },
            agr: full.agr.filter(|_| agr),
            att,
            basis,
            cnt: counts,
            dec: full.dec.filter(|_| dec),
            disc,
            ds: full.ds.filter(|_| ds),
            job: full.job.filter(|_| job),
            man: full.man.filter(|_| man),
            model: full.model.filter(|_| model),
            peer: full.peer.filter(|_| peer),
            purpose,
            seen: full.seen.filter(|_| seen),
            subj: full.subj.filter(|_| subj),
            sum: Some(Sums {
                yen_in: Some(Amount::of_lines(Yen(yen_in), lines, &bytes)),
                yen_out: None,
            }),
            trace: full.trace.filter(|_| trace),
            ..Leaf::new(EventId::from_bytes(bytes), UtcMillis(t), op, res)
        }
    }
}

proptest! {
    #[test]
    fn a_leaf_reads_back_from_its_bytes_and_has_the_same_bytes_again(leaf in any_leaf()) {
        let bytes = leaf.to_bytes().expect("a leaf");
        let again = Leaf::parse(&bytes).expect("its own bytes");
        prop_assert_eq!(&again, &leaf);
        prop_assert_eq!(again.to_bytes().expect("a leaf"), bytes);
    }

    #[test]
    fn any_bytes_are_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        prop_assert!(Leaf::parse(&bytes).is_err());
        let mut changed = full().to_bytes().expect("a leaf");
        let at = at.index(changed.len());
        changed[at] = byte;
        // Whatever is accepted is what would be written.
        if let Ok(leaf) = Leaf::parse(&changed) {
            prop_assert_eq!(leaf.to_bytes().expect("a leaf"), changed);
        }
    }
}
