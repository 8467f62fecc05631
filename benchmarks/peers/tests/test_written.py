"""The normal forms that are given to the peers: a peer whose input is wrong would look worse than it is."""

import unittest

from splink_peer import written

LETTERS = written.variants([("髙", "高", "match"), ("﨑", "崎", "match"), ("土", "士", "never")])


class Names(unittest.TestCase):
    def test_variants_and_spaces_do_not_matter(self):
        self.assertEqual(written.name("髙橋　花子", LETTERS)[:3], ("高橋花子", "高橋", "花子"))
        self.assertEqual(written.name("高橋花子", LETTERS)[0], "高橋花子")

    def test_look_alikes_stay_apart(self):
        self.assertNotEqual(written.name("土屋", LETTERS), written.name("士屋", LETTERS))

    def test_latin_names_are_equal_in_either_order(self):
        self.assertEqual(
            written.name("ＳＭＩＴＨ　ＡＮＮＡ", LETTERS)[0], written.name("Anna Smith", LETTERS)[0]
        )

    def test_missing_names_are_nothing(self):
        self.assertEqual(written.name("　", LETTERS), (None,) * 5)
        self.assertEqual(written.kana(""), (None,) * 5)

    def test_kana_are_equal_in_every_width_and_script(self):
        forms = {
            written.kana(text)[0]
            for text in ("ショウジ　ジュン", "ｼｮｳｼﾞ ｼﾞｭﾝ", "しょうじ じゅん", "シヨウジジユン")
        }
        self.assertEqual(len(forms), 1)

    def test_a_kana_is_one_byte_so_that_distances_count_kana(self):
        whole, *_ = written.kana("ヤマダ　ハナコ")
        self.assertEqual((len(whole), len(whole.encode())), (6, 6))
        self.assertNotEqual(whole, written.kana("ヤマタ　ハナコ")[0])
        self.assertEqual(written.kana("ヤマダ　ハナコ")[4], written.kana("ヤマタ　ハナコ")[4])

    def test_every_kana_has_a_letter_of_its_own(self):
        self.assertEqual(len(set(written._ONE_BYTE.values())), len(written._KANA))


class Dates(unittest.TestCase):
    def test_one_day_in_all_notations(self):
        notations = [
            "1975-01-25",
            "1975/1/25",
            "19750125",
            "S50.01.25",
            "昭和５０年１月２５日",
            "1975年1月25日",
            "3500125",
            "27419",
        ]
        self.assertEqual({written.birth(text) for text in notations}, {"19750125"})

    def test_the_first_year_of_an_era_has_a_word(self):
        self.assertEqual(written.birth("令和元年5月2日"), "20190502")

    def test_what_is_no_date_is_nothing(self):
        self.assertIsNone(written.birth("不明"))
        self.assertIsNone(written.birth(""))


class Places(unittest.TestCase):
    def test_one_address_in_all_notations(self):
        notations = [
            "兵庫県雲居市東千代３丁目１４番５号",
            "雲居市東千代3-14-5",
            "東千代三丁目十四番五",
            "雲居市字東千代3丁目14番地の5",
        ]
        self.assertEqual({written.address(text, LETTERS) for text in notations}, {("東千代", "3-14-5-")})

    def test_a_number_that_became_a_date_is_a_number_again(self):
        self.assertEqual(written.address("東千代2003/12/5 402", LETTERS), ("東千代", "3-12-5-402-"))

    def test_kanji_numbers_of_a_town_stay(self):
        self.assertEqual(written.address("三ツ木千二百五番地", LETTERS), ("三ツ木", "1205-"))

    def test_towns_are_equal_however_ga_is_written(self):
        towns = {written.address(f"霧{ga}峰1-2", LETTERS)[0] for ga in "ヶケがガ"}
        self.assertEqual(len(towns), 1)

    def test_a_lost_zero_comes_back(self):
        self.assertEqual(written.postal("60-0001"), "0600001")
        self.assertEqual(written.postal("〒１２３－４５６７"), "1234567")
        self.assertIsNone(written.postal("123"))
