"""Authorization codes: given once, used once; a second use ends what the first one gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from limen.kernel import ids, secrets
from limen.kernel.ids import GrantId
from limen.kernel.secrets import Secret
from limen.modules import consents, keys, sessions, tenants
from limen.modules.grants import jobs
from limen.modules.grants.facts import GrantMade
from limen.modules.grants.model import CODE_PREFIX, FAMILIES, GRANT_PREFIX, Code, CodeRefusal, Ending, Family, Grant, Ground, Permit, family_place
from limen.modules.grants.service import ending
from limen.modules.grants.settings import Tenant
from limen.modules.grants.store import codes, grants
from limen.platform.crypto import new_key
from limen.platform.sql import Reader, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the token request must match."""

    redirect_uri: str
    redirect_given: bool
    challenge: str
    nonce: str
    longest: timedelta | None = None
    """How long the code lives at most, whatever the tenant set."""


class Made(msgspec.Struct, frozen=True):
    """A grant and its first refresh token, if it has one."""

    grant: Grant
    refresh: Secret[str] | None


async def limits(reader: Reader) -> Tenant:
    """Return how long this tenant lets codes and tokens live."""
    return await tenants.settings(reader, Tenant.section, Tenant)


async def issue_code(work: Work, permit: Permit, terms: Terms) -> tuple[GrantId, Secret[str]]:
    """Store a code for a permit; return the id of the grant it may become, and the code."""
    secret = secrets.token(CODE_PREFIX)
    grant = GrantId(ids.new(GRANT_PREFIX, work.now))
    lives = (await limits(work)).code
    lives = lives if terms.longest is None else min(lives, terms.longest)
    codes.add(work, Code(grant, permit, terms.redirect_uri, terms.redirect_given, terms.challenge, terms.nonce, work.now + lives), secrets.digest(secret))
    await jobs.order_sweep(work)
    return grant, Secret(secret)


async def use_code(work: Work, code: str) -> Code | CodeRefusal:
    """Use a code up, whatever comes of it: checks follow, and one that fails has burned it. Outrun, at the Work's end, where another was faster.

    A second use ends the grant of the first, with every token of it (RFC 6749, section 4.1.2; RFC 9700, section 4.5).
    """
    digest = secrets.digest(code)
    looked = await codes.look(work, digest)
    if looked is None:
        return CodeRefusal.UNKNOWN
    found, used = looked
    if used:
        await ending.end(work, found.grant, Ending.CODE_REPLAYED)
        return CodeRefusal.REPLAYED
    codes.use(work, digest, found, work.now + (await limits(work)).refresh_absolute)
    return found if work.now < found.expires else CodeRefusal.EXPIRED


async def make_now(work: Work, permit: Permit, *, refreshable: bool) -> Made | CodeRefusal:
    """Make a grant without a code: of an implicit answer, a device, or a question asked elsewhere."""
    grant = GrantId(ids.new(GRANT_PREFIX, work.now))
    return await make(work, Code(grant, permit, "", False, "", "", work.now), refreshable=refreshable)  # noqa: FBT003 - as a code of no address


async def make(work: Work, code: Code, *, refreshable: bool) -> Made | CodeRefusal:
    """Make the grant of a used code whose checks have all passed, if session and consent still stand, and stand until it is there.

    Who ends either in the same moment waits, and ends the grant with it.
    """
    permit = code.permit
    session, consented = code.ground or await _ground(work, permit)
    if permit.session and session is None:
        return CodeRefusal.SESSION_ENDED
    if not frozenset((consented or "").split()).issuperset(permit.scopes):
        return CodeRefusal.CONSENT_WITHDRAWN
    lives = await limits(work)
    grant = Grant(
        id=code.grant,
        permit=permit,
        created=work.now,
        expires=work.now + (lives.refresh_absolute if refreshable else lives.access_token),
        idle_until=work.now + min(lives.refresh_idle, lives.refresh_absolute) if refreshable else None,
        last_used=work.now,
        ended_at=None,
    )
    token, beginning = None, None
    if refreshable:
        key = new_key()
        token = Family(grant.id, key).token(0)
        box = await keys.tenant_box(work, FAMILIES)
        beginning = grants.Beginning(box.seal(key, family_place(work.tenant, grant.id)), secrets.digest(token.reveal()))
    grants.add(work, grant, beginning)
    work.record(GrantMade(subject=permit.account, grant=grant.id, client=permit.client, session=permit.session, scopes=permit.scopes, refreshable=refreshable))
    return Made(grant, token)


async def _ground(work: Work, permit: Permit) -> Ground:
    session = await sessions.keep(work, permit.session) if permit.session else None
    return Ground(session.id if session is not None else None, " ".join(await consents.kept(work, permit.account, permit.client)))
