"""Numbers in words: plurals, and where in an array an element stands."""

import pytest
from hrsnn_rs.words import counted, place_of


@pytest.mark.parametrize(
    ("n", "what", "words"),
    [
        (0, "clip", "0 clips"),
        (1, "clip", "1 clip"),
        (2, "clip", "2 clips"),
        (1234, "clip", "1,234 clips"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
    ],
)
def test_numbers_of_things(n, what, words):
    assert counted(n, what) == words


@pytest.mark.parametrize(
    ("index", "shape", "words"),
    [
        (3, (5,), "neuron 3"),
        (0, (), "neuron 0"),
        (5, (2, 3), "(row, column) (1, 2)"),
        (5, (2, 1, 3), "index (1, 0, 2)"),
    ],
)
def test_places_in_arrays(index, shape, words):
    assert place_of(index, shape, "neuron") == words
