"""`[tenant.claims]` in a tenant's file: mistakes are told when it is applied, with their place; what is good comes back from an export."""

from __future__ import annotations

from pathlib import Path

import pytest

from limen.app.apply import apply
from limen.app.export import export
from limen.app.reading import Misconfigured
from limen.app.settings import ServerSettings
from limen.modules.claims.model import RESERVED
from tests.conftest import World

pytestmark = pytest.mark.anyio

HEAD = '[[tenant]]\nname = "acme"\n[tenant.claims]\n'
GOOD = """
scopes = { phone = ["address"] }
[tenant.claims.add.groups]
value = 'email.endsWith("@acme.example") ? ["staff"] : []'
scopes = ["profile"]
clients = ["shop"]
tokens = ["userinfo", "id_token"]
[tenant.claims.add."https://acme.example/country"]
attribute = "address.country"
scopes = ["profile"]
"""


async def bring(world: World, folder: Path, text: str) -> list[str]:
    file = folder / "acme.toml"
    file.write_text(text)
    return [str(one) for one in (await apply(world.db, file, ServerSettings(base_url="https://id.example.com"), {})).changes]


async def test_what_is_applied_is_exported_and_applied_again(world: World, tmp_path: Path) -> None:
    """The second time nothing differs; a change of one claim is told."""
    assert await bring(world, tmp_path, HEAD + GOOD)
    assert await bring(world, tmp_path, HEAD + GOOD) == []
    exported = "".join([part async for part in export(world.db)])
    assert "https://acme.example/country" in exported
    assert await bring(world, tmp_path, exported) == []
    changed = await bring(world, tmp_path, HEAD + GOOD.replace('"staff"', '"crew"'))
    assert len(changed) == 1
    assert "claims" in changed[0]


ADDED = '[tenant.claims.add.tier]\nscopes = ["profile"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            ADDED + 'value = "profile.nam"',
            "acme.toml line 6: [tenant.claims.add.tier] value: column 8: there is no `profile.nam`. The nearest known name is `profile.name`",
        ),
        (ADDED + 'value = "1 +"', "acme.toml line 6: [tenant.claims.add.tier] value: column 4: ends too early"),
        (ADDED + "value = '''\nemail\n + 1'''", "[tenant.claims.add.tier] value: line 2, column 2: `+` cannot be applied to (string, int)"),
        (ADDED + 'value = "now"', "value: gives timestamp, which JSON has not. Int(...) makes seconds"),
        (ADDED + f'value = "{" + ".join(["email"] * 20)}"', "value: column 103: there are more than 12 sums"),
        (ADDED + 'value = "1"\nattribute = "name"', "value: give either this or attribute"),
        (ADDED, "value: give either this or attribute"),
        (
            ADDED + 'attribute = "surname"',
            "acme.toml line 6: [tenant.claims.add.tier] attribute: `surname` is no standard claim. The nearest known name is `name`",
        ),
        (ADDED + 'attribute = "name"\ntoken = []', "acme.toml line 7: [tenant.claims.add.tier] token: unknown key. The nearest known name is `tokens`"),
        (ADDED + 'attribute = "name"\ntokens = ["userinf"]', "acme.toml line 7: [tenant.claims.add.tier] tokens: `userinf` is none of userinfo"),
        (ADDED + 'attribute = "name"\ntokens = []', "[tenant.claims.add.tier] tokens: it is told nowhere"),
        ('[tenant.claims.add.tier]\nattribute = "name"', "[tenant.claims.add.tier] scopes: without any, everybody would be told"),
        ("add = { tier = 7 }", "[tenant.claims.add] tier: must be a table. Write [tenant.claims.add.tier]"),
        ('[tenant.claims.add."a b"]\nattribute = "name"\nscopes = ["openid"]', "[tenant.claims] add: `a b` is no name of a claim"),
        ('[tenant.claims.add.email]\nvalue = "\'root@acme.example\'"\nscopes = ["openid"]', "add: `email` says what was proved, and is told as it is"),
        ('[tenant.claims.add.phone_number_verified]\nvalue = "true"\nscopes = ["openid"]', "add: `phone_number_verified` says what was proved"),
        ('scopes = { openid = ["nam"] }', "[tenant.claims] scopes: `nam` is no standard claim. The nearest known name is `name`"),
    ],
)
async def test_a_mistake_is_told_with_its_place(world: World, tmp_path: Path, text: str, told: str) -> None:
    """File, line, table, key, place within the expression, reason, and what to write."""
    with pytest.raises(Misconfigured) as refused:
        await bring(world, tmp_path, HEAD + text)
    assert told in str(refused.value)


@pytest.mark.parametrize("name", sorted(RESERVED))
async def test_claims_of_the_protocol_cannot_be_set(world: World, tmp_path: Path, name: str) -> None:
    """In whatever case: who reads them would believe them."""
    for spelt in (name, name.upper()):
        with pytest.raises(Misconfigured, match="belongs to the protocol"):
            await bring(world, tmp_path, HEAD + f'[tenant.claims.add."{spelt}"]\nvalue = "1"\nscopes = ["openid"]')


async def test_every_mistake_is_told_at_once(world: World, tmp_path: Path) -> None:
    """Of two claims, both."""
    with pytest.raises(Misconfigured) as refused:
        await bring(world, tmp_path, HEAD + ADDED + 'value = "x"\n' + ADDED.replace("tier", "rank") + 'value = "y"')
    assert len(refused.value.mistakes) == 2
