"""The people of an invented town and the tables that its offices write, for the scripts beside this file."""

import csv
import io
import os

# A bank that does not exist.
BANK = "9001"
LINE, YEN, HOLDER = "申請番号", "支給額", "口座名義カナ"
ACCOUNT = ["銀行コード", "支店コード", "預金種目", "口座番号"]
PERSON, HOUSEHOLD, KANA = "宛名番号", "世帯番号", "氏名カナ"
# Lists come in CP932, as offices write them; registers in UTF-8.
LIST, REGISTER = "cp932", "utf-8-sig"


def read(folder, name, encoding=REGISTER):
    """The rows of a table."""
    with open(os.path.join(folder, name), encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def write(folder, name, rows, encoding=REGISTER):
    """Writes a table, and says what it adds up to if it is a list."""
    os.makedirs(folder, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(text.getvalue().encode(encoding))
    if encoding == LIST:
        print(f"{name:<22} {len(rows):>5} {sum(int(row[YEN]) for row in rows):>11,}")


def bare(text):
    """A name without its spaces, of whatever width."""
    return "".join(text.split())


def with_account(line, number, payee):
    """A line with an account of its payee."""
    account = [BANK, f"{number % 900 + 100:03}", "1", f"{number:07}"]
    return {**line, HOLDER: payee[KANA], **dict(zip(ACCOUNT, account))}


class Town:
    """Who lives where, and whom each line of a list means."""

    def __init__(self, folder):
        self.residents = read(folder, "residents.csv")
        self.by_id = {resident[PERSON]: resident for resident in self.residents}
        self.households = {}
        for resident in self.residents:
            self.households.setdefault(resident[HOUSEHOLD], []).append(resident)
        self.lines = read(folder, "payments.csv", LIST)
        self.truth = {row["benefit_id"]: row["resident_id"] for row in read(folder, "truth.csv")}

    def payee(self, line):
        """Whom a line means; nothing where nobody in the register."""
        return self.by_id.get(self.truth[line[LINE]])

    def household(self, line):
        payee = self.payee(line)
        return payee and payee[HOUSEHOLD]

    def members(self, line):
        return self.households.get(self.household(line), [])

    def is_plain(self, line):
        """Whether it names its payee as the register does, so that no clerk is needed."""
        payee = self.payee(line)
        same = ("氏名", "生年月日")
        return payee is not None and all(bare(line[key]) == bare(payee[key]) for key in same)

    def application(self, number, payee, yen):
        """A line that somebody of the register has written without a slip."""
        cells = {key: payee.get(key, "") for key in self.lines[0]}
        line = {**cells, LINE: f"C{number:09}", YEN: str(yen)}
        self.truth[line[LINE]] = payee[PERSON]
        return with_account(line, 8000 + number, payee)

    def write_truth(self, folder):
        """Writes down whom each line means, for the clerks."""
        rows = [{"benefit_id": line, "resident_id": payee} for line, payee in self.truth.items()]
        write(folder, "truth.csv", rows)
