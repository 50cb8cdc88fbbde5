"""`limen.toml` and its variables: what is read, and how a mistake is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.app import settings
from limen.app.reading import Misconfigured, Wrong, duration, duration_text
from limen.app.settings import DatabaseSettings, ServerSettings
from limen.platform.crypto import KeyringSettings

DEV = """
[server]
listen = "127.0.0.1:8400"
base_url = "http://localhost:8400"
mode = "dev"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "limen.toml"
    file.write_text(text)
    return file


def test_the_file_of_the_manual_is_read(tmp_path: Path) -> None:
    """Every key has its place, and relative paths start at the file."""
    text = DEV + 'workers = 1\ntrusted_proxies = ["10.0.0.0/8"]\n[database]\nurl = "sqlite:///var/limen.db"\n[keyring]\nfile = "keys/master.key"\n'
    loaded = settings.load(written(tmp_path, text), {})
    server = loaded.of(ServerSettings)
    assert (server.listen, server.dev, server.trusted_proxies) == ("127.0.0.1:8400", True, ("10.0.0.0/8",))
    assert loaded.of(DatabaseSettings).url == f"sqlite:///{tmp_path}/var/limen.db"
    keyring = loaded.of(KeyringSettings)
    assert (keyring.file, keyring.epochs) == (tmp_path / "keys/master.key", tmp_path / "keys/epochs")
    assert (keyring.epoch, keyring.by_itself) == (timedelta(days=30), True)
    loaded = settings.load(written(tmp_path, DEV + '[keyring]\nrotation = "0s"\n'), {})
    assert (loaded.of(KeyringSettings).epoch, loaded.of(KeyringSettings).by_itself) == (timedelta(days=30), False)


def test_absolute_database_paths_stay_as_they_are(tmp_path: Path) -> None:
    """Four slashes are an absolute path."""
    loaded = settings.load(written(tmp_path, DEV + '[database]\nurl = "sqlite:////srv/limen.db"'), {})
    assert loaded.of(DatabaseSettings).url == "sqlite:////srv/limen.db"


def test_variables_stand_over_the_file(tmp_path: Path) -> None:
    """LIMEN_<SECTION>_<KEY> overrides the file; the master key's variable is left to its owner."""
    environ = {"LIMEN_SERVER_LISTEN": "[::1]:9000", "LIMEN_SERVER_TRUSTED_PROXIES": "10.0.0.7, 10.1.0.0/16", "LIMEN_MASTER_KEY": "x", "HOME": "/root"}
    server = settings.load(written(tmp_path, DEV), environ).of(ServerSettings)
    assert server.address == ("::1", 9000)
    assert server.trusted_proxies == ("10.0.0.7", "10.1.0.0/16")


def test_port_moves_the_issuer_in_dev_mode_only(tmp_path: Path) -> None:
    """`--port` moves listen, and base_url with it where that is Limen's own on this machine; an https address is that of a proxy."""
    server = settings.load(written(tmp_path, DEV), {}, port=9100).of(ServerSettings)
    assert (server.listen, server.base_url) == ("127.0.0.1:9100", "http://localhost:9100")
    public = settings.load(written(tmp_path, '[server]\nbase_url = "https://id.example.com"'), {}, port=9100).of(ServerSettings)
    assert (public.listen, public.base_url) == ("127.0.0.1:9100", "https://id.example.com")
    proxied = settings.load(written(tmp_path, DEV.replace("http://localhost:8400", "https://localhost:8443")), {}, port=9100).of(ServerSettings)
    assert (proxied.listen, proxied.base_url) == ("127.0.0.1:9100", "https://localhost:8443")
    six = settings.load(written(tmp_path, DEV.replace("localhost", "[::1]")), {}, port=9100).of(ServerSettings)
    assert six.base_url == "http://[::1]:9100"


