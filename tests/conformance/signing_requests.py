"""Modules of `fapi2-message-signing-final`: signed requests, signed answers, signed introspection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc.jwk import RSAKey

from tests.conformance.pushing import MINUTE, Module, Plan
from tests.conformance.registering import BITS
from tests.conformance.securing import HOUR, MOST
from tests.conformance.suite import header, unsigned


def _object(*, good: bool = False, **bent: Any) -> Module:
    def module(plan: Plan) -> None:
        """A request object that is bent is refused where it is pushed; one that is only unusual is taken."""
        now, asked = int(plan.suite.now().timestamp()), plan.asked()
        made = {name: value(plan, now) if callable(value) else value for name, value in bent.items()}
        form = {"client_id": asked["client_id"], "request": plan.object_(asked, **made)}
        if not good:
            plan.refused(form, *MOST)
            return
        answer = plan.push(form)
        assert answer.status_code == 201, answer.text
        assert plan.go(answer.json()["request_uri"]).said["state"] == asked["state"]

    return module


multiple_aud = _object(good=True, aud=lambda plan, _: ["https://other.example/", plan.suite.issuer])
nbf_8 = _object(good=True, nbf=lambda _, now: now + 8)
no_exp = _object(exp=None)
no_nbf = _object(nbf=None)
expired = _object(exp=lambda _, now: now - 5 * MINUTE, nbf=lambda _, now: now - 10 * MINUTE)
bad_aud = _object(aud="https://other.example/")
exp_over_60 = _object(exp=lambda _, now: now + HOUR + 10 * MINUTE)
nbf_over_60 = _object(nbf=lambda _, now: now - HOUR - 10 * MINUTE)
rs256 = _object(alg="RS256")
other_key = _object(key=lambda plan, _: plan.other.who.key)
no_redirect_uri = _object(redirect_uri=None)
unknown_key = _object(key=lambda plan, _: RSAKey.generate_key(BITS, {"kid": plan.app.who.key.kid}, private=True))


def _pushes(plan: Plan, token: str, **beside: str) -> None:
    plan.refused({"client_id": plan.app.who.id, "request": token, **beside}, *MOST)


def none(plan: Plan) -> None:
    """`alg: none` signs nothing."""
    now = int(plan.suite.now().timestamp())
    _pushes(plan, unsigned({**plan.asked(), "iss": plan.app.who.id, "aud": plan.suite.issuer, "nbf": now, "exp": now + MINUTE}))


def scratched(plan: Plan) -> None:
    """Nor does a signature of something else."""
    first, second = plan.object_(plan.asked()), plan.object_(plan.asked())
    _pushes(plan, ".".join((*first.split(".")[:2], second.split(".")[2])))


def plain(plan: Plan) -> None:
    """A request that is not signed is refused where it is pushed."""
    plan.refused(plan.asked(), *MOST)


def nested(plan: Plan) -> None:
    """A request object holds no name of another request."""
    name = plan.pushed(plan.asked())
    _pushes(plan, plan.object_({**plan.asked(), "request_uri": name}))


def state_outside(plan: Plan) -> None:
    """A state beside the object is not used."""
    asked = plan.asked(state=None)
    back = plan.go(_named(plan, {"client_id": asked["client_id"], "request": plan.object_(asked), "state": "outside"}))
    assert "state" not in back.said


def _differs(name: str) -> Module:
    def module(plan: Plan) -> None:
        """What stands in the object counts, whatever the browser carries beside its name."""
        asked = plan.asked()
        app = plan.app
        outside = {"client_id": app.who.id, "request_uri": plan.pushed(asked), name: "outside"}
        back = plan.opened(app, app.go(outside))
        assert back.said["state"] == asked["state"]
        assert app.redeemed(back, asked["nonce"]).access

    return module


nonce_differs = _differs("nonce")
state_differs = _differs("state")


def _named(plan: Plan, form: Mapping[str, str]) -> str:
    answer = plan.push(form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["request_uri"])


def introspection(plan: Plan) -> None:
    """Introspection answers as a JWT for the client that asks (RFC 9701); no module of the suite's asks for it."""
    tokens, app = plan.tokens(), plan.app
    fields, headers = app.proof_of()
    answer = app.http.post(
        plan.suite.metadata["introspection_endpoint"],
        data={**fields, "token": tokens.access},
        headers={**headers, "accept": "application/token-introspection+jwt"},
    )
    assert answer.headers["content-type"].startswith("application/token-introspection+jwt")
    assert header(answer.text)["typ"] == "token-introspection+jwt"
    said = plan.suite.verified(answer.text)
    assert (said["iss"], said["aud"]) == (plan.suite.issuer, app.who.id)
    assert said["token_introspection"]["active"] is True
    assert "sub" not in said
