#!/usr/bin/env python3
"""A sheet of `renkei programme reconcile --output sheet.json` as one table: steps down, lists across, lines and yen in each.

    sheet.py SHEET.json
"""

import json
import sys


def main(path):
    with open(path, encoding="utf-8") as file:
        sheet = json.load(file)
    columns = [*sheet["lists"], {**sheet, "name": "="}]
    for column in columns:
        column["at"] = {step["step"]: step for step in column["steps"]}
        column["at"]["DECLARED"] = column["declared"]
        assert sum(step["yen"] for step in column["steps"]) == column["declared"]["yen"]
    print(" " * 12, *(f"{column['name']:>17}" for column in columns))
    for step in [*(step["step"] for step in sheet["steps"]), "DECLARED"]:
        cells = (column["at"].get(step) for column in columns)
        cells = (f"{cell['lines']:>5} {cell['yen']:>11,}" if cell else "" for cell in cells)
        print(f"{step:<12}", *(f"{cell:>17}" for cell in cells))


if __name__ == "__main__":
    main(*sys.argv[1:])
