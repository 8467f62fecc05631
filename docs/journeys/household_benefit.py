#!/usr/bin/env python3
"""The files of the journey of a household benefit: 20,000 yen for each member of a household on the base date.

    household_benefit.py GENERATED FOLDER         register, movers, lists, from what `renkei generate` has written
    household_benefit.py movers FOLDER PAID...    what became of those who moved: outcome in results.csv, yen in what was paid
    household_benefit.py resend FOLDER FILE...    lines of the first wave that these tables name, with another account

The same files in, the same files out.
"""

import sys

from town import HOLDER, HOUSEHOLD, LINE, LIST, PERSON, YEN, Town, read, with_account, write

EACH = 20_000
FIRST_WAVE, SECOND_WAVE, AGAIN = 800, 300, 30
CAME, HANDLED, BEFORE = "異動日", "処理日", "転入前住所"


def waves(town):
    """One line for each household, in two waves; the second has some households of the first, as such lists do."""
    first, second, again, seen = [], [], [], set()
    for number, line in enumerate(town.lines, 1):
        household, members = town.household(line), town.members(line)
        line = with_account(line, number, town.payee(line) or line)
        line[YEN] = str(EACH * max(len(members), 1))
        if household in seen:
            again.append(line)
        elif len(first) < FIRST_WAVE:
            first.append(line)
        elif len(second) < SECOND_WAVE:
            second.append(line)
        if household:
            seen.add(household)
    # Forms that came back without the account's holder.
    for line in first[100::300] + second[100::100]:
        line[HOLDER] = ""
    paid = {town.household(line) for line in first}
    return first, second + [line for line in again if town.household(line) in paid][:AGAIN]


class Movers:
    """Notices around the base date, 2026-06-01, that were handled after the first wave was paid."""

    def __init__(self, town, first, second):
        self.town, self.changes = town, []
        # Left before the base date: one household is paid by then, the other is on the second list.
        self.left_paid, self.left = self.of(first, 3)[0], self.of(second, 2)[0]
        for line in (self.left_paid, self.left):
            for member in town.members(line):
                self.change("削除", member, "2026-05-28", "2026-06-15")
        # Left after it: still owed, wherever they live now.
        self.left_late = self.of(second, 3)[0]
        for member in town.members(self.left_late):
            there = {"郵便番号": "990-0001", "住所": "山形県架空市仮町４丁目１番", "方書": ""}
            there[BEFORE] = member["住所"]
            self.change("変更", member, "2026-06-10", "2026-06-12", **there)
        # Somebody with a household of their own: one since before the base date, one since after it.
        self.parted, late = self.of(first, 4)[:2]
        self.apart = [
            self.part(self.parted, "900000000000001", "2026-05-20"),
            self.part(late, "900000000000002", "2026-06-05"),
        ]
        # Came before it.
        here = town.residents[0]
        self.came = [
            {**{key: "" for key in here}, "郵便番号": here["郵便番号"], "住所": here["住所"] + "－２",
             PERSON: f"90000000000010{number}", HOUSEHOLD: "900000000000003",
             "氏名": name, "氏名カナ": kana, "生年月日": born, "性別": sex}
            for number, name, kana, born, sex in [
                (1, "鳴海　連太郎", "ナルミ　レンタロウ", "1979-08-03", "1"),
                (2, "鳴海　けい", "ナルミ　ケイ", "1981-01-22", "2"),
            ]
        ]
        for resident in self.came:
            before = {BEFORE: "神奈川県架空市仮町１番地"}
            self.change("追加", resident, "2026-05-30", "2026-06-15", **before)

    def of(self, lines, size):
        """Lines of households of so many members that no clerk is needed for."""
        plain = (line for line in lines if self.town.is_plain(line) and line[HOLDER])
        return [line for line in plain if len(self.town.members(line)) == size]

    def change(self, operation, resident, came, handled, **cells):
        dated = {**resident, CAME: came, HANDLED: handled, **cells}
        self.changes.append({"異動区分": operation, **dated})

    def part(self, line, household, came):
        others = [one for one in self.town.members(line) if one is not self.town.payee(line)]
        eldest = min(others, key=lambda one: one["生年月日"])
        self.change("変更", eldest, came, "2026-06-15", **{HOUSEHOLD: household})
        return eldest


