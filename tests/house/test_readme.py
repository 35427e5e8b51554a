"""The README's example runs as it stands."""

import re
from pathlib import Path

README = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_and_beats_chance(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 15
    exec(compile(example, "README.md", "exec"), {})
    # Eleven classes, 22 clips: by chance 6 or more are right in 1.3 % of all draws.
    assert float(capsys.readouterr().out) >= 6 / 22
