"""`make bench`: Limen and node oidc-provider, one core each, in the same run, as one table with ratios.

The server under measurement has core 0 for itself, the load maker (this process) core 1, where PostgreSQL runs too, so the figures are the
server's own. CPU is what the kernel counted for the process, divided by the requests answered. The servers take turns, round by round, so that
a machine that is slower for a while is slower for all of them; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TypeAlias

from bench.figures import Figure, interpreter, markdown, pin_self, processor_seconds, resident_megabytes, version_of
from bench.load import Load, chain, press
from bench.password import password_sign_ins
from bench.targets import SERVICE, TENANT, Limen, Peer, Target
from bench.weights import fetched, page_weights
from limen.modules.oauth import dpop
from tests.rig.postgres import Cluster
from tests.rig.prover import Prover

Note: TypeAlias = tuple[str, str, str]
"""What was measured, the figure, its bound."""

OPERATIONS = ("client credentials", "DPoP-bound token", "code exchange", "refresh", "introspection", "userinfo")


async def measured(target: Target, figure: Figure, run: Callable[[], Awaitable[Load]]) -> None:
    """Run once and note rate, CPU per request and p99; every answer must be a good one."""
    before = processor_seconds(target.pid)
    load = await run()
    used = processor_seconds(target.pid) - before
    bad = {status: count for status, count in load.statuses.items() if not 200 <= status < 400}
    if bad:
        raise RuntimeError(f"{target.name}, {figure.what}: answers {bad}")
    figure.rates.append(load.rate)
    figure.costs.append(used / len(load.times) * 1e6)
    figure.p99.append(load.at(0.99))


def nothing_yet(target: Target) -> dict[str, Figure]:
    """Return an empty row for each operation."""
    return {what: Figure(what, target.name, [], [], []) for what in OPERATIONS}


async def measure_round(target: Target, figures: dict[str, Figure], scale: float) -> None:
    """Measure every operation once on a started target."""
    await press(target.port, target.client_credentials(int(1000 * scale)))
    await measured(target, figures["client credentials"], lambda: press(target.port, target.client_credentials(int(10_000 * scale))))
    proofs = target.bound(Prover(), int(3000 * scale))
    await measured(target, figures["DPoP-bound token"], lambda: press(target.port, proofs))
    codes = await target.codes(int(2000 * scale) + 16)
    await measured(target, figures["code exchange"], lambda: press(target.port, target.exchange(codes[16:])))
    first = await press(target.port, target.exchange(codes[:16]), keep=True)
    starts = [target.refresh(answer) for answer in first.answers]
    await measured(target, figures["refresh"], lambda: chain(target.port, starts, target.refresh, int(200 * scale)))
    fresh = await press(target.port, target.exchange((await target.codes(1))[:1]), keep=True)
    token = json.loads(fresh.answers[0][2])["access_token"]
    await measured(target, figures["introspection"], lambda: press(target.port, target.introspect(token, int(5000 * scale))))
    await measured(target, figures["userinfo"], lambda: press(target.port, target.userinfo(token, int(5000 * scale))))


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
    scale, count = (0.1, 1) if arguments.quick else (1.0, 5)
    root = Path(tempfile.mkdtemp(prefix="limen-bench-"))
    peer = Peer()
    print(f"Limen: {interpreter()}")
    print(f"Peer:  oidc-provider on {version_of(peer.node, '--version')}, in memory")
    postgres = Cluster({"autovacuum_naptime": "1s"})  # the planner knows its tables, as it does a minute after they were made
    postgres.start()
    try:
        embedded, scaled = Limen("Limen, SQLite", root / "sqlite"), Limen("Limen, PostgreSQL", root / "postgresql", postgres.url())
        notes = [note for limen in (embedded, scaled) for note in begun(limen, 10 * max(scale, 0.3))]
        peer.start()
        tables = [(target, nothing_yet(target)) for target in (peer, embedded, scaled)]
        for _ in range(count):
            for target, figures in tables:
                await measure_round(target, figures, scale)
        notes.append(("peer: memory after load", f"{resident_megabytes(peer.pid):.0f} MB", ""))
        notes += await measure_people(embedded, int(200 * scale) + 20)
        for target, _ in tables:
            target.stop()
        notes += await measure_tenants(root, quick=arguments.quick)
        notes += await measure_clients(root, quick=arguments.quick)
        notes.append(("DPoP proof: 99 of 100 checked within", f"{proof_p99():.2f} ms", "at most 1 ms"))
    finally:
        postgres.drop()
        shutil.rmtree(root)
    print_table(*(list(figures.values()) for _, figures in tables))
    print()
    print(markdown(("figure", "measured", "bound"), notes))


def begun(target: Limen, seconds: float) -> list[Note]:
    """Start one of Limen's databases, and measure the start and `seconds` of rest."""
    target.server.folder.mkdir()
    target.start()
    target.stop()
    ready = target.restart()
    fetched(f"{target.server.issuer}/signin")
    idle = idle_share(target.pid, seconds)
    memory = resident_megabytes(target.pid)
    target.sign_up()
    return [
        (f"{target.name}: ready", f"{ready:.2f} s", "at most 1.5 s"),
        (f"{target.name}: idle CPU", f"{idle:.2%} of a core", "under 0.5 %"),
        (f"{target.name}: idle memory", f"{memory:.0f} MB", "at most 120 MB"),
    ]


