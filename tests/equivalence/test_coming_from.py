"""The other sides of docs/coming_from.md, each run as it stands where its package is installed."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "coming_from.md"
pytestmark = [pytest.mark.external, pytest.mark.filterwarnings("ignore")]


def snippet(tab: str) -> str:
    found = re.search(
        rf"tab-item}} {tab}\n\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    return found.group(1)


#: Package, and the number of spikes from what the page has made.
TABS = {
    "NEST": ("nest", lambda made: made["recorder"].n_events),
    "Brian2": ("brian2", lambda made: made["spikes"].num_spikes),
    "BindsNET": ("bindsnet", lambda made: made["network"].monitors["spikes"].get("s").sum()),
    "snnTorch": ("snntorch", lambda made: sum(one.sum() for one in made["spikes"])),
}


@pytest.mark.parametrize("tab", TABS)
def test_a_page_runs_as_it_stands(tab):
    package, count = TABS[tab]
    pytest.importorskip(package, reason=f"needs {package}")
    made: dict = {}
    exec(compile(snippet(tab), str(PAGE), "exec"), made)
    # 200 neurons, 1 s; graph and noise are each library's own, and STDP moves the rate.
    assert 3000 < int(count(made)) < 7000


def test_every_tab_of_the_page_is_tried():
    tabs = re.findall(r"tab-item} (\w+)", PAGE.read_text(encoding="utf-8"))
    assert tabs == list(TABS)
