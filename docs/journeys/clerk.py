#!/usr/bin/env python3
"""A clerk who knows the people of the town: decides every open line of a list.

    clerk.py LIST TRUTH CLIENT.toml

It does with `renkei review` what a clerk does by hand: takes a line, looks for the resident who is meant among those shown,
and decides. A resident who is not shown is somebody to look for in the register; this clerk then says that it is nobody.
"""

import csv
import json
import subprocess
import sys
from collections import Counter


def renkei(client, *arguments):
    done = subprocess.run(
        ["renkei", *arguments, "--json", "--as", client], capture_output=True, encoding="utf-8"
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def main(list_id, truth, client):
    with open(truth, encoding="utf-8-sig", newline="") as file:
        means = {row["benefit_id"]: row["resident_id"] for row in csv.DictReader(file)}
    done = Counter()
    while task := renkei(client, "review", "next", list_id)["task"]:
        meant = means[task["line"]["benefit_id"]]
        shown = [candidate["register_id"] for candidate in task["candidates"]]
        verdict = ["--link", meant] if meant in shown else ["--none"]
        version = ["--version", str(task["version"])]
        renkei(client, "review", "decide", task["task_id"], *version, *verdict)
        done[verdict[0]] += 1
    print(f"--link {done['--link']}  --none {done['--none']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
