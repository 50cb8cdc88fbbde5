"""What a server acknowledged before something happened to it, and whether it is still there afterwards."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from tests.proofs.house import Person, Site


@dataclass
class Kept:
    """What was acknowledged, to be looked for afterwards."""

    site: Site
    person: Person
    refresh: str
    emails: list[str] = field(default_factory=list)

    def add(self) -> None:
        """Make an account over the API."""
        email = f"kept-{secrets.token_hex(6)}@example.com"
        made = self.site.api(self.site.service(), "POST", "/accounts", {"identifiers": [{"value": email}]})
        assert made.status == 201, made.body
        self.emails.append(email)

    def check(self) -> None:
        """Look for all of it, and go on where it was left."""
        token = self.site.service()
        for email in self.emails:
            assert len(self.site.api(token, "GET", f"/accounts?identifier={email.replace('@', '%40')}").json["items"]) == 1
        assert self.person.once(f"{self.site.issuer}/account").status == 200
        again = self.site.refresh(self.refresh)
        assert again.status == 200, again.body
        self.refresh = again.json["refresh_token"]


def begun(site: Site) -> Kept:
    """Have somebody sign up, an app get tokens for her, and a program make an account."""
    person = site.person()
    site.sign_up(person, f"first-{secrets.token_hex(6)}@example.com")
    kept = Kept(site, person, site.tokens(person)["refresh_token"])
    kept.add()
    return kept
