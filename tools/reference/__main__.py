"""The command `python -m tools.reference`."""

from __future__ import annotations

import sys

from tools.reference import FOLDER, stale


def main(arguments: list[str]) -> int:
    """Run the tool."""
    found = stale()
    if "--check" in arguments:
        print("\n".join(f"docs/reference/{name} is out of date: make reference" for name in found) or "the reference is as the code says")
        return 1 if found else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in found.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
