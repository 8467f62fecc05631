"""The file to deduplicate: nothing of a line may be lost on its way behind the register."""

import csv
import tempfile
import unittest
from pathlib import Path

from driver import datasets

REGISTER = """\
宛名番号,世帯番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,方書,旧氏,通称名
0001,9,貝岡　順穂,カイオカ　ジュンホ,1983-10-30,2,030-9376,高砂台１５番,朝日１００８号室,楠部,
"""
LIST = """\
申請番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,支給額,口座名義カナ
B01,貝岡順穂,ｶｲｵｶ ｼﾞｭﾝﾎ,S58.10.30,2,,高砂台15,100000,ｶｲｵｶ ｼﾞﾕﾝﾎ
"""


class Copies(unittest.TestCase):
    def test_lines_stand_behind_the_register_under_its_columns(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "residents.csv").write_text(REGISTER, encoding="utf-8-sig")
        (folder / "payments.csv").write_text(LIST, encoding="cp932")
        of = datasets.Dataset("", "", "people", folder, 1, 1, truth=folder / "truth.csv")
        datasets._append(of, folder / "records.csv")
        with open(folder / "records.csv", encoding="utf-8-sig", newline="") as file:
            resident, line = csv.DictReader(file)
        self.assertEqual(
            (resident["宛名番号"], resident["方書"], resident["旧氏"]), ("0001", "朝日１００８号室", "楠部")
        )
        self.assertEqual(
            (line["宛名番号"], line["氏名カナ"], line["住所"], line["方書"]),
            ("B01", "ｶｲｵｶ ｼﾞｭﾝﾎ", "高砂台15", ""),
        )
        self.assertNotIn("支給額", line)

    def test_of_three_records_of_one_person_there_are_three_pairs(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        truth = folder / "truth.csv"
        datasets._write_truth(truth, [("a", "1"), ("b", "1"), ("c", "1"), ("d", "2"), ("e", "3"), ("f", "3")])
        self.assertEqual(datasets._pairs(truth), 4)
