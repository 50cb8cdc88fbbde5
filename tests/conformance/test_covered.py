"""The guide says of each plan how many of its modules are played: this counts them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Final

from tests.conformance import test_ciba, test_dynamic, test_fapi2, test_leaving, test_oidcc

GUIDE: Final = Path(__file__).parents[2] / "docs" / "guides" / "conformance.md"
LEAVING: Final = {"frontchannel": "oidcc-frontchannel-rp-initiated-logout", "backchannel": "oidcc-backchannel-rp-initiated-logout"}


def plan_of(module: str) -> str:
    """Return the plan of a module about signing out."""
    word = module.split("-")[1]
    return "oidcc-session-management" if word == "session" else LEAVING.get(word, "oidcc-rp-initiated-logout")


def played() -> Counter[str]:
    """Count the modules of each plan; what the suite has no module for stands in brackets."""
    ids = [one for case in (*test_oidcc.CASES, *test_dynamic.CASES, *test_fapi2.CASES) if "(" not in (one := str(case.id))]
    plans = [one.partition("/")[0] for one in ids if not re.match(r"oidcc-basic/client_secret_\w+/", one)]
    return Counter([*plans, *map(plan_of, test_leaving.MODULES), *["fapi-ciba-id1"] * len(test_ciba.MODULES), "oidcc-config"])


def test_the_guide_counts_what_is_played() -> None:
    """Each plan the tests play stands in the guide's table with the number of its modules, and no other does."""
    section = GUIDE.read_text().partition("## What our tests play of it")[2]
    told: dict[str, int] = {}
    for names, count in re.findall(r"^\| (`[^|]+`) \|[^|]*\| (\d+) \| `test_\w+\.py` \|$", section, re.MULTILINE):
        first, *more = re.findall(r"`([^`]+)`", names)
        told[" ".join([first, *(first.rsplit("-", 1)[0] + one for one in more)])] = int(count)
    counted = played()
    assert {names: sum(counted.pop(name) for name in names.split()) for names in told} == told
    assert not counted
