"""The one style sheet, served under its own hash."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from limen.platform.pages.model import Asset

_FILE: Final = Path(__file__).parent / "css" / "limen.css"


def squeezed(css: str) -> str:
    """Return a style sheet without comments and idle white space; strings in it may hold neither."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    return re.sub(r": ", ":", css).replace(";}", "}").strip()


@cache
def stylesheet() -> Asset:
    """Return the style sheet of all pages."""
    body = squeezed(_FILE.read_text(encoding="utf-8")).encode()
    name = hashlib.sha256(body).hexdigest()[:16]
    return Asset(f"/assets/{name}.css", body, gzip.compress(body, 9, mtime=0), "text/css; charset=utf-8")
