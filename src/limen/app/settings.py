"""Reads `limen.toml` and `LIMEN_<SECTION>_<KEY>` into settings dataclasses: those of the server, and those packages have.

A package has settings when its `settings.py` declares a frozen dataclass `Server` with `section: ClassVar[str]`. Nothing is optional about
a mistake: an unknown key, an unknown variable or an impossible value ends start-up with a sentence that says what to write.
"""

from __future__ import annotations

import enum
import ipaddress
import os
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from limen.app import discover
from limen.app.reading import Mistake, Source, key_of, nearest, read_file, record
from limen.platform.crypto import KeyringSettings
from limen.platform.duties.settings import BadSetting, Running, Settings, parse_listen

PREFIX: Final = "LIMEN_"
ELSEWHERE: Final = frozenset({"LIMEN_MASTER_KEY"})
"""Variables that are read by their owner: the keyring takes its master key from the environment."""

_SQLITE: Final = "sqlite:///"
_MOST_CONNECTIONS: Final = 1000
_LONGEST_DRAIN: Final = timedelta(minutes=5)
_EPOCH: Final = timedelta(days=30)
_SHORTEST_EPOCH: Final = timedelta(days=7)
_LONGEST_EPOCH: Final = timedelta(days=90)


class Mode(enum.Enum):
    """What the server is run for. Dev mode and its relaxations hang on it alone."""

    PRODUCTION = "production"
    DEV = "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """`[server]`: where it listens and what the world calls it."""

    section: ClassVar[str] = "server"
    listen: str = "127.0.0.1:8400"
    """Address and port; `[::1]:8400` for IPv6."""
    base_url: str = "http://localhost:8400"
    """Scheme, host and port: the issuer of the default tenant, and what the others stand under."""
    mode: Mode = Mode.PRODUCTION
    """`dev` opens the mailbox and the clock under `/dev`, for this machine alone; `production` needs an `https://` base_url."""
    workers: int = 1
    """Processes on the one socket; more than one need PostgreSQL."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose Forwarded, X-Forwarded-For and Client-Cert are believed."""

    drain: timedelta = timedelta()
    """How long it goes on answering after SIGTERM while /health/ready says no, so that load balancers look elsewhere first: twice their interval."""

    def __post_init__(self) -> None:
        if not timedelta() <= self.drain <= _LONGEST_DRAIN:
            raise BadSetting("server.drain", "must be from 0s to 5m", 'Write twice the interval of your load balancer, such as "10s"')
        host, _ = self.address
        if host != "localhost" and not _is_network(host):
            raise BadSetting("server.listen", f"`{host[:60]}` is no IP address", 'Write "127.0.0.1:8400", or "0.0.0.0:8400" for all interfaces')
        _check_base_url(self.base_url)
        if self.workers not in range(1, 65):
            raise BadSetting("server.workers", "must be from 1 to 64", "One for each core is usual")
        for proxy in self.trusted_proxies:
            if not _is_network(proxy):
                raise BadSetting("server.trusted_proxies", f"`{proxy[:60]}` is no address or network", 'Write "10.0.0.7" or "10.0.0.0/8"')
        if self.dev:
            self._check_dev(host)
        elif self.base_url.startswith("http:"):
            raise BadSetting("server.base_url", "production needs an https:// address", 'Write the public address, or mode = "dev" to try things here')

    def _check_dev(self, host: str) -> None:
        if not _is_loopback(host):
            raise BadSetting("server.listen", "dev mode opens doors for this machine alone", 'Write "127.0.0.1:8400", or mode = "production"')
        if not _is_loopback(urlsplit(self.base_url).hostname or ""):
            raise BadSetting("server.base_url", "dev mode is for this machine alone", 'Write "http://localhost:8400", or mode = "production"')

    @property
    def dev(self) -> bool:
        """Whether the extra routes of dev mode exist."""
        return self.mode is Mode.DEV

    @property
    def address(self) -> tuple[str, int]:
        """`listen` as host and port; port 0 lets the system choose."""
        return parse_listen("server.listen", self.listen)


