"""`make bench`: Limen and node oidc-provider, one core each, in the same run, as one table with ratios.

The server under measurement has core 0 for itself, the load maker (this process) core 1, where PostgreSQL runs too, so the figures are the
server's own. CPU is what the kernel counted for the process, divided by the requests answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.figures import Figure, interpreter, markdown, pin_self, processor_seconds, resident_megabytes, version_of
from bench.load import Load, chain, press
from bench.password import password_sign_ins
from bench.targets import TENANT, Limen, Peer, Target
from bench.weights import fetched, page_weights
from tests.rig.postgres import Cluster

OPERATIONS = ("client credentials", "code exchange", "refresh", "introspection", "userinfo")


async def measured(target: Target, what: str, figure: Figure, run: Callable[[], Awaitable[Load]]) -> None:
    """Run once and note rate, CPU per request and p99; every answer must be a good one."""
    before = processor_seconds(target.pid)
    load = await run()
    used = processor_seconds(target.pid) - before
    bad = {status: count for status, count in load.statuses.items() if not 200 <= status < 400}
    if bad:
        raise RuntimeError(f"{target.name}, {what}: answers {bad}")
    figure.rates.append(load.rate)
    figure.costs.append(used / len(load.times) * 1e6)
    figure.p99.append(load.at(0.99))


async def rounds(target: Target, count: int, scale: float) -> list[Figure]:
    """Measure every operation `count` times on a started target."""
    figures = {what: Figure(what, target.name, [], [], []) for what in OPERATIONS}
    await press(target.port, target.client_credentials(int(2000 * scale)))
    for _ in range(count):
        await measured(target, OPERATIONS[0], figures[OPERATIONS[0]], lambda: press(target.port, target.client_credentials(int(20_000 * scale))))
        codes = await target.codes(int(3000 * scale) + 16)
        await measured(target, OPERATIONS[1], figures[OPERATIONS[1]], lambda codes=codes: press(target.port, target.exchange(codes[16:])))  # type: ignore[misc] # bound now
        first = await press(target.port, target.exchange(codes[:16]), keep=True)
        starts = [target.refresh(answer) for answer in first.answers]
        await measured(target, OPERATIONS[2], figures[OPERATIONS[2]], lambda starts=starts: chain(target.port, starts, target.refresh, int(250 * scale)))  # type: ignore[misc] # likewise
        fresh = await press(target.port, target.exchange((await target.codes(1))[:1]), keep=True)
        token = json.loads(fresh.answers[0][2])["access_token"]
        await measured(target, OPERATIONS[3], figures[OPERATIONS[3]], lambda token=token: press(target.port, target.introspect(token, int(8000 * scale))))  # type: ignore[misc] # likewise
        await measured(target, OPERATIONS[4], figures[OPERATIONS[4]], lambda token=token: press(target.port, target.userinfo(token, int(8000 * scale))))  # type: ignore[misc] # likewise
    return list(figures.values())


def idle_share(pid: int, seconds: float) -> float:
    """Return the share of one core a server uses while nobody asks it anything, once what it does beside its start is over."""
    time.sleep(5)
    before = processor_seconds(pid)
    time.sleep(seconds)
    return (processor_seconds(pid) - before) / seconds


def many_tenants(count: int, clients: int) -> str:
    """Return a tenant file with many small tenants beside the one that is measured."""
    parts = [TENANT]
    for number in range(count):
        parts.append(f'[[tenant]]\nname = "t{number}"\n')
        for client in range(clients):
            secret = f"the-benchmark-secret-of-client-{number:05d}-{client:03d}"
            parts.append(f'[[tenant.client]]\nid = "svc{client}"\nkind = "service"\nsecret = "{secret}"\ngrants = ["client_credentials"]\n')
    return "".join(parts)


async def run(arguments: argparse.Namespace) -> None:
    """Measure everything and print the tables."""
    pin_self(1)
    scale, count = (0.1, 1) if arguments.quick else (1.0, 3)
    root = Path(tempfile.mkdtemp(prefix="limen-bench-"))
    peer = Peer()
    print(f"Limen: {interpreter()}")
    print(f"Peer:  oidc-provider on {version_of(peer.node, '--version')}, in memory")
    peer.start()
    tables = {"peer": await rounds(peer, count, scale)}
    notes = [("peer: memory after load", f"{resident_megabytes(peer.pid):.0f} MB", "")]
    peer.stop()
    postgres = Cluster()
    postgres.start()
    try:
        for name, url in (("Limen, SQLite", ""), ("Limen, PostgreSQL", postgres.url())):
            folder = root / name.rpartition(" ")[2].lower()
            folder.mkdir()
            tables[name] = await measure_limen(Limen(name, folder, url), notes, count, scale)
        notes += await measure_tenants(root, quick=arguments.quick)
    finally:
        postgres.drop()
        shutil.rmtree(root)
    print_table(tables)
    print()
    print(markdown(("figure", "measured", "bound"), notes))


async def measure_limen(target: Limen, notes: list[tuple[str, str, str]], count: int, scale: float) -> list[Figure]:
    """Measure one of Limen's databases: start, rest, protocol, and on SQLite the pages."""
    target.start()
    target.stop()
    ready = target.restart()
    fetched(f"{target.server.issuer}/signin")
    idle = idle_share(target.pid, 10 * max(scale, 0.3))
    notes += [
        (f"{target.name}: ready", f"{ready:.2f} s", "at most 1.5 s"),
        (f"{target.name}: idle CPU", f"{idle:.2%} of a core", "under 0.5 %"),
        (f"{target.name}: idle memory", f"{resident_megabytes(target.pid):.0f} MB", "at most 120 MB"),
    ]
    target.sign_up()
    figures = await rounds(target, count, scale)
    if not target.server.database:
        sign_in = await password_sign_ins(target, int(200 * scale) + 20)
        notes += [
            ("password sign-in from the app and back: CPU in Argon2", f"{sign_in.share:.1%}", "at least 85 %"),
            ("of it the page and its answer alone: CPU in Argon2", f"{sign_in.share_alone:.1%}", ""),
            ("password sign-in from the app and back", f"{sign_in.rate:.1f}/s, {sign_in.cost:.1f} ms CPU, of which {sign_in.hash_cost:.1f} ms Argon2", ""),
        ]
        weights = page_weights(target.server.issuer)
        notes += [(f"page weight {page}", f"{octets / 1000:.1f} kB, all resources, compressed", "at most 14 kB") for page, octets in weights.items()]
    target.stop()
    return figures


