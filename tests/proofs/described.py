"""What the proofs of the API's description stand on: its document as schemathesis reads it, and records for its operations to work on."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec
import schemathesis
from schemathesis import BaseSchema, Case, Response

from limen.app import ground, settings
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.platform.outbox import Job, JobKind, enqueue
from tests.proofs.house import API, PASSWORD, House, Site

ALL: Final = f"{API} limen:audit:read"
_EMAIL: Final = "lives-here@example.com"
_MALFORMED: Final = {"malformed_json", "malformed_form", "bad_request", "unsupported_media_type", "content_too_large"}


def read(site: Site) -> BaseSchema:
    """Return the document of a tenant.

    NUL and parameters nobody knows are refused, which no schema of OpenAPI can say, so they are no part of what fits. `positive_data_acceptance`
    knows of no rules beyond the schema (an address of e-mail, redirect URIs that suit the kind): `understood` stands in for it.
    """
    config = schemathesis.Config.from_dict(
        {
            "generation": {"allow-x00": False, "allow-extra-parameters": False},
            "checks": {"positive_data_acceptance": {"enabled": False}},
            "request-timeout": 20,
        }
    )
    return schemathesis.openapi.from_url(f"{site.issuer}/api/openapi.json", config=config)


def understood(_context: object, response: Response, case: Case[Any]) -> None:
    """Find fault where what fits the schema is called malformed: beyond the schema only the operation's own rules may refuse."""
    meta = case.meta
    if meta is not None and meta.generation.mode.is_positive and response.status_code in range(400, 500):
        code = response.json()["code"]
        assert code not in _MALFORMED, f"fits the schema, and is refused with {code}: {response.json()['detail']}"


class Nothing(msgspec.Struct):
    """What a job needs not know."""


async def _never(_job: Job[Nothing]) -> None:
    raise AssertionError("no server knows this kind")


_HOPELESS: Final = JobKind(name="test.hopeless", payload=Nothing, run=_never)


@dataclass
class Stock:
    """Makes records of a tenant that operations may use up."""

    site: Site
    token: str
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    owner: str = ""
    """The account of the person who has sessions."""

    @classmethod
    def of(cls, server: House, tenant: str = "acme") -> Stock:
        """Return the stock of a tenant."""
        site = server.site(tenant)
        return cls(site, site.service(ALL))

    @property
    def headers(self) -> dict[str, str]:
        """The credentials that may do everything."""
        return {"Authorization": f"Bearer {self.token}"}

    def _done(self, method: str, path: str, body: object = None) -> Any:
        reply = self.site.api(self.token, method, path, body)
        assert reply.status < 300, reply.body
        return reply.json

    def address(self) -> str:
        """Return an address nobody has."""
        return f"stock-{next(self.numbers)}@example.com"

    def account(self) -> tuple[str, str]:
        """Return a new account, and one of its two identifiers."""
        made = self._done("POST", "/accounts", {"identifiers": [{"value": self.address()}, {"value": self.address()}]})
        return made["id"], made["identifiers"][1]["id"]

    def client(self) -> str:
        """Return a new client."""
        made = self._done("POST", "/clients", {"kind": "service", "grant_types": ["client_credentials"]})
        return str(made["client_id"])

    def session(self) -> tuple[str, str]:
        """Return somebody who is signed in, and a session of hers."""
        if not self.owner:
            self.site.sign_up(self.site.person(), _EMAIL, password=PASSWORD)
            self.owner = self._done("GET", f"/accounts?identifier={_EMAIL}")["items"][0]["id"]
        living = self._done("GET", f"/sessions?account={self.owner}")["items"]
        if not living:
            self.site.sign_in(self.site.person(), _EMAIL)
            living = self._done("GET", f"/sessions?account={self.owner}")["items"]
        return self.owner, living[0]["id"]

    def consent(self) -> None:
        """Let an app have something of hers."""
        person = self.site.person()
        self.site.sign_in(person, _EMAIL)
        self.site.code(person)

    def question(self) -> str:
        """Return a question that an app puts to her."""
        self.site.ask(_EMAIL)
        waiting = self._done("GET", f"/approvals?account={self.owner}")["items"]
        return str(waiting[0]["id"])

    def dead_letters(self, count: int) -> list[str]:
        """Return jobs that were given up."""

        async def die() -> list[str]:
            async with ground.opened(settings.load(self.site.server.config)) as opened:
                async with opened.db.work(TenantId("acme"), SYSTEM) as work:
                    made = [await enqueue(work, _HOPELESS, Nothing(), delay=timedelta(days=1)) for _ in range(count)]
                await opened.db.execute("UPDATE outbox SET state = 'dead' WHERE kind = 'test.hopeless'")
                return [str(job) for job in made]

        return asyncio.run(die())

    def put_into(self, case: Case[Any]) -> None:
        """Let a case be about records that are there."""
        wanted = {*case.path_parameters, *case.query}
        found: dict[str, str] = {}
        if "session" in wanted or "/sessions" in case.path:
            found["account"], found["session"] = self.session()
        elif "account" in wanted:
            found["account"], found["identifier"] = self.account()
        if "client" in wanted:
            found["client"] = self.client()
        for place in (case.path_parameters, case.query):
            place.update({name: value for name, value in found.items() if name in place})
