"""What is said of refusals: to the app's developer in the specification's letters, to the operator by a reason and one sentence on what to do."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import structlog

from limen.modules import oauth
from limen.modules.oauth import advice
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.token.endpoint import GRANTS
from tests.modules.oauth.conftest import Door, answered

FOLDER: Final = Path(oauth.__file__).parent
LETTERS: Final = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
"""RFC 6749, 4.1.2.1 and 5.2."""
INSIDE: Final = re.compile(
    r"postgres|sql|select |insert |table|column|row\b|database|transaction|traceback|exception|asyncpg|apsw|/src|/var|/etc|\.py\b|limen\.|localhost",
    re.IGNORECASE,
)
MAKERS: Final = {"Refused", "_refused", "_invalid", "_wrong"}


def constants() -> Iterator[tuple[str, Refused]]:
    """Yield every refusal that is a constant of a module of the door."""
    for found in pkgutil.walk_packages(oauth.__path__, "limen.modules.oauth."):
        if ".migrations" in found.name:
            continue
        module = importlib.import_module(found.name)
        yield from ((f"{found.name}.{name}", value) for name, value in vars(module).items() if isinstance(value, Refused))


def written() -> Iterator[tuple[str, str, str]]:
    """Yield where a refusal is made inside a function, its literal words, and its reason; of what is put together, the literal parts."""
    for file in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                texts = [said for said in map(literal, node.args) if said]
                codes = [one.attr for one in node.args if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "Code"]
                reason = texts[-1] if re.fullmatch("[a-z_]+", texts[-1] if texts else "") else Code[codes[0]].value if codes else ""
                yield f"{file.relative_to(FOLDER)}:{node.lineno}", texts[0] if texts else "", reason


def literal(node: ast.expr) -> str:
    """Return the literal text of an argument."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values if isinstance(part, (ast.Constant, ast.FormattedValue))
        )
    return ""


def reasons() -> set[str]:
    """Return every reason there is."""
    missing = {f"{name}_missing" for grant in GRANTS.values() for name in grant.needs}
    inline = {reason for place, _, reason in written() if reason and not place.startswith(("dpop.py", "errors.py"))}
    return ({refusal.reason for _, refusal in constants()} | inline | missing) - {"x_missing"}


def test_each_reason_has_a_sentence_for_operators() -> None:
    """One sentence on what to do for every reason there is, and none for what there is not."""
    on_pages = {"unknown_client", "client_document_refused"}
    assert reasons() - advice.ADVICE.keys() == set()
    assert advice.ADVICE.keys() - reasons() == on_pages
    assert [one for one, sentence in advice.ADVICE.items() if not re.fullmatch(r"[A-Z][^\n]{20,200}\.", sentence)] == []


def test_descriptions_help_the_developer_and_nobody_else() -> None:
    """RFC 6749, 5.2: letters a description may have; a whole sentence; nothing of what is inside, and no secret of a kind that is made here."""
    found = [(name, refusal.why) for name, refusal in constants()] + [
        (place, text) for place, text, _ in written() if text and not re.fullmatch("[a-z_]+", text)
    ]
    assert len(found) > 150
    for name, text in found:
        assert LETTERS.fullmatch(text), (name, text)
        assert not INSIDE.search(text), (name, text)
        assert not re.search(r"lmn_|secret_", text), (name, text)
    assert [(name, text) for name, text in found if not (text.endswith(".") and len(text) > 12)] == []


STRANGE: Final = ['"', "\\", "\x07", "\u202e\U0001f600", "<script>", "a\r\nX: y", "x" * 5_000, "' OR 1=1 --", "%00"]


@pytest.mark.anyio
async def test_what_is_repeated_of_a_request_has_the_same_letters(door: Door) -> None:
    """Whatever an attacker writes into a request, descriptions stay within their letters and short: in JSON, in challenges and in the browser's address."""
    person = await door.person()
    for odd in STRANGE:
        for form in (
            {"grant_type": odd},
            {"grant_type": "client_credentials", "scope": odd},
            {"grant_type": "client_credentials", "scope": "read", "resource": odd},
            {"grant_type": "refresh_token", "refresh_token": odd},
            {"grant_type": "authorization_code", "code": odd, "redirect_uri": odd, "code_verifier": odd},
        ):
            answer = await door.token(auth="svc", **form)
            assert answer.status in (400, 401), form
            fit(answer.json()["error_description"])
        for changes in (
            {"scope": odd},
            {"prompt": odd},
            {"response_mode": odd},
            {"claims": odd},
            {"authorization_details": odd},
            {"max_age": odd},
            {"resource": odd},
        ):
            answer = await door.ask(person.browser, **changes)
            if answer.status == 303 and answer.location.startswith("https://shop.example"):
                fit(answered(answer).get("error_description", "Nothing was wrong."))
        shown = await door.userinfo(odd.encode("ascii", "ignore").decode().replace("\r\n", "").replace("\x07", ""))
        assert shown.status in (400, 401)
        fit(shown.headers["www-authenticate"].replace('"', ""))


def fit(text: str) -> None:
    """See that a description has the letters and length it may have."""
    assert LETTERS.fullmatch(text), text
    assert len(text) < 400, text


@pytest.mark.anyio
async def test_a_refusal_is_a_line_of_the_log_with_what_to_do(door: Door) -> None:
    """Reason and advice, once however often it comes; the fact beside it has the same reason; a person who must sign in first is no trouble."""
    advice._lines._told.clear()
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            assert (await door.token(auth="svc", grant_type="client_credentials", scope="nonsense")).status == 400
        await door.ask(door.browser(), prompt="none")
        await door.ask(door.browser(), redirect_uri="https://evil.example/")
        await door.ask(door.browser(), code_challenge=None, code_challenge_method=None)
    told = [line for line in lines if line["event"] == "oauth.refused"]
    assert [(line["reason"], line["log_level"]) for line in told] == [
        ("scope_not_registered", "warning"),
        ("unregistered_redirect_uri", "warning"),
        ("pkce_missing", "warning"),
    ]
    assert all(line["do"] == advice.ADVICE[line["reason"]] for line in told)
    assert told[2]["client"] == "shop"
    assert {fact.data["reason"] for fact in await door.facts("oauth.token_refused")} == {"scope_not_registered"}