MISTAKES = [
    ('[server]\nlistne = "127.0.0.1:1"\n', {}, ("[server] listne", "limen.toml line 2", "unknown key", "`listen`")),
    ('[sever]\nlisten = "x"\n', {}, ("sever", "line 1", "unknown section", "`server`")),
    ("workers = 2\n", {}, ("workers", "line 1", "unknown key", "nearest")),
    ("server = 2\n", {}, ("server", "must be a table", "[server]")),
    ('[server]\nworkers = "2"\n', {}, ("[server] workers", "line 2", "a whole number, not text")),
    ("[server]\nworkers = true\n", {}, ("[server] workers", "a whole number, not true or false")),
    ("[server]\nlisten = 8400\n", {}, ("[server] listen", "must be text, not a whole number", '"..."')),
    ('[server]\ntrusted_proxies = "10.0.0.1"\n', {}, ("[server] trusted_proxies", "must be a list, not text")),
    ('[server]\ntrusted_proxies = ["proxy.example"]\n', {}, ("trusted_proxies", "proxy.example", "10.0.0.0/8")),
    ('[server]\nmode = "devel"\n', {}, ("[server] mode", "`devel` is none of production, dev", "`dev`")),
    ('[server]\nlisten = "8400"\n', {}, ("[server] listen", "no address and port", "127.0.0.1:9400")),
    ('[server]\nlisten = "127.0.0.1:99999"\n', {}, ("[server] listen", "no address and port")),
    ("", {}, ("[server] base_url", "https", 'mode = "dev"')),
    ('[server]\nbase_url = "http://id.example.com"\n', {}, ("[server] base_url", "https", 'mode = "dev"')),
    ('[server]\nbase_url = "https://id.example.com/"\n', {}, ("[server] base_url", "alone", '"https://id.example.com"')),
    ('[server]\nbase_url = "https://id.example.com/login"\n', {}, ("[server] base_url", "https://id.example.com")),
    ('[server]\nbase_url = "https://ID.example.com"\n', {}, ("[server] base_url", "lower case")),
    ('[server]\nbase_url = "https://user@id.example.com"\n', {}, ("[server] base_url",)),
    ('[server]\nbase_url = "https://id.example.com:port"\n', {}, ("[server] base_url", "port")),
    ('[server]\nbase_url = "id.example.com"\n', {}, ("[server] base_url", "id.example.com")),
    ('[server]\nmode = "dev"\nlisten = "0.0.0.0:8400"\n', {}, ("dev mode", "this machine alone")),
    ('[server]\nmode = "dev"\nbase_url = "http://id.example.com"\n', {}, ("dev mode", "this machine alone")),
    (DEV + "workers = 2\n", {}, ("[server] workers", "line 6", "PostgreSQL", "workers = 1")),
    (DEV + "workers = 0\n", {}, ("[server] workers",)),
    (DEV + '[database]\nurl = "mysql://x/y"\n', {}, ("[database] url", "line 7", "mysql", "postgresql://")),
    (DEV + '[database]\nurl = "postgresql://host"\n', {}, ("[database] url",)),
    (DEV + '[database]\nurl = "postgresql://user:hush@host:port/name"\n', {}, ("[database] url: host and port cannot be read", "host:5432")),
    (DEV + '[database]\nurl = "postgresql://host/name?pool_size=0"\n', {}, ("[database] url: pool_size is from 1 to 1000", "?pool_size=16")),
    (DEV + '[database]\nurl = "postgresql://host/name?pool_size=many"\n', {}, ("[database] url: pool_size",)),
    (DEV + '[keyring]\nfile = ["a"]\n', {}, ("[keyring] file", "must be text, not a list")),
    (DEV + '[keyring]\nrotation = "1d"\n', {}, ("[keyring] rotation", "between 7d and 90d", '"30d"')),
    (DEV + '[keyring]\nrotation = "1w"\nepochs = 3\n', {}, ("[keyring] epochs",)),
    (DEV, {"LIMEN_SERVER_LISTN": "x"}, ("LIMEN_SERVER_LISTN", "unknown variable", "`LIMEN_SERVER_LISTEN`")),
    (DEV, {"LIMEN_MASTERKEY": "x"}, ("LIMEN_MASTERKEY", "unknown variable", "`LIMEN_MASTER_KEY`")),
    (DEV, {"LIMEN_SERVER_WORKERS": "many"}, ("variable LIMEN_SERVER_WORKERS", "a whole number, not text")),
    (DEV + '[http]\nhead_time = "1h"\n', {}, ("[http] head_time", "between 100ms and 5m", '"10s"')),
    (DEV + '[http]\nbody_time = "0s"\n', {}, ("[http] body_time", "between 100ms and 5m", '"10s"')),
    ("[server\n", {}, ("limen.toml line 1",)),
    ("[server]\nlisten = 1\nlisten = 2\n", {}, ("limen.toml line 3",)),
]


