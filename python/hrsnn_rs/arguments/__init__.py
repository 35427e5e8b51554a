"""What arguments may be: each check returns the converted value or names what is wrong.

Not here: what only one wing takes. Knows errors and words alone.
"""

from hrsnn_rs.arguments.kinds import (
    check_callable,
    check_choice,
    check_kind,
    check_list,
    check_progress,
    check_text,
)
from hrsnn_rs.arguments.numbers import (
    MOST,
    MOST_SEED,
    NOT_NEGATIVE,
    POSITIVE,
    PROBABILITY,
    FloatArray,
    Range,
    as_array,
    check_array,
    check_integer,
    check_mapping,
    check_number,
    check_path,
    check_sides,
    check_truth,
    refuse_masked,
    within,
)

__all__ = [
    "MOST",
    "MOST_SEED",
    "NOT_NEGATIVE",
    "POSITIVE",
    "PROBABILITY",
    "FloatArray",
    "Range",
    "as_array",
    "check_array",
    "check_callable",
    "check_choice",
    "check_integer",
    "check_kind",
    "check_list",
    "check_mapping",
    "check_number",
    "check_path",
    "check_progress",
    "check_sides",
    "check_text",
    "check_truth",
    "refuse_masked",
    "within",
]
