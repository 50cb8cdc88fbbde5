"""Refuses a lock file that records download addresses, or misses hashes; the same for the Node packages."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def troubles() -> list[str]:
    """Return one sentence per fault found in the lock files."""
    found = []
    text = (ROOT / "requirements.lock").read_text()
    if re.search(r"https?://|--(extra-)?index-url|--find-links", text):
        found.append("requirements.lock names a download address")
    for block in re.split(r"\n(?=[a-z0-9])", text):
        if "==" in block.split("\n", 1)[0] and "--hash=sha256:" not in block:
            found.append(f"requirements.lock has no hash for {block.split('==')[0]}")
    for lock in ROOT.glob("**/package-lock.json"):
        if "node_modules" in lock.parts:
            continue
        packages = json.loads(lock.read_text())["packages"]
        found += [f"{lock.relative_to(ROOT)} records where {name} was downloaded" for name, entry in packages.items() if "resolved" in entry]
        found += [
            f"{lock.relative_to(ROOT)} has no hash for {name}"
            for name, entry in packages.items()
            if name and not entry.get("link") and "integrity" not in entry
        ]
    return found


if __name__ == "__main__":
    faults = troubles()
    print("\n".join(faults))
    sys.exit(bool(faults))
