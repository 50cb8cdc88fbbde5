"""The public keys (RFC 7517, section 5) with which tokens of the tenant verify."""

from __future__ import annotations

from typing import Final

from limen.modules import keys
from limen.platform.http import PUBLIC, Answer, Call, Cors, Endpoint, Raw, kept_for_all

PATH: Final = "/oauth/jwks"
_MEDIA: Final = "application/jwk-set+json"


async def _jwks(call: Call) -> Answer:
    async with call.read() as reader:
        body = await keys.jwks(reader)
        wanted = (await keys.algorithms(reader))[0]
        there = any(key.alg is wanted for key in await keys.public_keys(reader))
        lacks = await keys.encryption_wanted(reader) and not await keys.decryption_keys(reader)
    if lacks:  # nobody could encrypt to it yet
        await keys.keep_decryption(call.db, call.tenant)
        async with call.read() as reader:
            body = await keys.jwks(reader)
    if not there:  # nobody was given a token yet: an app that reads the keys at its start finds the one that will sign
        await keys.ensure(call.db, call.tenant, wanted.value)
        async with call.read() as reader:
            body = await keys.jwks(reader)
    return Raw(body, _MEDIA, headers=kept_for_all(call))


ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=PUBLIC, call=_jwks, summary="Show the public keys of the tenant (RFC 7517)", cors=Cors.METADATA, hot=True),
)
