"""What `hrsnn demo` prints, into README.md between its markers: `make demo-page`.

The numbers are those of the commit that the page names. They are the same on each machine but for
the seconds and, where the readout's linear algebra rounds otherwise, the last digit.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "peers"))
from measure_peers import commit
from peers_page import README, replaced

N_NEURONS, N_SEEDS, N_PERSONS = 500, 5, 12


def printed() -> str:
    """What the command prints, without the place of its report."""
    words = ["--neurons", N_NEURONS, "--seeds", N_SEEDS, "--subjects", N_PERSONS]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.html")
        done = subprocess.run(
            [sys.executable, "-m", "hrsnn_rs", "demo", "--report", report, *map(str, words)],
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            check=True,
        )
    return done.stdout.partition("Report: ")[0].strip()


def block(text: str) -> str:
    """What stands between the markers."""
    return (
        f"`hrsnn demo`: {N_NEURONS} neurons, {N_SEEDS} seeds, {N_PERSONS} made-up persons, of whom "
        f"two are left out for each seed; commit {commit()}.\n\n```\n{text}\n```"
    )


if __name__ == "__main__":
    page = README.read_text(encoding="utf-8")
    README.write_text(replaced(page, "demo", block(printed())), encoding="utf-8")
