use super::*;
use renkei_types::Reason;

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

const TWO_SIDED: &str = r#"
id = { register = "rec_id", list = "claim" }
date_order = "DMY"
[[field]]
name = "given"
kind = "given_name"
register = "given_name"
list = "first"
[[field]]
name = "street"
kind = "address"
register = ["number", "street"]
list = "street"
[[field]]
name = "paid"
kind = "amount"
list = "amount"
"#;

#[test]
fn a_schema_file_is_read_and_bound_by_its_own_names() {
    let schema = Schema::parse(TWO_SIDED, "schema.toml").expect("a schema");
    assert_eq!(schema.date_order, DateOrder::Dmy);
    let register = schema
        .bind(&header(&["street", "rec_id", "number", "given_name"]), Side::Register)
        .expect("a binding");
    assert_eq!(register.id, 1);
    assert_eq!(register.fields[0].columns, [3]);
    assert_eq!(register.fields[1].columns, [2, 0]);
    assert_eq!(register.amount, None);
    let list = schema
        .bind(&header(&["claim", "FIRST", " street ", "ａｍｏｕｎｔ"]), Side::List)
        .expect("a binding");
    assert_eq!(list.fields[0].columns, [1]);
    assert_eq!(list.amount, Some(3));
}

#[test]
fn columns_of_one_field_are_joined_by_one_space_without_empty_ones() {
    let schema = Schema::parse(TWO_SIDED, "schema.toml").expect("a schema");
    let csv =
        "rec_id,given_name,number,street\n1,Ann,12,  High St \n2,Bob,,Low St\n3,Cy,7,\n4,Di,,\n";
    let mut reader =
        crate::TableReader::from_bytes(csv.into(), "r.csv", &crate::ReadOptions::default())
            .expect("a table");
    let binding = reader.bind(&schema, Side::Register).expect("a binding");
    let batch = reader.next_batch().expect("rows").expect("a batch");
    let mut scratch = String::new();
    let texts: Vec<String> =
        (0..4).map(|row| binding.fields[1].text(&batch, row, &mut scratch).to_owned()).collect();
    assert_eq!(texts, ["12 High St", "Low St", "7", ""]);
    assert_eq!(binding.fields[2].text(&batch, 0, &mut scratch), "");
}

#[test]
fn one_input_is_bound_by_column() {
    let text = "id = { input = \"rec_id\" }\n[[field]]\nname = \"given\"\nkind = \"given_name\"\ncolumn = \"given_name\"\n";
    let schema = Schema::parse(text, "schema.toml").expect("a schema");
    let binding = schema.bind(&header(&["rec_id", "given_name"]), Side::Input).expect("a binding");
    assert_eq!((binding.id, binding.fields[0].columns.as_slice()), (0, [1].as_slice()));
    let error = schema.bind(&header(&["rec_id"]), Side::List).expect_err("no list side");
    assert!(matches!(error, SchemaError::NoIdColumn { side: Side::List }));
}

#[test]
fn errors_in_a_schema_file_name_the_line_and_what_is_allowed() {
    for (text, line, part) in [
        (
            "id = { input = \"a\" }\n[[field]]\nname = \"n\"\nkind = \"nome\"\ncolumn = \"n\"\n",
            4,
            "person_name",
        ),
        ("id = { input = \"a\" }\ndate_order = \"YDM\"\n", 2, "MDY"),
        ("id = { input = \"a\" }\n\n[[field]]\nname = \"n\"\nkin = \"date\"\n", 5, "kind"),
        ("id = { inptu = \"a\" }\n", 1, "input"),
        ("id = 3 =", 1, ""),
    ] {
        let error = Schema::parse(text, "schema.toml").expect_err("a wrong schema");
        let SchemaError::Syntax { file, line: found, what } = error else {
            panic!("{error}");
        };
        assert_eq!((file.as_str(), found), ("schema.toml", line), "{what}");
        assert!(what.contains(part), "{what}");
    }
}

