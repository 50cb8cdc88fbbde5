"""Other people's Node clients against a running server: what they call conformant is what apps will do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.rig.server import LimenServer

NODE = Path(__file__).parents[1] / "node"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interop")]


def run(script: str, **given: str) -> Any:
    done = subprocess.run(["node", script, json.dumps(given)], cwd=NODE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def test_openid_client_completes_code_refresh_revocation_and_sign_out(server: LimenServer, customer: dict[str, str]) -> None:
    """openid-client, as a confidential web application, needs nothing but the issuer."""
    said = run(
        "openid_client.mjs",
        issuer=server.issuer,
        client_id="shop",
        client_secret="a secret of the shop that only tests know",
        redirect_uri="http://127.0.0.1:9009/callback",
        return_uri="http://127.0.0.1:9009/bye",
        **customer,
    )
    assert said["claims"]["iss"] == server.issuer
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert said["user"]["email"] == customer["identifier"]
    assert said["user"]["email_verified"] is True
    assert said["active"] is True
    assert said["dead"] is False
    assert said["left"] == "http://127.0.0.1:9009/bye?state=bye"
    assert said["refused"] == "login_required"


def test_oauth4webapi_completes_code_and_refresh_as_a_public_client(server: LimenServer, customer: dict[str, str]) -> None:
    """oauth4webapi, as a native application on a loopback port of its own choice, has no secret; its refresh tokens rotate and die."""
    said = run("oauth4webapi.mjs", issuer=server.issuer, client_id="phone", redirect_uri="http://127.0.0.1:51004/callback", **customer)
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert said["rotated"] is True
    assert said["gone"] == "invalid_grant"
    assert said["same"] is True


def test_oauth4webapi_binds_its_tokens_to_a_key(server: LimenServer, customer: dict[str, str]) -> None:
    """oauth4webapi proves possession of its key for code, userinfo and refresh, nonces and all; without the key, or with another, nothing is given."""
    said = run("dpop.mjs", issuer=server.issuer, client_id="phone", redirect_uri="http://127.0.0.1:51005/callback", **customer)
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert (said["type"], said["bound"], said["again"]) == ("dpop", True, 200)
    assert (said["stolen"], said["bent"], said["unproved"]) == ("invalid_token", "invalid_token", "invalid_grant")