@pytest.mark.parametrize(("text", "environ", "says"), MISTAKES)
def test_a_mistake_is_told_with_key_reason_and_suggestion(tmp_path: Path, text: str, environ: dict[str, str], says: tuple[str, ...]) -> None:
    """Start-up is refused, and the sentence names the place, the reason and what to write."""
    with pytest.raises(Misconfigured) as refused:
        settings.load(written(tmp_path, text), environ)
    for part in says:
        assert part in refused.value.public


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Editors on Windows begin a file with one."""
    (tmp_path / "limen.toml").write_bytes(b"\xef\xbb\xbf" + DEV.encode())
    assert settings.load(tmp_path / "limen.toml", {}).of(ServerSettings).dev


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Three wrong keys are three lines, so that nobody starts the server four times."""
    with pytest.raises(Misconfigured) as refused:
        settings.load(written(tmp_path, '[server]\nlistne = 1\nworkers = "x"\n[databse]\n'), {})
    assert len(refused.value.mistakes) == 3
    assert refused.value.public.count("\n") == 2


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    """No file: the message says how to get one."""
    with pytest.raises(Misconfigured, match="limen init --config"):
        settings.load(tmp_path / "limen.toml", {})


def test_a_secret_stays_out_of_the_file(tmp_path: Path) -> None:
    """`env:NAME` and `file:PATH` are followed; a variable that is not there is a mistake that names it."""
    file = written(tmp_path, DEV + '[mail]\nurl = "smtps://user@mail.example:465"\nsender = "id@mail.example"\npassword = "env:MAIL_PASSWORD"\n')
    settings.load(file, {"MAIL_PASSWORD": "hush"})
    with pytest.raises(Misconfigured, match="MAIL_PASSWORD") as refused:
        settings.load(file, {})
    assert "hush" not in refused.value.public
    file.write_text(file.read_text().replace("env:MAIL_PASSWORD", "env:"))
    with pytest.raises(Misconfigured, match="`env:` names no variable"):
        settings.load(file, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", timedelta(seconds=90)), ("10m", timedelta(minutes=10)), ("24h", timedelta(days=1)), ("30d", timedelta(days=30)), ("0s", timedelta())],
)
def test_durations_are_a_number_and_a_unit(text: str, value: timedelta) -> None:
    """The spellings of the manual are read."""
    assert duration(text) == value


@pytest.mark.parametrize("text", ["", "10", "10 m", "-1h", "1.5h", "01h", "1h30m", "1y", "9999999999d", "\u0661h", 10, None, ["1h"]])
def test_what_is_no_duration_is_refused(text: object) -> None:
    """No guess is made about a unit."""
    with pytest.raises(Wrong, match="no duration"):
        duration(text)


@given(st.integers(min_value=0, max_value=999_999_999))
def test_durations_are_written_as_they_are_read(milliseconds: int) -> None:
    """What is printed for a duration reads back to it."""
    value = timedelta(milliseconds=milliseconds)
    assert duration(duration_text(value)) == value


NO_WAY = (
    ('[notices]\nsms = "twilo"', "sms: `twilo` is no transport for it. There are generic_http, smtp_to_sms, twilio"),
    ('[notices]\nvoice = "smtp_to_sms"', "voice: `smtp_to_sms` is no transport for it. There are generic_http, twilio"),
    ('[notices]\nsms = "generic_http"', "sms: its transport is not set up (not_configured). Fill in [generic_http]"),
    (
        '[notices]\nvoice = "twilio"\n[twilio]\naccount = "AC1"\nsecret = "x"\nsender = "Acme"',
        "voice: its transport is not set up (no_caller_configured). Fill in [twilio]",
    ),
)


@pytest.mark.parametrize(("text", "says"), NO_WAY)
def test_a_way_to_telephones_that_cannot_be_gone_is_told_at_start(tmp_path: Path, text: str, says: str) -> None:
    """An unknown transport, one that cannot call, and one whose section is not filled in."""
    with pytest.raises(Misconfigured) as refused:
        settings.load(written(tmp_path, DEV + text), {})
    assert says in str(refused.value)
