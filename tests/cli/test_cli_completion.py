"""Completion by the shell: the script is one that bash takes, and it knows commands and options."""

import builtins
import subprocess
import sys

import pytest
from hrsnn_rs.cli import main
from hrsnn_rs.cli.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_told_of_every_command(shell, capsys):
    pytest.importorskip("shtab")
    assert main(["--print-completion", shell]) == 0
    written = capsys.readouterr().out
    for word in ("demo", "compare", "doctor", "HeNHeS", "report"):
        assert word in written


def completed(script: str, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    line = " ".join(f"'{word}'" for word in ("hrsnn", *words))
    done = subprocess.run(
        ["bash", "--norc", "-c", f"""{script}
            COMP_WORDS=({line}); COMP_CWORD={len(words)}
            $(complete -p hrsnn | sed 's/.*-F \\([^ ]*\\).*/\\1/')
            printf '%s\\n' "${{COMPREPLY[@]}}" """],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.skipif(sys.platform == "win32", reason="no bash there")
def test_bash_completes_commands_options_and_choices(capsys):
    pytest.importorskip("shtab")
    main(["--print-completion", "bash"])
    script = capsys.readouterr().out
    assert completed(script, "de") == ["demo"]
    assert completed(script, "demo", "--se") == ["--seeds"]
    assert completed(script, "data", "do") == ["doctor"]
    assert "HeNHeS" in completed(script, "compare", "--variants", "He")


def test_an_unknown_shell_is_refused(capsys):
    assert main(["--print-completion", "fish"]) == 2
    assert "must be one of bash, zsh, tcsh; got 'fish'" in capsys.readouterr().err


def test_without_shtab_it_says_how_to_get_it(capsys, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "shtab":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["--print-completion", "bash"]) == 1
    said = capsys.readouterr().err
    assert said == 'hrsnn: error: --print-completion needs shtab: pip install "hrsnn_rs[cli]"\n'
