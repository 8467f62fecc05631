"""The model for FEBRL 3 and 4: invented Australians with damaged copies, one file to deduplicate or two to link."""

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import SettingsCreator, block_on

DEDUPE = {"febrl3": "dataset3.csv"}
# The names in the order of the sides: Splink takes the lesser name for the left.
LINK = {"febrl4": {"list": "dataset4b.csv", "register": "dataset4a.csv"}}
COLUMNS = (
    "given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id"
).split()


def tables(connection, folder, task):
    """Makes a table of each input and answers their names. Values have a space before them."""
    files = LINK.get(task) or {"input": DEDUPE[task]}
    for table, file in files.items():
        columns = ", ".join(f"nullif(trim({column}), '') as {column}" for column in COLUMNS)
        connection.execute(
            f"create table {table} as select rec_id as unique_id, {columns}"
            f" from read_csv('{folder / file}', all_varchar = true, delim = ',', header = true)"
        )
    return list(files)


def _text(column, other=None, tf=True):
    """A comparison of text: equal, mistyped, similar, perhaps in the place of another column."""
    levels = [
        cll.NullLevel(column),
        cll.ExactMatchLevel(column, term_frequency_adjustments=tf),
        cll.DamerauLevenshteinLevel(column, 1),
        cll.JaroWinklerLevel(column, 0.88),
    ]
    if other:
        levels.append(cll.CustomLevel(f"{column}_l = {other}_r or {other}_l = {column}_r"))
    return cl.CustomComparison(output_column_name=column, comparison_levels=[*levels, cll.ElseLevel()])


COMPARISONS = [
    _text("given_name", other="surname"),
    _text("surname", other="given_name"),
    cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
    cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
    _text("address_1", other="address_2"),
    _text("address_2", other="address_1"),
    cl.DamerauLevenshteinAtThresholds("street_number", [1]),
    _text("suburb"),
    cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
    cl.ExactMatch("state"),
]
TIGHT = [
    block_on("soc_sec_id"),
    block_on("date_of_birth"),
    block_on("given_name", "surname"),
    block_on("address_1", "street_number"),
]
WIDE = [
    *TIGHT,
    block_on("given_name", "postcode"),
    block_on("surname", "postcode"),
    block_on("given_name", "suburb"),
    block_on("surname", "suburb"),
    block_on("surname", "address_1"),
    block_on("given_name", "address_1"),
    block_on("left(date_of_birth, 6)", "left(surname, 2)"),
    block_on("right(date_of_birth, 4)", "left(given_name, 2)"),
    block_on("left(soc_sec_id, 4)"),
    block_on("right(soc_sec_id, 4)"),
]
BLOCKING = {"tight": TIGHT, "wide": WIDE}


def settings(task, blocking):
    """The settings of a task with one of the blocking settings."""
    return SettingsCreator(
        link_type="dedupe_only" if task in DEDUPE else "link_only",
        comparisons=COMPARISONS,
        blocking_rules_to_generate_predictions=BLOCKING[blocking],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def train(linker):
    """Estimates the parameters, in the order that the documentation gives."""
    linker.training.estimate_probability_two_random_records_match(
        [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")], recall=0.95
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=3e5, seed=1)
    for rule in [block_on("date_of_birth"), block_on("soc_sec_id")]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
