#!/usr/bin/env python3
"""The files of the journey of double payments: 100,000 yen for each household, and what tired offices have sent.

    double_payment.py FILES FOLDER    FILES are those of a demo

The same files in, the same files out.
"""

import sys

from town import ACCOUNT, HOLDER, LIST, YEN, Town, with_account, write

EACH = 100_000
FIRST_RUN, LATER_RUN, AGAIN = 40, 12, 10


class Forms:
    """Applications, numbered as they come in."""

    def __init__(self, town):
        self.town, self.number = town, 0

    def of(self, payee, yen=EACH):
        self.number += 1
        return self.town.application(self.number, payee, yen)


def files(demo, folder):
    town = Town(demo)
    forms = Forms(town)
    homes = iter(town.households.values())
    first = [next(homes) for _ in range(FIRST_RUN)]
    run_1 = [forms.of(members[0]) for members in first]
    write(folder, "run-1.csv", run_1, LIST)

    # 寝屋川: a later run, with people whom the first has paid: by a second form, or by somebody else of the house.
    later = [forms.of(next(homes)[0]) for _ in range(LATER_RUN)]
    # One form was filled in badly: no address, and the birthday of somebody else.
    later[0].update({"住所": "", "郵便番号": "", "生年月日": "1900-01-01"})
    of_several = [members for members in first if len(members) > 1]
    again = [forms.of(members[0]) for members in first[: AGAIN // 2]]
    again += [forms.of(members[1]) for members in of_several[-AGAIN // 2 :]]
    write(folder, "run-2.csv", later + again, LIST)

    # The first run once more, with one account corrected and one household more.
    corrected = [dict(line) for line in run_1]
    corrected[1] = with_account(corrected[1], 9999, first[1][0])
    write(folder, "run-1-corrected.csv", [*corrected, forms.of(next(homes)[0])], LIST)

    # 阿武: beside the right file an order on paper, for the sum of the file, to the first name of it.
    write(folder, "order.csv", [forms.of(first[0][0], EACH * len(run_1))], LIST)

    # What else comes to the same.
    others = [forms.of(next(homes)[0]) for _ in range(LATER_RUN)]
    sum_of_others = str(EACH * (len(others) - 1))
    write(folder, "with-total.csv", [{**others[0], YEN: sum_of_others}, *others[1:]], LIST)
    account = {key: others[0][key] for key in [HOLDER, *ACCOUNT]}
    write(folder, "one-account.csv", [{**line, **account} for line in others], LIST)
    write(folder, "resend.csv", [with_account(run_1[3], 9998, first[3][0])], LIST)
    town.write_truth(folder)


if __name__ == "__main__":
    files(*sys.argv[1:])
