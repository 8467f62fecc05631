"""Links or deduplicates with Splink.

`link.py TASK FOLDER BLOCKING OUT.csv REPORT.json [--model FILE] [--save-model FILE]`

A whole process, from files to file. For the task `people` FOLDER holds register.parquet and list.parquet, for `copies` the
one records.parquet, which normalise.py made; for FEBRL it holds the files of the data set. REPORT says what each stage cost and how many pairs
were compared.
"""

import argparse
import json
import os
from pathlib import Path

import duckdb
from splink import DuckDBAPI, Linker

import febrl
import people
from stages import Stages

# Pairs below this are nobody's candidates; writing them would only cost Splink time.
PROBABILITY_MIN = 0.001
MODELS = {"people": people, "copies": people, "febrl3": febrl, "febrl4": febrl}
LINKS = """
    select unique_id_l as list_id, unique_id_r as register_id,
        row_number() over (partition by unique_id_l order by match_weight desc, unique_id_r) as rank,
        round(match_probability, 9) as probability, round(match_weight, 3) as match_weight
    from {predicted}
"""
PAIRS = """
    select unique_id_l as id_a, unique_id_r as id_b, round(match_probability, 9) as probability,
        round(match_weight, 3) as match_weight
    from {predicted}
"""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("task", choices=MODELS)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("blocking")
    arguments.add_argument("out")
    arguments.add_argument("report", type=Path)
    arguments.add_argument("--model", type=Path)
    arguments.add_argument("--save-model", type=Path)
    given = arguments.parse_args()
    task, model = given.task, MODELS[given.task]

    stages = Stages()
    connection = duckdb.connect()
    # What does not fit in memory goes beside the results.
    connection.execute(f"set temp_directory = '{given.report.with_suffix('.spill')}'")
    connection.execute(f"set threads = {os.cpu_count()}; set preserve_insertion_order = false")
    api = DuckDBAPI(connection)
    names = model.tables(connection, given.folder, task)
    sides = [api.register(name, dataset_display_name=name) for name in names]
    settings = given.model or model.settings(task, given.blocking)
    linker = Linker(sides, settings, log_level=None)
    stages.end("load")
    if not given.model:
        model.train(linker)
        stages.end("train")
    pairs = linker.inference.compute_blocked_pairs_for_predict()
    [(count,)] = connection.sql(f"select count(*) from {pairs.physical_name}").fetchall()
    stages.end("block")
    predicted = linker.inference.predict(threshold_match_probability=PROBABILITY_MIN, warning_mode="never")
    stages.end("predict")
    rows = (LINKS if len(sides) == 2 else PAIRS).format(predicted=predicted.physical_name)
    connection.execute(f"copy ({rows}) to '{given.out}' (header)")
    stages.end("write")
    if given.save_model:
        linker.misc.save_model_to_json(str(given.save_model), overwrite=True)
    given.report.write_text(json.dumps({"pairs": count, "stages": stages.seconds}))


if __name__ == "__main__":
    main()
