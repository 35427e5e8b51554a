"""Runs of a measurement that takes long, kept until it is finished: stopped, it goes on."""

import json
from collections.abc import Callable
from pathlib import Path


class KeptRuns:
    """What each run gave, in a file of lines; `where` says of which machine and commit.

    Only runs of the same `where` are taken over, and none of a tree with changes.
    """

    def __init__(self, path: Path, where: dict[str, str]) -> None:
        self.path, self.where = path, where
        self.runs: dict[str, dict] = {}
        if path.exists() and not where["commit"].endswith("-dirty"):
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    kept = json.loads(line)
                except json.JSONDecodeError:
                    continue  # the line that it was stopped at
                if kept["where"] == where:
                    self.runs[kept["run"]] = kept["outcome"]
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [self._line(run, outcome) for run, outcome in self.runs.items()]
        path.write_text("".join(lines), encoding="utf-8")

    def _line(self, run: str, outcome: dict) -> str:
        return json.dumps({"where": self.where, "run": run, "outcome": outcome}) + "\n"

    def __call__(self, run: str, make: Callable[[], dict]) -> dict:
        """The outcome of `run`, made now unless it is kept."""
        if run not in self.runs:
            self.runs[run] = make()
            with self.path.open("a") as file:
                file.write(self._line(run, self.runs[run]))
        return self.runs[run]

    def finish(self) -> None:
        """Forget them: the next measurement begins anew."""
        self.path.unlink(missing_ok=True)