async def measure_tenants(root: Path, *, quick: bool) -> list[tuple[str, str, str]]:
    """Measure start-up and the CPU of a token with a thousand tenants of ten clients each, against one tenant, in this run."""
    tenants, clients = (50, 10) if quick else (1000, 10)
    alone, crowd = Limen("one tenant", root / "one"), Limen("many tenants", root / "many", tenants=many_tenants(tenants, clients))
    costs, ready = {}, 0.0
    for target in (alone, crowd):
        target.server.folder.mkdir()
        target.start()
        target.stop()
        ready = target.restart()
        await press(target.port, target.client_credentials(2000))
        figure = Figure("client credentials", target.name, [], [], [])
        for _ in range(3):
            await measured(target, figure.what, figure, lambda target=target: press(target.port, target.client_credentials(10_000)))  # type: ignore[misc] # bound now
        costs[target.name] = figure.cost
        target.stop()
    ratio = costs[crowd.name] / costs[alone.name]
    return [
        (f"{tenants:,} tenants with {clients} clients each: ready", f"{ready:.2f} s", "under 3 s"),
        (f"{tenants:,} tenants: CPU of a token to one tenant's", f"{ratio:.2f}x ({costs[crowd.name]:.0f} us)", "at most 1.1x"),
    ]


def print_table(tables: dict[str, list[Figure]]) -> None:
    """Print one row per operation and server, with the ratio of CPU to the peer's."""
    peer = {figure.what: figure for figure in tables["peer"]}
    rows = []
    for name, figures in tables.items():
        for figure in figures:
            ratio = "" if name == "peer" else f"{figure.cost / peer[figure.what].cost:.2f}x"
            rows.append((figure.what, figure.where, f"{figure.rate:,.0f}", f"{figure.cost:.0f}", f"{sorted(figure.p99)[len(figure.p99) // 2]:.1f}", ratio))
    rows.sort(key=lambda row: OPERATIONS.index(row[0]))
    print(markdown(("operation", "server", "requests/s", "CPU us", "p99 ms", "CPU to peer"), rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    asyncio.run(run(parser.parse_args()))
