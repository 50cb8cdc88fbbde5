"""limen client: Register applications, list them, and rotate their secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules.clients import service
from limen.modules.clients.errors import ClientExists, NoSuchClient
from limen.modules.clients.model import OVERLAP, Client, ClientKind, GrantType, completed, new_secret, with_secret
from limen.modules.clients.settings import Openness
from limen.platform.commands import BadOption, Command, Ground, Reach
from limen.platform.duties.settings import Running

_LONGEST_OVERLAP: Final = 30 * 24
_LONGEST_TOKEN: Final = 400 * 24
_MOST_USES: Final = 100_000


async def add(  # noqa: PLR0913 - each is an option of the command
    ground: Ground,
    id: str,  # noqa: A002 - the word people type
    kind: ClientKind,
    /,
    *,
    name: str = "",
    redirect_uri: tuple[str, ...] = (),
    post_logout_redirect_uri: tuple[str, ...] = (),
    grant: tuple[GrantType, ...] = (),
    scope: tuple[str, ...] = (),
) -> None:
    """Register an application and print its secret, this once.

    Parameters
    ----------
    id
        Its client_id.
    kind
        Where it runs, and so whether it can keep a secret.
    name
        What people are told it is called.
    redirect_uri
        Where the browser comes back to.
    post_logout_redirect_uri
        Where the browser may go after logout.
    grant
        What it may use; left out: what its kind usually does.
    scope
        What it may ask for.
    """
    client = Client(
        id=ClientId(id),
        kind=kind,
        name=name,
        redirect_uris=redirect_uri,
        post_logout_redirect_uris=post_logout_redirect_uri,
        grants=grant,
        scopes=scope,
    )
    secret = await _registered(ground, client)
    ground.say(f"client_id      {client.id}")
    if secret is not None:
        ground.say(f"client_secret  {secret.reveal()}")
    ground.say(f"grants         {' '.join(one.value for one in completed(client).grants)}")


async def _registered(ground: Ground, client: Client) -> Secret[str] | None:
    """Save a new client; return the secret made for it, None for a public one."""
    secret = None if client.public else new_secret()
    async with ground.db.work(ground.tenant, ground.actor("client add")) as work:
        if await service.find(work, client.id):
            raise ClientExists(operator=f"{ground.tenant} has a client {client.id} already; `limen client rotate {client.id}` gives it a new secret")
        known = client if secret is None else await service.sealing(work, with_secret(client, secret, work.now), secret)
        await service.save(work, known, dev=ground.settings.of(Running).dev, expected=0)
    return secret


async def show(ground: Ground) -> None:
    """List a tenant's applications."""
    async with ground.db.read(ground.tenant) as read:
        every = [one async for one in service.every(read)]
    rows: list[tuple[str, ...]] = [
        (one.id, one.kind.value, one.name, " ".join(grant.value for grant in one.grants), " ".join(one.scopes), one.registered.value) for one in every
    ]
    ground.table(("Client", "Kind", "Name", "Grants", "Scopes", "By"), rows)


async def rotate(ground: Ground, id: str, /, *, overlap_hours: int = int(OVERLAP.total_seconds()) // 3600) -> None:  # noqa: A002 - as above
    """Give an application a new secret and print it, this once.

    Parameters
    ----------
    id
        Its client_id.
    overlap_hours
        How long the previous secret works beside the new one, 30 days at most; 0 ends it now, for one that leaked.
    """
    if not 0 <= overlap_hours <= _LONGEST_OVERLAP:
        raise BadOption(operator=f"--overlap-hours: {overlap_hours} is not between 0 and {_LONGEST_OVERLAP}")
    overlap = timedelta(hours=overlap_hours)
    async with ground.db.work(ground.tenant, ground.actor("client rotate")) as work:
        if await service.find(work, ClientId(id)) is None:
            raise _no_such_client(ground, id)
        secret = await service.rotate_secret(work, ClientId(id), overlap=overlap)
    ground.say(f"client_secret  {secret.reveal()}")
    ground.say(f"the previous one works until {work.now + overlap:%Y-%m-%d %H:%M} UTC" if overlap else "the previous one works no longer")


async def drop(ground: Ground, id: str, /) -> None:  # noqa: A002 - as above
    """Delete an application; what it was given ends.

    Parameters
    ----------
    id
        Its client_id.
    """
    async with ground.db.work(ground.tenant, ground.actor("client drop")) as work:
        if not await service.drop(work, ClientId(id)):
            raise _no_such_client(ground, id)
    ground.say(f"{id} is deleted")


async def registration_token(ground: Ground, *, uses: int = 1, expires_hours: int = 168, note: str = "") -> None:
    """Make a token with which applications register by themselves (RFC 7591), and print it, this once.

    Parameters
    ----------
    uses
        How many applications may register with it; 0 is any number.
    expires_hours
        How long it works, 400 days at most; 0 is for good.
    note
        For whom it is, as the list of the API shows.
    """
    if not 0 <= expires_hours <= _LONGEST_TOKEN:
        raise BadOption(operator=f"--expires-hours: {expires_hours} is not between 0 and {_LONGEST_TOKEN}")
    if not 0 <= uses <= _MOST_USES:
        raise BadOption(operator=f"--uses: {uses} is not between 0 and {_MOST_USES}")
    async with ground.db.work(ground.tenant, ground.actor("client registration-token")) as work:
        openness = await service.openness(work, dev=ground.settings.of(Running).dev)
        lasts = timedelta(hours=expires_hours) if expires_hours else None
        made, secret = await service.make_token(work, uses=uses or None, lasts=lasts, note=note)
    ground.say(f"token    {secret.reveal()}")
    ground.say(f"uses     {made.uses or 'any number'}")
    ground.say(f"expires  {made.expires:%Y-%m-%d %H:%M} UTC" if made.expires else "expires  never")
    if openness is Openness.OFF:
        ground.say('registration is off for this tenant; [tenant.registration] open = "token" opens it to who has one')


def _no_such_client(ground: Ground, client: str) -> NoSuchClient:
    return NoSuchClient(operator=f"{ground.tenant} has no client {client[:60]}; `limen client list` shows those it has")


COMMANDS: Final = tuple(
    Command(verb, run, Reach.TENANT)
    for verb, run in (("add", add), ("list", show), ("rotate", rotate), ("drop", drop), ("registration-token", registration_token))
)
