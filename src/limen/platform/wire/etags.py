"""Entity tags that are version numbers (RFC 9110, section 8.8.3), so that nobody overwrites what they have not seen."""

from __future__ import annotations

import re
from typing import Final

NEVER: Final = -1
"""A version no record has: what stands in If-Match is not a tag of ours."""

_TAG: Final = re.compile(r'"?(0|[1-9][0-9]{0,8})"?')


def tag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def expected(if_match: str | None) -> int | None:
    """Return the version that If-Match (RFC 9110, section 13.1.1) insists on; None where it is missing or `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    return int(found[1]) if found else NEVER