def corrected(town, wave, amended):
    """What the office sends when it has looked once more: the holders, two sums, one form less, two forms more."""
    lines = [dict(line) for line in wave]
    for line in lines:
        line[HOLDER] = line[HOLDER] or (town.payee(line) or line)["氏名カナ"]
    for line in lines[amended : amended + 2]:
        line[YEN] = str(int(line[YEN]) + EACH)
    del lines[amended + 2]
    applied = {town.household(line) for line in town.lines}
    others = [members for name, members in town.households.items() if name not in applied][:2]
    for number, members in enumerate(others, 4):
        lines.append(town.application(number, members[0], EACH * len(members)))
    return lines


def files(generated, folder):
    town = Town(generated)
    for number, resident in enumerate(town.residents):
        # They have lived here for years.
        day = f"{2001 + number % 25}-{number % 12 + 1:02}-{number % 28 + 1:02}"
        resident.update({BEFORE: "", CAME: day, HANDLED: day})
    first, second = waves(town)
    movers = Movers(town, first, second)
    came, (early, late) = movers.came, movers.apart
    applied = [
        town.application(1, came[0], EACH * len(came)),
        town.application(2, early, EACH),
        town.application(3, late, EACH),
    ]
    second += applied
    write(folder, "residents.csv", town.residents)
    write(folder, "movers.csv", movers.changes)
    # A household that is protected as a whole, and two of which one member is.
    couples = [town.members(line) for line in movers.of(first, 2)[:3]]
    persons = [*couples[0], couples[1][0], couples[2][1]]
    report = {"支援措置": "1", "支援措置期限": "2030-05-31"}
    write(folder, "protected.csv", [{PERSON: one[PERSON], **report} for one in persons])
    write(folder, "wave-1.csv", first, LIST)
    write(folder, "wave-2.csv", second, LIST)
    write(folder, "wave-2-corrected.csv", corrected(town, second, 20), LIST)
    town.write_truth(folder)
    moved = [movers.left_paid, movers.left, movers.left_late, movers.parted, *applied]
    notices = ["left 2026-05-28 after payment", "left 2026-05-28", "left 2026-06-10", "parted 2026-05-20 household",
               "came 2026-05-30", "parted 2026-05-20 member", "parted 2026-06-05 member"]
    rows = [{LINE: line[LINE], "異動": notice} for line, notice in zip(moved, notices)]
    write(folder, "moved.csv", rows)
    missing = [{LINE: line[LINE]} for line in first if not line[HOLDER]]
    write(folder, "without-holder.csv", missing)


def became(folder, *tables):
    outcomes = {row["list_id"]: row["outcome"] for row in read(folder, "results.csv")}
    paid = {row["list_id"]: int(row["amount"]) for table in tables for row in read(folder, table)}
    for row in read(folder, "moved.csv"):
        line = row[LINE]
        print(f"{row['異動']:<29} {line}  {outcomes.get(line, ''):<10} {paid.get(line, 0):>7,}")


def resend(folder, *tables):
    ids = {row[LINE] for table in tables for row in read(folder, table)}
    residents = {resident[PERSON]: resident for resident in read(folder, "residents.csv")}
    truth = {row["benefit_id"]: row["resident_id"] for row in read(folder, "truth.csv")}
    lines = [
        with_account(line, 9000 + number, residents.get(truth[line[LINE]], line))
        for number, line in enumerate(read(folder, "wave-1.csv", LIST))
        if line[LINE] in ids
    ]
    write(folder, "resend.csv", lines, LIST)


if __name__ == "__main__":
    further = {"movers": became, "resend": resend}.get(sys.argv[1])
    if further:
        further(*sys.argv[2:])
    else:
        files(*sys.argv[1:])
