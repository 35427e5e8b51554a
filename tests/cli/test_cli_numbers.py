"""Numbers on the command line."""

import pytest
from hrsnn_rs.cli import options
from hrsnn_rs.cli.command import main


@pytest.mark.parametrize("value", ["x", "1.5", "", "1e3", "-2", "0"])
@pytest.mark.parametrize(
    "words", [["demo", "--seeds"], ["compare", "d", "--neurons"], ["train", "d", "--batch"]]
)
def test_a_number_that_is_none_is_told_in_words(capsys, words, value):
    command, *rest, option = words
    code = main([command, *rest, f"{option}={value}"])
    err = capsys.readouterr().err
    wanted = "at least 1" if value in ("-2", "0") else "a whole number"
    assert code == 2
    assert f"argument {option}: must be {wanted}; got {value}" in err


@pytest.mark.parametrize("read", [options.positive, options.count])
@pytest.mark.parametrize("value", ["7", " 12 ", "1_000"])
def test_whole_numbers_are_read(read, value):
    assert read(value) == int(value)
