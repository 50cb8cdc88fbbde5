"""The terms that a tenant's people agree to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

_VERSION: Final = re.compile(r"[\x21-\x7e]{1,40}")
_ADDRESS: Final = re.compile(r"https://[\x21-\x7e]{3,500}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.consents]`: what people agree to before they are let in."""

    section: ClassVar[str] = "consents"
    terms_version: str | None = None
    """The version of the terms in force, such as `2026-11`; when it changes everybody is asked at the next sign-in. Left out: nobody is asked."""
    terms_url: str | None = None
    """Where they can be read, an https address; the page links it."""

    def __post_init__(self) -> None:
        if (self.terms_version is None) != (self.terms_url is None):
            raise ValueError("terms_version, terms_url: give both or neither")
        if self.terms_version is not None and not _VERSION.fullmatch(self.terms_version):
            raise ValueError("terms_version: up to 40 visible ASCII characters, without blanks")
        if self.terms_url is not None and not _ADDRESS.fullmatch(self.terms_url):
            raise ValueError("terms_url: must be an https address")
