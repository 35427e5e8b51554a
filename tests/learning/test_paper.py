"""The paper's figures stand beside those of its data sets, and of no other."""

import polars as pl
import pytest
from hrsnn_rs import datasets
from hrsnn_rs.learning import CITATION, PAPER_SCHEMA, PUBLISHED, ROW_SCHEMA, beside_paper
from hrsnn_rs.report import format_paper, write_report


def rows_of(kind, systems=("untrained", "HoNHoS", "HeNHeS"), words="each of 9 groups"):
    said = {"person": "ann", "label": "wave", "predicted": "wave"}
    return pl.DataFrame(
        [
            {"system": system, "seed": seed, "kind": kind, "accuracy": 0.5 + 0.1 * seed + 0.01 * n,
             "split": words, "predictions": [said | {"clip": seed}, said | {"clip": 9}]}
            for seed in (0, 1) for n, system in enumerate(systems)
        ],
        schema=ROW_SCHEMA,
    )  # fmt: skip


def test_kinds_are_classes_of_data_sets():
    assert set(PUBLISHED) <= set(datasets.__all__)
    # 94.32, 79.58, 77.53 and 96.54 per cent, as the abstract has them.
    assert [f"{100 * one.accuracy:.2f}" for one in PUBLISHED.values()] == [
        "94.32", "79.58", "77.53", "96.54"
    ]  # fmt: skip


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_paper_has_a_figure_for_its_own_network_alone(kind):
    beside = beside_paper(rows_of(kind))
    assert beside.table.schema == PAPER_SCHEMA
    assert beside.table["paper"].to_list() == [None, None, PUBLISHED[kind].accuracy]
    assert beside.table["here"].to_list() == pytest.approx([0.55, 0.56, 0.57])
    assert beside.table["n_seeds"].to_list() == [2] * 3
    assert beside.table["n_clips"].to_list() == [3] * 3
    for words in (CITATION, "protocols may differ", "each of 9 groups; 3 test clips"):
        assert words in beside.words
    assert format_paper(rows_of(kind))[1] == ["untrained", "-", "0.550 ± 0.071"]


def test_other_data_sets_have_none(tmp_path):
    for kind in (None, "GestureSet", "VideoFolder"):
        assert beside_paper(rows_of(kind)) is None
        assert format_paper(rows_of(kind)) == []
    write_report(tmp_path / "a.html", rows_of("KTH"), command="x")
    write_report(tmp_path / "b.html", rows_of(None), command="x")
    has = ["Beside the paper" in (tmp_path / f"{name}.html").read_text("utf-8") for name in "ab"]
    assert has == [True, False]
