"""Modules of the FAPI 2.0 plans about DPoP (RFC 9449)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from typing import Any, Final

from limen.platform.wire.jose import Alg
from tests.conformance.pushing import MINUTE, Plan
from tests.conformance.securing import PROOF
from tests.conformance.suite import App, b64
from tests.rig.prover import LEFT_OUT, Prover

NEAR: Final = 10
"""Seconds that clocks may differ."""


def key_of(app: App) -> Prover:
    """Return what the client's proofs are made with."""
    assert app.prover is not None
    return app.prover


def nbf_exp(plan: Plan) -> None:
    """Further dates in a proof are no error."""
    tokens = plan.tokens()
    now = int(plan.suite.now().timestamp())
    assert _asks(plan, tokens.access, nbf=now - NEAR, exp=now + MINUTE) == 200


def iat_before(plan: Plan) -> None:
    """Proofs of a clock that goes after ours."""
    _shifted(plan, -NEAR)


def iat_after(plan: Plan) -> None:
    """Proofs of one that goes before."""
    _shifted(plan, NEAR)


def _shifted(plan: Plan, by: int) -> None:
    key, app = key_of(plan.app), plan.app
    at = int(plan.suite.now().timestamp()) + by
    asked = plan.asked()
    back = plan.back(asked, dpop=key.proof("POST", f"{plan.suite.issuer}/oauth/par", iat=at))
    tokens = app.checked(app.token(app.redemption(back), dpop=key.proof("POST", f"{plan.suite.issuer}/oauth/token", iat=at)), asked["nonce"])
    assert _asks(plan, tokens.access, iat=at) == 200


def jkt_mismatch(plan: Plan) -> None:
    """`dpop_jkt` of another key than the proof beside it."""
    plan.refused(plan.form(plan.asked(dpop_jkt=Prover().jkt)), *PROOF)


def jkt_kept(plan: Plan) -> None:
    """A code is bound to `dpop_jkt`."""
    plan.not_redeemed(*PROOF, back=plan.back(plan.asked(dpop_jkt=Prover().jkt), dpop=""))


def proof_kept(plan: Plan) -> None:
    """A code is bound to the key of the proof it was pushed with."""
    other = Prover(clock=plan.suite)
    plan.not_redeemed(*PROOF, back=plan.back(plan.asked(), dpop=other.proof("POST", f"{plan.suite.issuer}/oauth/par")))


def jkt_right(plan: Plan) -> None:
    """The key of `dpop_jkt` redeems."""
    asked = plan.asked(dpop_jkt=key_of(plan.app).jkt)
    plan.app.redeemed(plan.back(asked), asked["nonce"])


def proof_right(plan: Plan) -> None:
    """The key of the proof redeems."""
    plan.tokens()


def _asks(plan: Plan, token: str, header: dict[str, Any] | None = None, key: Prover | None = None, **bent: Any) -> int:
    """Return userinfo's status for a bent proof."""
    prover = key or key_of(plan.app)
    return plan.app.userinfo(token, dpop=prover.proof("GET", f"{plan.suite.issuer}/oauth/userinfo", token, header, **bent)).status_code


def negative(plan: Plan) -> None:
    """Every bent proof is refused, and a good one counts afterwards."""
    token = plan.tokens().access
    for name, status in _bent(plan, token):
        assert status in {400, 401}, name
    url = f"{plan.suite.issuer}/oauth/userinfo"
    host = plan.suite.issuer.removeprefix("https://")
    for htu in (f"{url}?query=yes#part", f"HTTPS://{host.upper()}/oauth/userinfo"):
        assert _asks(plan, token, htu=htu) == 200, htu
    assert _asks(plan, token, {"extra": "member"}, extra="claim") == 200
    assert plan.app.userinfo(token).status_code == 200


def _bent(plan: Plan, token: str) -> Iterator[tuple[str, int]]:
    key, app, now = key_of(plan.app), plan.app, int(plan.suite.now().timestamp())
    for member in ("jti", "htm", "htu", "iat", "ath"):
        left: dict[str, Any] = {member: LEFT_OUT}
        yield f"without {member}", _asks(plan, token, **left)
    for member in ("typ", "alg", "jwk"):
        yield f"without {member}", _asks(plan, token, {member: LEFT_OUT})
    yield "typ", _asks(plan, token, {"typ": "jwt"})
    yield "none", _asks(plan, token, {"alg": "none"})
    yield "another alg", _asks(plan, token, {"alg": "RS256"})
    yield "private key", _asks(plan, token, {"jwk": {**key.jwk, "d": b64(secrets.token_bytes(32))}})
    yield "htm", _asks(plan, token, htm="POST")
    yield "htu", _asks(plan, token, htu=f"{plan.suite.issuer}/oauth/token")
    yield "an hour to come", _asks(plan, token, iat=now + 60 * MINUTE)
    yield "an hour ago", _asks(plan, token, iat=now - 60 * MINUTE)
    yield "ath", _asks(plan, token, ath=b64(b"something else"))
    yield "another key", _asks(plan, token, key=Prover(clock=plan.suite))
    yield "RS256", _asks(plan, token, key=Prover(Alg.RS256, clock=plan.suite))
    good = key.proof("GET", f"{plan.suite.issuer}/oauth/userinfo", token)
    yield "no JWT", app.userinfo(token, dpop="not.a.jwt").status_code
    yield "signature", app.userinfo(token, dpop=_scratched(good)).status_code
    assert app.userinfo(token, dpop=good).status_code == 200
    yield "again", app.userinfo(token, dpop=good).status_code
    fresh = [key.proof("GET", f"{plan.suite.issuer}/oauth/userinfo", token) for _ in range(2)]
    headers = [("authorization", f"DPoP {token}"), *(("dpop", one) for one in fresh)]
    yield "two", app.http.get(f"{plan.suite.issuer}/oauth/userinfo", headers=headers).status_code
    yield "none at all", app.userinfo(token, dpop="").status_code
    yield "as Bearer", app.userinfo(token, dpop="", scheme="Bearer").status_code


def _scratched(token: str) -> str:
    """Return a JWT whose claims are not those that were signed."""
    head, body, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{b64(json.dumps({**said, 'jti': 'another'}).encode())}.{signature}"