def _check_base_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadSetting("server.base_url", f"`{url[:60]}` is no web address", 'Write "https://id.example.com"') from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise BadSetting("server.base_url", f"`{url[:60]}` is no web address", 'Write "https://id.example.com"')
    bare = f"{parts.scheme}://{parts.netloc.lower()}"
    if url != bare:
        raise BadSetting("server.base_url", "is scheme, host and port alone, in lower case", f'Write "{bare}"')


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_network(host) and "/" not in host and ipaddress.ip_address(host).is_loopback)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """`[database]`: where everything but the keys is kept."""

    section: ClassVar[str] = "database"
    url: str = "sqlite:///var/limen.db"
    """`sqlite:///path` (relative to the file; four slashes for an absolute path) or `postgresql://user@host/name`, where
    `?pool_size=16` says how many connections a process keeps at most."""

    def __post_init__(self) -> None:
        if self.url.startswith(_SQLITE) and len(self.url) > len(_SQLITE):
            return
        if self.is_postgresql and _address_of(self.url).path.strip("/"):
            _check_pool_size(self.url)
            return
        shown = urlsplit(self.url).scheme or "this"
        raise BadSetting("database.url", f"`{shown}` names no database", 'write "sqlite:///var/limen.db" or "postgresql://user@host/name"')

    @property
    def place(self) -> str:
        """Return where it is, as an operator is told: the file, or host and name without user and password."""
        if self.is_postgresql:
            parts = urlsplit(self.url)
            return parts.netloc.rpartition("@")[2] + parts.path
        return unquote(self.url.removeprefix(_SQLITE))

    @property
    def is_postgresql(self) -> bool:
        """Whether several processes may share it."""
        return self.url.startswith("postgresql://")


def _address_of(url: str) -> SplitResult:
    """Take the address of a PostgreSQL database apart, without its password in what is said of it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadSetting("database.url", "host and port cannot be read", 'write "postgresql://user@host:5432/name"') from None
    return parts


def _check_pool_size(url: str) -> None:
    for size in parse_qs(urlsplit(url).query, keep_blank_values=True).get("pool_size", ()):
        if not (size.isascii() and size.isdigit() and 1 <= int(size) <= _MOST_CONNECTIONS):
            raise BadSetting("database.url", f"pool_size is from 1 to {_MOST_CONNECTIONS}", 'write "postgresql://user@host/name?pool_size=16"')


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringPlace:
    """`[keyring]`: where the keys are, which never stand in the database."""

    # `load` answers `KeyringSettings`, which has whole paths.
    section: ClassVar[str] = "keyring"
    file: Path = Path("var/master.key")
    """The master key, unless `LIMEN_MASTER_KEY` has it; keep a copy apart from backups of the database."""
    epochs: Path | None = None
    """Folder of the epoch keys, shared by all processes; `epochs` beside the master key unless given. Never keep a copy with a backup."""
    rotation: timedelta = _EPOCH
    """How long an epoch lasts before servers begin the next one by themselves, 7d to 90d: erasure reaches every backup within two. `0s`: only when
    a command says so."""

    def __post_init__(self) -> None:
        if self.rotation and not _SHORTEST_EPOCH <= self.rotation <= _LONGEST_EPOCH:
            raise BadSetting("keyring.rotation", "must lie between 7d and 90d, or be 0s, which means never by itself", 'Write "30d"')


def section_of(kind: type) -> str:
    """Return the name of the table a settings dataclass is read from."""
    name = getattr(kind, "section", None)
    if not isinstance(name, str):
        message = f"{kind.__module__}.{kind.__name__} has no `section: ClassVar[str]`"
        raise TypeError(message)
    return name


def sections() -> dict[str, type]:
    """Return every section of `limen.toml` with the dataclass it is read into."""
    own: dict[str, type] = {section_of(one): one for one in (ServerSettings, DatabaseSettings, KeyringPlace)}
    more = [(package, kind) for package, kinds in discover.gathered(("settings",), "SECTIONS", tuple) for kind in kinds]
    for package, kind in (*discover.gathered(("settings",), "Server", type), *more):
        name = section_of(kind)
        if own.setdefault(name, kind) is not kind:
            message = f"{package}: section [{name}] is taken"
            raise TypeError(message)
    return own


def load(file: Path | None, environ: Mapping[str, str] = os.environ, *, port: int | None = None, workers: int | None = None) -> Settings:
    """Read the file (None: defaults and environment alone); `port` overrides that of `listen` and, in dev mode, of an `http://` `base_url`; `workers` its like.

    Raises `Misconfigured` with every mistake there is.
    """
    source = read_file(file, environ, makes=f"`limen init --config {file}` makes a configuration") if file else Source(None, {}, environ)
    kinds = sections()
    for name in source.tables.keys() - kinds.keys():
        source.wrong((name,), "unknown section" if isinstance(source.tables[name], dict) else "unknown key", nearest(name, kinds))
    tables = _tables(source, kinds)
    _overlay(source, kinds, tables, environ)
    if port is not None:
        _move(tables["server"], port)
        source.origins["server", "listen"] = "option --port"
    if workers is not None:
        tables["server"]["workers"] = workers
        source.origins["server", "workers"] = "option --workers"
    made = {name: record(kind, source, (name,), tables[name]) for name, kind in kinds.items()}
    _check_together(source, made)
    _check_ways(source, made)
    source.finish()
    server = made["server"]
    if not isinstance(server, ServerSettings):
        raise TypeError("section server is made from another class")
    running = Running(dev=server.dev, base_url=server.base_url)
    return Settings([running, *(_placed(one, source.folder) for one in made.values())])


def _check_together(source: Source, made: Mapping[str, object]) -> None:
    """Find what is wrong only in company."""
    server, database = made["server"], made["database"]
    if isinstance(server, ServerSettings) and isinstance(database, DatabaseSettings) and server.workers > 1 and not database.is_postgresql:
        source.wrong(("server", "workers"), "several processes need PostgreSQL", 'Write workers = 1, or [database] url = "postgresql://user@host/name"')


def _check_ways(source: Source, made: Mapping[str, object]) -> None:
    """Find what keeps messages to telephones from leaving, before the first waits for it."""
    from limen.modules import notices  # noqa: PLC0415 - most servers write to no telephones, and commands start sooner without

    server = made["notices"]
    if not source.mistakes and isinstance(server, notices.Server) and (server.sms or server.voice):
        notices.install(discover.plugged("transports"))
        for flaw in notices.flaws(Settings(made.values())):
            source.wrong(("notices", flaw.channel), flaw.reason, flaw.suggestion)


def _tables(source: Source, kinds: Iterable[str]) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = {}
    for name in kinds:
        table = source.tables.get(name, {})
        if not isinstance(table, dict):
            source.wrong((name,), "must be a table", f"Write [{name}] on a line of its own")
            table = {}
        tables[name] = dict(table)
    return tables


def _overlay(source: Source, kinds: Mapping[str, type], tables: dict[str, dict[str, object]], environ: Mapping[str, str]) -> None:
    """Put variables over the file's values; an unknown one is a mistake, since a typing error would silently change nothing."""
    known = {f"{PREFIX}{name}_{key_of(key)}".upper(): (name, key) for name, kind in kinds.items() for key in _hints(kind)}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in ELSEWHERE:
            continue
        if variable not in known:
            source.mistakes.append(Mistake(variable, "unknown variable", nearest(variable, [*known, *ELSEWHERE])))
            continue
        section, name = known[variable]
        source.origins[section, key_of(name)] = f"variable {variable}"
        tables[section][key_of(name)] = _from_text(_hints(kinds[section])[name], environ[variable])


