"""mod_auth_openidc in Debian's Apache: a site that was never written for Limen, protected by it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.server import LimenServer
from tests.rig.walker import Walker

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interop")]

CONFIG = """
ServerRoot "{folder}"
ServerName 127.0.0.1
PidFile "{folder}/apache.pid"
Listen 127.0.0.1:{port}
ErrorLog "{folder}/error.log"
DocumentRoot "{folder}/site"
User www-data
Group www-data
{modules}
TypesConfig /etc/mime.types
DirectoryIndex index.html
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID shop
OIDCClientSecret "a secret of the shop that only tests know"
OIDCRedirectURI http://127.0.0.1:{port}/shop/back
OIDCCryptoPassphrase "a passphrase for the cookies of this test"
OIDCPKCEMethod S256
OIDCScope "openid email profile offline_access"
OIDCCookieSameSite On
OIDCInfoHook access_token userinfo id_token session
<Directory "{folder}/site">
  Require all granted
</Directory>
<Location /shop>
  AuthType openid-connect
  Require valid-user
  Header always set X-Customer "expr=%{{REMOTE_USER}}"
</Location>
"""
MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_basic", "dir", "mime", "headers", "auth_openidc")


@pytest.fixture
def apache(server: LimenServer, ports: dict[str, int], tmp_path: Path) -> Iterator[str]:
    """Debian's Apache on a port of its own; stopped by the process id it wrote."""
    (tmp_path / "site" / "shop").mkdir(parents=True)
    (tmp_path / "site" / "shop" / "index.html").write_text("<p>the shop's inside</p>")
    (tmp_path / "site" / "bye.html").write_text("<p>gone</p>")
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):  # noqa: S108 pytest's own folder, closed to others by default
            path.chmod(0o755)
    loads = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
    config = tmp_path / "apache.conf"
    config.write_text(CONFIG.format(folder=tmp_path, port=ports["apache"], issuer=server.issuer, modules=loads))
    process = subprocess.Popen(["/usr/sbin/apache2", "-f", str(config), "-DFOREGROUND"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    base = f"http://127.0.0.1:{ports['apache']}"
    for _ in range(200):
        if process.poll() is not None:
            raise AssertionError((process.stderr.read() if process.stderr else b"").decode())
        try:
            Walker().once(f"{base}/bye.html")
            break
        except OSError:
            time.sleep(0.05)
    yield base
    process.terminate()
    process.wait(10)
    if process.stderr:
        process.stderr.close()


def test_a_site_behind_mod_auth_openidc_knows_the_customer_refreshes_and_signs_her_out(apache: str, server: LimenServer, customer: dict[str, str]) -> None:
    """The module finds Limen by its metadata, signs the customer in with PKCE, renews her access token and ends both sessions."""
    walker = Walker()
    inside = walker.walk(f"{apache}/shop/", customer, re.compile(f"^{apache}/shop/$"))
    assert not isinstance(inside, str)
    assert inside.status == 200, inside.words
    assert "the shop's inside" in inside.text
    assert inside.headers["x-customer"].startswith("acc_")

    before = json.loads(walker.get(f"{apache}/shop/back?info=json").text)
    assert before["userinfo"]["email"] == customer["identifier"]
    walker.get(f"{apache}/shop/back?refresh={apache}/bye.html&access_token={before['access_token']}")
    after = json.loads(walker.get(f"{apache}/shop/back?info=json").text)
    assert after["access_token"] != before["access_token"]

    gone = walker.get(f"{apache}/shop/back?logout={apache}/bye.html")
    assert "gone" in gone.text, gone.words
    asked = walker.walk(f"{apache}/shop/", {}, re.compile(re.escape(server.issuer) + "/signin"))
    assert not isinstance(asked, str) or "/signin" in asked