async def measure_people(target: Limen, count: int) -> list[Note]:
    """Measure what people meet: sign-ins with a password, and the weight of the pages."""
    sign_in = await password_sign_ins(target, count)
    notes = [
        ("password sign-in, the page and its answer: CPU in Argon2", f"{sign_in.share_alone:.1%}", "at least 85 %"),
        ("with the app's request and its code: CPU in Argon2", f"{sign_in.share:.1%}", ""),
        ("with the app's request and its code", f"{sign_in.rate:.1f}/s, {sign_in.cost:.1f} ms CPU, of which {sign_in.hash_cost:.1f} ms Argon2", ""),
    ]
    weights = page_weights(target.server.issuer)
    return notes + [(f"page weight {page}", f"{octets / 1000:.1f} kB, all resources, compressed", "at most 14 kB") for page, octets in weights.items()]


async def measure_tenants(root: Path, *, quick: bool) -> list[Note]:
    """Measure start-up and the CPU of a token with a thousand tenants of ten clients each, against one tenant, taking turns."""
    tenants, clients = (50, 10) if quick else (1000, 10)
    alone, crowd = Limen("one tenant", root / "one"), Limen("many tenants", root / "many", tenants=many_tenants(tenants, clients))
    figures = {target.name: Figure("client credentials", target.name, [], [], []) for target in (alone, crowd)}
    ready = 0.0
    for target in (alone, crowd):
        target.server.folder.mkdir()
        target.start()
        target.stop()
        ready = target.restart()
        await press(target.port, target.client_credentials(2000))
    for _ in range(5):
        for target in (alone, crowd):
            await measured(target, figures[target.name], lambda target=target: press(target.port, target.client_credentials(5000)))  # type: ignore[misc] # bound now
    for target in (alone, crowd):
        target.stop()
    many = figures[crowd.name]
    return [
        (f"{tenants:,} tenants with {clients} clients each: ready", f"{ready:.2f} s", "under 3 s"),
        (f"{tenants:,} tenants: CPU of a token to one tenant's", f"{many.to(figures[alone.name]):.2f}x ({many.cost:.0f} us)", "at most 1.1x"),
    ]


def many_clients(count: int) -> str:
    """Return a tenant file with `count` services, all called in turn."""
    parts = [TENANT]
    for number in range(count):
        parts.append(f'[[tenant.client]]\nid = "svc{number}"\nkind = "service"\nsecret = "{SERVICE[1]}"\nscopes = ["read"]\n')
    return "".join(parts)


def in_turn(target: Target, clients: int, count: int) -> Iterator[bytes]:
    """Yield token requests of all clients, one after another."""
    requests = [target.token((f"svc{number}", SERVICE[1]), grant_type="client_credentials", scope="read") for number in range(min(clients, count))]
    return itertools.islice(itertools.cycle(requests), count)


async def measure_clients(root: Path, *, quick: bool) -> list[Note]:
    """Measure the CPU of a token with ten clients and with ten thousand, all of which ask, taking turns."""
    few, many = 10, 200 if quick else 10_000
    targets = {count: Limen(f"{count} clients", root / f"clients-{count}", tenants=many_clients(count)) for count in (few, many)}
    figures = {count: Figure("client credentials", target.name, [], [], []) for count, target in targets.items()}
    for count, target in targets.items():
        target.server.folder.mkdir()
        target.start()
        await press(target.port, in_turn(target, count, max(count, 2_000)))
    for _ in range(5):
        for count, target in targets.items():
            await measured(target, figures[count], lambda target=target, count=count: press(target.port, in_turn(target, count, many)))  # type: ignore[misc] # bound now
    for target in targets.values():
        target.stop()
    return [(f"{many:,} clients: CPU of a token to {few} clients'", f"{figures[many].to(figures[few]):.2f}x ({figures[many].cost:.0f} us)", "at most 1.1x")]


def proof_p99() -> float:
    """Return the milliseconds in which ninety-nine of a hundred DPoP proofs are checked, each of an app's own key that was not seen before."""
    url, taken = "https://id.example.com/oauth/token", []
    for proof in [Prover().proof("POST", url) for _ in range(2_000)]:
        begun = time.perf_counter()
        shown = dpop.read(proof, dpop.Shown("POST", url, datetime.now(UTC), timedelta(minutes=10)))
        taken.append(time.perf_counter() - begun)
        if not isinstance(shown, dpop.Proof):
            raise TypeError(shown)
    return sorted(taken)[int(len(taken) * 0.99)] * 1000


def print_table(*tables: list[Figure]) -> None:
    """Print one row per operation and server, the peer's first, with the ratio of CPU to it."""
    rows = []
    for operation in zip(*tables, strict=True):
        for figure in operation:
            ratio = "" if figure is operation[0] else f"{figure.to(operation[0]):.2f}x"
            rows.append((figure.what, figure.where, f"{figure.rate:,.0f}", f"{figure.cost:.0f}", f"{median(figure.p99):.1f}", ratio))
    print(markdown(("operation", "server", "requests/s", "CPU us", "p99 ms", "CPU to peer"), rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    asyncio.run(run(parser.parse_args()))