def _hints(kind: type) -> dict[str, object]:
    return {name: hint for name, hint in typing.get_type_hints(kind).items() if typing.get_origin(hint) is not ClassVar}


def _from_text(kind: object, text: str) -> object:
    """Return the TOML value a variable stands for; what does not fit stays text, and is refused like text in the file."""
    if kind is int and text.isascii() and text.removeprefix("-").isdigit():
        return int(text)
    if kind is bool and text in ("true", "false"):
        return text == "true"
    if typing.get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _move(server: dict[str, object], port: int) -> None:
    default = ServerSettings(mode=Mode.DEV)
    listen = str(server.get("listen", default.listen))
    server["listen"] = f"{listen.rpartition(':')[0]}:{port}"
    url = urlsplit(str(server.get("base_url", default.base_url)))
    if server.get("mode") == Mode.DEV.value and url.scheme == "http":  # https is a proxy's, which stays where it is
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        server["base_url"] = f"{url.scheme}://{host}:{port}"


def _placed(settings: object, folder: Path) -> object:
    """Make relative paths, those of defaults too, relative to the file's folder."""
    if isinstance(settings, DatabaseSettings) and not settings.is_postgresql:
        return replace(settings, url=_SQLITE + quote(str(folder / unquote(settings.url.removeprefix(_SQLITE)))))
    if isinstance(settings, KeyringPlace):
        file = folder / settings.file
        epochs = folder / settings.epochs if settings.epochs else file.parent / "epochs"
        return KeyringSettings(file=file, epochs=epochs, epoch=settings.rotation or _EPOCH, by_itself=bool(settings.rotation))
    if not is_dataclass(settings) or isinstance(settings, type):
        return settings
    moved = {one.name: folder / value for one in fields(settings) if isinstance(value := getattr(settings, one.name), Path)}
    return replace(settings, **moved) if moved else settings
