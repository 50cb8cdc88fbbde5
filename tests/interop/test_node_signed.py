"""Other people's Node clients with the newer features, over https behind HAProxy: signed and pushed requests, bound tokens, devices, certificates."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from limen.app.demo.people import PASSWORD, PEOPLE
from tests.interop.modern import CALLBACK, SECRET, Keys
from tests.rig.fronted import Fronted

NODE = Path(__file__).parents[1] / "node"
LIBRARIES = ("openid_client", "oauth4webapi")
EMAIL = PEOPLE[0].email
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interop"), pytest.mark.parametrize("library", LIBRARIES)]


def run(front: Fronted, script: str, **given: Any) -> Any:
    """Run a script that trusts the proxy, for somebody who can sign in."""
    words = {"issuer": front.issuer, "redirect_uri": CALLBACK, "identifier": EMAIL, "password": PASSWORD, **given}
    environment = os.environ | {"NODE_EXTRA_CA_CERTS": str(front.authority)}
    done = subprocess.run(["node", f"{script}.mjs", json.dumps(words)], cwd=NODE, capture_output=True, text=True, timeout=90, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-4000:] + front.server.log.read_text()[-2000:]
    return json.loads(done.stdout)


def test_signed_pushed_bound_and_encrypted(front: Fronted, keys: Keys, library: str) -> None:
    """A stranger's client checks every signature of PAR, JAR, JARM, DPoP, an encrypted id_token and signed introspection, and finds nothing wrong.

    The tenant requires nonces in proofs: the first request is refused with one, and the client goes on with it.
    """
    said = run(front, f"{library}_signed", client_id="bank", **keys.private)
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert said["user"]["email"] == EMAIL
    assert (said["type"], said["parts"], said["back"]) == ("dpop", 5, ["response"])
    assert said["introspected"]["active"] is True
    assert said["introspected"]["cnf"]["jkt"]


def test_a_certificate_proves_the_client_and_holds_its_tokens(front: Fronted, library: str) -> None:
    """A stranger's client goes to the addresses for certificates by itself; with another certificate neither codes nor tokens are worth anything."""
    files = {name: str(front.client(name).write(front.server.folder / f"{library}-{name}.pem")) for name in ("vault", "thief")}
    said = run(front, f"{library}_certificate", client_id="vault", certificate=files["vault"], another=files["thief"])
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert (said["impostor"], said["stolen"]) == ("invalid_client", "invalid_token")


def test_a_television_is_let_in(front: Fronted, library: str) -> None:
    """A stranger's client polls at the pace it was told while its code is typed elsewhere, gets its tokens, and gets them once."""
    said = run(front, f"{library}_device", client_id="tv")
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert said["again"] == "invalid_grant"
    assert said.get("waiting", "authorization_pending") == "authorization_pending"


def test_code_and_id_token_together(front: Fronted, library: str) -> None:
    """A stranger's client of the hybrid flow finds both hashes right, and the same person at both ends."""
    said = run(front, f"{library}_hybrid", client_id="older", client_secret=SECRET)
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert said.get("implicit", said["claims"])["sub"] == said["user"]["sub"]


def test_a_client_that_registered_itself(front: Fronted, library: str) -> None:
    """A stranger's client registers, takes what it was given, and signs somebody in with it."""
    said = run(front, f"{library}_registers")
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert said["claims"]["aud"] == said["client"]["client_id"]


def test_a_till_asks_a_person_who_is_elsewhere(front: Fronted, keys: Keys, library: str) -> None:
    """A stranger's client asks on the back channel, waits at the pace it was told, and gets tokens of the person who said yes, once; a no is a no."""
    said = run(front, f"{library}_ciba", client_id="till", sign=keys.private["sign"])
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert said["user"]["email"] == EMAIL
    assert (said.get("waiting"), said.get("again")) in {("authorization_pending", "invalid_grant"), (None, None)}
    assert (said.get("denied"), said.get("unhinted")) in {("access_denied", "invalid_request"), (None, None)}
