"""The model for residents and payment lines: comparisons, term frequencies, three blocking settings, training.

Tuned by somebody who knows the data. Names in kanji and kana are one comparison, since they agree together; likewise
town and postal code. Levels name what happens on forms: another reading, a new surname, a day and a month exchanged.
"""

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import SettingsCreator, block_on


def either(condition):
    """A condition on two sides, or the same with the sides exchanged."""
    turned = condition.replace("_l", "\0").replace("_r", "_l").replace("\0", "_r")
    return f"({condition}) or ({turned})"


def level(condition, label, tf=None, u=None, m=None):
    """A level by a condition in SQL.

    `tf` is the column whose term frequencies adjust it; `u` how often strangers meet it, for levels that are too rare
    for a sample; `m` how often one person does, where look-alikes would mislead training.
    """
    made = cll.CustomLevel(condition, label_for_charts=label)
    if u:
        made = made.configure(u_probability=u, fix_u_probability=True)
    if m:
        made = made.configure(m_probability=m, fix_m_probability=True)
    if tf:
        made = made.configure(tf_adjustment_column=tf, disable_tf_exact_match_detection=True)
    return made


def same(column):
    """Both sides say the same."""
    return f"{column}_l = {column}_r"


def near(column, bytes_max):
    """One letter differs. The two ends are looked at first, since the distance is dear and nearly always great."""
    ends = f"left({column}_l, 1) = left({column}_r, 1) or right({column}_l, 1) = right({column}_r, 1)"
    return (
        f"abs(strlen({column}_l) - strlen({column}_r)) <= {bytes_max} and ({ends})"
        f" and levenshtein({column}_l, {column}_r) <= {bytes_max}"
    )


NAME = cl.CustomComparison(
    output_column_name="name",
    comparison_levels=[
        cll.CustomLevel(
            "(name_l is null or name_r is null) and (kana_l is null or kana_r is null)"
        ).configure(is_null_level=True),
        level(f"{same('name')} and {same('kana')}", "both", tf="name"),
        level(same("name"), "kanji", tf="name"),
        level(same("kana"), "kana", tf="kana"),
        level(either("name_l = other_name_r"), "other name", u=1e-6),
        level(f"{same('kana_loose')} or ({near('kana', 1)})", "kana nearly"),
        level(f"{same('kana_ordered')} or {same('name_ordered')}", "another order", u=1e-6),
        # A kanji has three bytes, which the distance counts.
        level(near("name", 3), "a kanji differs"),
        # Who marries keeps the given name, and a rare one says more.
        level(same("given"), "given name", tf="given"),
        level(same("kana_given"), "given name in kana", tf="kana_given"),
        level(f"{same('family')} or {same('kana_family')}", "family name"),
        cll.ElseLevel(),
    ],
)

BIRTH = cl.CustomComparison(
    output_column_name="birth",
    comparison_levels=[
        cll.NullLevel("birth"),
        level(same("birth"), "day"),
        level(
            "right(birth_l, 4) = right(birth_r, 4)"
            " and abs(left(birth_l, 4)::int - left(birth_r, 4)::int) in (1, 10, 14, 63)",
            "a slip of the year or the era",
        ),
        # A child may bear a parent's name, in the parent's house, on the parent's birthday.
        level("right(birth_l, 4) = right(birth_r, 4)", "another year", m=2e-7),
        level("damerau_levenshtein(birth_l, birth_r) <= 1", "a digit differs"),
        level(
            "left(birth_l, 4) = left(birth_r, 4) and birth_l[5:6] = birth_r[7:8]"
            " and birth_l[7:8] = birth_r[5:6]",
            "day and month exchanged",
            u=1.4e-5,
        ),
        # The first of January stands for a day that is not known.
        level(
            "left(birth_l, 4) = left(birth_r, 4)"
            " and (right(birth_l, 4) = '0101' or right(birth_r, 4) = '0101')",
            "year, and the first of January",
            u=1e-4,
        ),
        level("left(birth_l, 4) = left(birth_r, 4)", "year"),
        cll.ElseLevel(),
    ],
)

PLACE = cl.CustomComparison(
    output_column_name="place",
    comparison_levels=[
        cll.CustomLevel(
            "(town_l is null or town_r is null) and (postal_l is null or postal_r is null)"
        ).configure(is_null_level=True),
        level(f"{same('town')} and ({either('starts_with(numbers_l, numbers_r)')})", "plot"),
        level(f"{same('postal')} and ({either('starts_with(numbers_l, numbers_r)')})", "plot by postal code"),
        level(
            f"{same('town')} and split_part(numbers_l, '-', 1) = split_part(numbers_r, '-', 1)",
            "first number",
        ),
        level(f"{same('town')} or {same('postal')}", "town"),
        cll.ElseLevel(),
    ],
)

SEX = cl.ExactMatch("sex")

# Few pairs: a day with the beginning of a name, or a name with a place.
TIGHT = [
    block_on("birth", "left(name, 1)"),
    block_on("birth", "left(kana, 2)"),
    block_on("birth", "postal"),
    block_on("name", "postal"),
    block_on("kana", "postal"),
    block_on("name", "town"),
    block_on("kana", "town"),
]
# For lists in a bad state: one whole field is enough.
WIDE = [
    block_on("birth"),
    block_on("name"),
    block_on("kana"),
    block_on("kana_loose", "postal"),
    block_on("kana_loose", "town"),
    block_on("town", "numbers"),
    block_on("town", "given"),
    block_on("right(birth, 4)", "kana_loose"),
]
# Pairs of columns as in the examples of the documentation: a part of the name with the day, the place, the other part.
TEMPLATES = [
    block_on("given", "family"),
    block_on("birth", "family"),
    block_on("birth", "given"),
    block_on("postal", "given"),
    block_on("postal", "family"),
    block_on("birth", "postal"),
    block_on("kana"),
    block_on("name", "birth"),
    block_on("kana_family", "birth"),
    block_on("town", "numbers"),
]
BLOCKING = {"tight": TIGHT, "wide": WIDE, "templates": TEMPLATES}


def tables(connection, folder, task):
    """Makes a table of each normalised side and answers their names; Splink takes the lesser name for the left."""
    sides = ["records"] if task == "copies" else ["list", "register"]
    for side in sides:
        connection.execute(f"create table {side} as from '{folder / side}.parquet'")
    return sides


def settings(task, blocking):
    """The settings of a task with one of the blocking settings."""
    return SettingsCreator(
        link_type="dedupe_only" if task == "copies" else "link_only",
        comparisons=[NAME, BIRTH, PLACE, SEX],
        blocking_rules_to_generate_predictions=BLOCKING[blocking],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
        em_convergence=0.001,
    )


# The documentation advises samples of 1e7 pairs and more. On these files the parameters do not get better, only dearer.
U_PAIRS_MAX = 2e6
EM_PAIRS_MAX = 3e5


def train(linker):
    """Estimates the parameters, in the order that the documentation gives."""
    linker.training.estimate_probability_two_random_records_match(
        [block_on("name", "birth"), block_on("kana", "birth")], recall=0.9
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=U_PAIRS_MAX, seed=1)
    for rule in [block_on("birth", "sex"), block_on("name", "kana")]:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=EM_PAIRS_MAX
        )
