"""Reads a register and a list and writes what Splink compares: `normalise.py REGISTER [LIST] VARIANTS FOLDER`.

Without a list, the file is one to deduplicate: some of its names are cut as others of its own allow.

Its own process, because normalisation is work that a user of Splink has to do and pays for at every run. Each distinct
value is looked at once; columns stay in Arrow throughout.
"""

import csv
import sys
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

import written

HEADERS = {
    "宛名番号": "unique_id",
    "申請番号": "unique_id",
    "氏名": "name_kanji",
    "氏名カナ": "name_kana",
    "生年月日": "birth_date",
    "性別": "sex",
    "郵便番号": "postal_code",
    "住所": "address",
    "旧氏": "former_name",
    "通称名": "alias",
}


def read(path, encoding):
    """The columns that are used, as text."""
    with open(path, encoding=encoding, newline="") as file:
        headers = next(csv.reader(file))
    options = pacsv.ConvertOptions(
        column_types={header: pa.string() for header in headers},
        include_columns=[header for header in headers if header in HEADERS],
        strings_can_be_null=False,
    )
    table = pacsv.read_csv(path, read_options=pacsv.ReadOptions(encoding=encoding), convert_options=options)
    return table.rename_columns([HEADERS[header] for header in table.column_names])


def forms(column, parse, count=1):
    """What `parse` makes of each value: `count` columns, asking once for each distinct value."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    encoded = column.dictionary_encode()
    parsed = [parse(text) for text in encoded.dictionary.to_pylist()]
    columns = [parsed] if count == 1 else zip(*parsed)
    return [pa.array(values, pa.string()).take(encoded.indices) for values in columns]


def parts(whole, family, given, known):
    """Family and given parts: where a line writes a name in one piece, it is cut as the register's names allow."""
    families, givens = known
    cut = {}
    for name in set(pc.filter(whole, pc.is_null(family)).drop_null().to_pylist()):
        ends = [end for end in (2, 3, 1, 4, 5) if name[:end] in families and name[end:]]
        sure = [end for end in ends if name[end:] in givens]
        if ends:
            end = (sure or ends)[0]
            cut[name] = name[:end], name[end:]
    pieces = pa.array([cut.get(name, (None, None))[0] for name in whole.to_pylist()], pa.string())
    rests = pa.array([cut.get(name, (None, None))[1] for name in whole.to_pylist()], pa.string())
    return pc.coalesce(family, pieces), pc.coalesce(given, rests)


def known_parts(table, kind):
    """The family and the given names that the register has."""
    return tuple(set(table[f"{kind}{part}"].unique().to_pylist()) for part in ("family", "given"))


def normalise(table, letters, register=None, alone=False):
    """The columns that are compared and blocked on; `register` is the other side, once that is normalised."""
    name, family, given, ordered, inner = forms(
        table["name_kanji"], partial(written.name, letters=letters), 5
    )
    kana, kana_family, kana_given, kana_ordered, kana_loose = forms(table["name_kana"], written.kana, 5)
    if alone:
        register = {"family": family, "given": given, "kana_family": kana_family, "kana_given": kana_given}
    if register:
        family, given = parts(name, family, given, known_parts(register, ""))
        kana_family, kana_given = parts(kana, kana_family, kana_given, known_parts(register, "kana_"))
    [spelled] = forms(given, written.spelled)
    town, numbers = forms(table["address"], partial(written.address, letters=letters), 2)
    other = inner
    if "alias" in table.column_names:
        [alias] = forms(table["alias"], lambda text: written.name(text, letters)[0])
        [former] = forms(table["former_name"], lambda text: written.name(text, letters)[0])
        # A former name is a family name; the given name stays.
        other = pc.coalesce(alias, pc.binary_join_element_wise(former, given, ""))
    [birth] = forms(table["birth_date"], written.birth)
    [postal] = forms(table["postal_code"], written.postal)
    [sex] = forms(table["sex"], written.sex)
    return pa.table(
        {
            "unique_id": table["unique_id"],
            "name": name,
            "family": family,
            "given": given,
            "name_ordered": ordered,
            "other_name": other,
            "kana": kana,
            "kana_family": kana_family,
            "kana_given": pc.coalesce(kana_given, spelled),
            "kana_ordered": kana_ordered,
            "kana_loose": kana_loose,
            "birth": birth,
            "sex": sex,
            "postal": postal,
            "town": town,
            "numbers": numbers,
        }
    )


def main():
    register, *lists, table, folder = map(Path, sys.argv[1:])
    with open(table, encoding="utf-8", newline="") as file:
        rows = (row for row in file if not row.startswith("#"))
        letters = written.variants(
            (row["variant"], row["canonical"], row["use"])
            for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE)
        )
    people = normalise(read(register, "utf-8-sig"), letters, alone=not lists)
    pq.write_table(people, folder / ("register.parquet" if lists else "records.parquet"))
    for lines in lists:
        pq.write_table(normalise(read(lines, "cp932"), letters, people), folder / "list.parquet")


if __name__ == "__main__":
    main()