#[test]
fn a_schema_that_makes_no_sense_is_refused() {
    for text in [
        "id = { register = \"a\" }\n[[field]]\nname = \"n\"\nkind = \"date\"\nlist = \"n\"\n",
        "id = { input = \"a\" }\n",
        "id = { input = \"a\" }\n[[field]]\nname = \"n\"\nkind = \"date\"\n",
        "id = { input = \"a\" }\n[[field]]\nname = \"n\"\nkind = \"date\"\ncolumn = \"n\"\n[[field]]\nname = \"n\"\nkind = \"date\"\ncolumn = \"m\"\n",
        "id = { input = \"a\" }\n[[field]]\nname = \"n\"\nkind = \"amount\"\ncolumn = [\"n\", \"m\"]\n",
        "id = { input = \"a\" }\n[[field]]\nname = \"n\"\nkind = \"amount\"\ncolumn = \"n\"\n[[field]]\nname = \"m\"\nkind = \"amount\"\ncolumn = \"m\"\n",
    ] {
        let error = Schema::parse(text, "schema.toml").expect_err(text);
        assert!(matches!(error, SchemaError::Meaning { .. }), "{error}");
        assert_eq!(error.reason(), Reason::ConfigurationInvalid);
    }
}

#[test]
fn residents_and_payment_lists_are_bound_by_any_of_their_names() {
    let schema = Schema::resident_payment();
    let register = schema
        .bind(
            &header(&[
                "宛名番号",
                "世帯番号",
                "氏名",
                "氏名カナ",
                "生年月日",
                "性別",
                "郵便番号",
                "住所",
                "方書",
            ]),
            Side::Register,
        )
        .expect("a register");
    assert_eq!(register.id, 0);
    let columns: Vec<&[usize]> =
        register.fields.iter().map(|field| field.columns.as_slice()).collect();
    let none: &[usize] = &[];
    assert_eq!(columns, [&[2][..], &[3], &[4], &[5], &[6], &[7, 8], none, none, none, none, none]);
    let list = schema
        .bind(&header(&["整理番号", "ﾌﾘｶﾞﾅ", "支給予定額", "口座名義人（カナ）"]), Side::List)
        .expect("a list");
    assert_eq!((list.id, list.amount), (0, Some(2)));
    assert_eq!(list.fields[6].columns, [3]);
    let english =
        schema.bind(&header(&["Benefit ID", "name_kanji", "AMOUNT"]), Side::List).expect("a list");
    assert_eq!((english.id, english.amount), (0, Some(2)));
    let input = schema.bind(&header(&["申請番号", "氏名"]), Side::Input).expect("an input");
    assert_eq!(input.id, 0);
}

#[test]
fn a_missing_column_is_named_with_what_would_do_and_what_is_there() {
    let schema = Schema::resident_payment();
    let error = schema.bind(&header(&["申請番号", "氏名"]), Side::List).expect_err("no amount");
    let text = error.in_file("list.csv").to_string();
    for part in ["list.csv", "amount", "支給額", "申請番号, 氏名"] {
        assert!(text.contains(part), "{text}");
    }
    let error = schema.bind(&header(&["宛名番号", "住所"]), Side::Register).expect_err("no name");
    assert_eq!(error.reason(), Reason::ColumnMissing);
    let error = schema.bind(&header(&["氏名"]), Side::Register).expect_err("no id");
    assert!(error.to_string().contains("宛名番号"));
}

#[test]
fn a_first_line_of_data_is_not_shown_in_the_error() {
    let first_line = header(&["000000000012345", "谷口　光弘", "1980-04-24"]);
    let error =
        Schema::resident_payment().bind(&first_line, Side::Register).expect_err("no header");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("谷口") && !text.contains("12345"), "{text}");
    assert!(text.contains("may be data"), "{text}");
}

#[test]
fn a_repeated_name_is_an_error_only_where_it_is_wanted() {
    let schema = Schema::resident_payment();
    let error = schema
        .bind(&header(&["宛名番号", "氏名", "氏名"]), Side::Register)
        .expect_err("two name columns");
    assert_eq!(error.reason(), Reason::HeaderInvalid);
    schema
        .bind(&header(&["宛名番号", "氏名", "備考", "備考", "", ""]), Side::Register)
        .expect("the repeated names are not wanted");
    // Of two names of one column the first in order is taken.
    let binding =
        schema.bind(&header(&["宛名番号", "名前", "氏名"]), Side::Register).expect("a binding");
    assert_eq!(binding.fields[0].columns, [2]);
}
