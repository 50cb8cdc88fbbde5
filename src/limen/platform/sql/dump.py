"""Copies of a PostgreSQL database by PostgreSQL's own programs, and putting one back, whole or not at all.

The address goes to them without its password, which everybody on the machine could read among the processes: that goes by the environment.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from limen.platform.sql.backup import BackupRefused
from limen.platform.sql.lite import create_private
from limen.platform.sql.tables import METADATA

MAGIC: Final = b"PGDMP"
"""How a dump in the custom format begins."""
_DEBIAN: Final = Path("/usr/lib/postgresql")
_CHUNK: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 26
_COPY: Final = re.compile(r"COPY (?:\w+\.)?(\w+) \((.*)\) FROM stdin;")
_TABLE: Final = re.compile(r"\d+; \d+ \d+ TABLE public (\w+) .*")
_NEWER: Final = b"SET transaction_timeout = 0;"
"""What programs of version 17 begin with, and servers before do not know."""
_BARE: Final = ("--no-owner", "--no-privileges")


def program(name: str, debian: Path = _DEBIAN) -> str:
    """Return the path of `pg_dump`, `pg_restore` or `psql`; BackupRefused says what to install.

    On the PATH, else the newest in Debian's folder, where a server's package puts them without linking them.
    """
    if found := shutil.which(name):
        return found
    beside = [path for path in debian.glob(f"*/bin/{name}") if path.parent.parent.name.isdecimal()]
    if not beside:
        raise BackupRefused(
            operator=f"{name} is neither on the PATH nor in {debian}/*/bin. Install PostgreSQL's programs (Debian, Ubuntu: apt install postgresql-client)"
        )
    return str(max(beside, key=lambda path: int(path.parent.parent.name)))


def libpq(url: str) -> tuple[str, dict[str, str]]:
    """Return an address as PostgreSQL's programs take it, and the environment with its password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    user = f"{quote(unquote(parts.username), safe='')}@" if parts.username else ""
    query = urlencode([pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "pool_size"])
    environ = dict(os.environ)
    if parts.password:
        environ["PGPASSWORD"] = unquote(parts.password)
    return urlunsplit(("postgresql", user + place, parts.path, query, "")), environ


async def dump(url: str, target: Path) -> int:
    """Write the database as of now to `target`, readable by its owner only; return its size in octets. Writers go on meanwhile.

    The copy has its name only once it is complete. BackupRefused if `target` exists, or with what `pg_dump` said.
    """
    address, environ = libpq(url)
    with _new_file(target) as part:
        async with _running([program("pg_dump"), "--format=custom", *_BARE, f"--file={part}", f"--dbname={address}"], environ) as process:
            await _succeeded(process, "pg_dump")
        return part.stat().st_size


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """Give a private file to be filled, which gets its name if the block ends well, and goes if it does not."""
    if target.exists():
        raise BackupRefused(operator=f"{target} exists; a backup overwrites nothing")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    create_private(part)
    try:
        yield part
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


async def tables(file: Path) -> list[str]:
    """Return the tables a dump holds."""
    async with _running([program("pg_restore"), "--list", str(file)], dict(os.environ)) as process:
        found = [match[1] async for line in _lines(process) if (match := _TABLE.fullmatch(line.decode().strip()))]
        await _succeeded(process, "pg_restore")
    return found


async def counted(file: Path, columns: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Count the values of one column of some tables in a dump, without putting it back: `columns` is column by table."""
    tables = [word for name in columns for word in ("-t", name)]
    found = {name: Counter[str]() for name in columns}
    async with _running([program("pg_restore"), "--data-only", *tables, "--file=-", str(file)], dict(os.environ)) as process:
        table, place = "", -1
        async for raw in _lines(process):
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if table and line == "\\.":
                table = ""
            elif table:
                found[table][line.split("\t")[place]] += 1
            elif (head := _COPY.fullmatch(line)) and head[1] in columns:
                table, place = head[1], head[2].split(", ").index(columns[head[1]])
        await _succeeded(process, "pg_restore")
    return found


async def put_back(file: Path, url: str, told: Callable[[int], None] | None = None) -> None:
    """Replace Limen's tables by those of a dump, in one transaction: all of it happens or nothing. `told` hears the octets sent."""
    address, environ = libpq(url)
    reading = [program("pg_restore"), *_BARE, "--file=-", str(file)]
    writing = [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--dbname={address}"]
    known = {*METADATA.tables, *await tables(file)}  # what came after the copy goes too, or a later upgrade would meet it
    drops = "".join(f'DROP TABLE IF EXISTS public."{name}" CASCADE;\n' for name in sorted(known))
    async with _running(reading, environ) as source, _running(writing, environ, stdin=PIPE) as target:
        try:
            await _send(target, f"SET client_min_messages = warning;\nBEGIN;\nSET LOCAL lock_timeout = '5s';\n{drops}".encode())
            sent = 0
            while chunk := await _stdout(source).read(_CHUNK):
                await _send(target, chunk if sent else chunk.replace(_NEWER, b""))
                sent += len(chunk)
                if told is not None:
                    told(sent)
            await _succeeded(source, "pg_restore")
            await _send(target, b"COMMIT;\n")  # only now: a dump that ended in its middle leaves everything as it was
        except (BrokenPipeError, ConnectionResetError):
            pass  # psql ended first, and says why
        _stdin(target).close()
        await _succeeded(target, "psql")


async def users(url: str) -> int:
    """Return how many connections of Limen there are to the database."""
    return int(await _asked(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'limen'"))


async def holds_facts(url: str) -> bool:
    """Whether anything ever happened in the database."""
    if await _asked(url, "SELECT to_regclass('public.facts') IS NOT NULL") != "t":
        return False
    return await _asked(url, "SELECT EXISTS (SELECT FROM public.facts)") == "t"


async def _asked(url: str, sql: str) -> str:
    address, environ = libpq(url)
    words = [program("psql"), "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", f"--command={sql}", f"--dbname={address}"]
    async with _running(words, environ) as process:
        said = await _stdout(process).read()
        await _succeeded(process, "psql")
    return said.decode().strip()


@asynccontextmanager
async def _running(words: Sequence[str], environ: Mapping[str, str], *, stdin: int = asyncio.subprocess.DEVNULL) -> AsyncIterator[Process]:
    """Run a program for the length of the block; it does not outlive it."""
    process = await asyncio.create_subprocess_exec(*words, env=environ, stdin=stdin, stdout=PIPE, stderr=PIPE, limit=_LONGEST_LINE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _succeeded(process: Process, name: str) -> None:
    said = await process.stderr.read() if process.stderr else b""
    if await process.wait():
        lines = said.decode("utf-8", "replace").strip().splitlines() or [f"ended with {process.returncode}"]
        raise BackupRefused(operator=f"{lines[0] if name in lines[0] else f'{name}: {lines[0]}'}")


async def _send(process: Process, octets: bytes) -> None:
    _stdin(process).write(octets)
    await _stdin(process).drain()


async def _lines(process: Process) -> AsyncIterator[bytes]:
    while line := await _stdout(process).readline():
        yield line


def _stdout(process: Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise TypeError("started without a pipe")
    return process.stdout


def _stdin(process: Process) -> asyncio.StreamWriter:
    if process.stdin is None:
        raise TypeError("started without a pipe")
    return process.stdin
