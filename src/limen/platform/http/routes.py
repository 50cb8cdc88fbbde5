"""Finds the endpoint of a path: plain paths in a dict, those with parameters by Starlette's router."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from starlette.routing import Mount, Route, Router

from limen.platform.http.errors import NoSuchPlace
from limen.platform.http.plan import Plan
from limen.platform.http.site import PREFIX

_LONGEST_PATH: Final = 2_048
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Resource:
    """One path with its methods. It is the ASGI application of its route, and only says that it was found."""

    __slots__ = ("allow", "plans")

    def __init__(self) -> None:
        self.plans: dict[str, Plan] = {}
        self.allow = "OPTIONS"

    def add(self, plan: Plan) -> None:
        """Take one method; ValueError where two endpoints claim it."""
        method = plan.endpoint.method
        if method in self.plans:
            raise ValueError(f"two endpoints for {method} {plan.endpoint.path}")
        self.plans[method] = plan
        self.allow = ", ".join(sorted({*self.plans, *(("HEAD",) if "GET" in self.plans else ()), "OPTIONS"}))

    @property
    def pages(self) -> bool:
        """Whether people meet it in a browser."""
        return any(plan.pages for plan in self.plans.values())

    def plan(self, method: str) -> Plan | None:
        """Return the plan for a method; HEAD is a GET whose body is kept back."""
        return self.plans.get("GET" if method == "HEAD" else method)

    async def __call__(self, scope: Any, _receive: object, _send: object) -> None:  # noqa: ANN401 - ASGI
        scope["limen.found"] = self


class Routes:
    """All paths of the house."""

    __slots__ = ("_at_origin", "_plain", "_router")

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._plain: dict[str, Resource] = {}
        self._at_origin: dict[tuple[str, str], Resource] = {}
        patterns: dict[str, Resource] = {}
        for plan in plans:
            path = plan.endpoint.path
            if plan.endpoint.at_origin:
                self._at_origin.setdefault((path, plan.endpoint.behind), Resource()).add(plan)
                continue
            table = patterns if "{" in path else self._plain
            table.setdefault(path, Resource()).add(plan)
        self._router = _router(patterns)

    def plain(self, path: str) -> Resource | None:
        """Return the resource of a path without parameters."""
        return self._plain.get(path)

    def at_origin(self, path: str) -> tuple[Resource, str] | None:
        """Return the resource of a path at the origin, and the tenant's prefix in it (RFC 8414, section 3.1; RFC 9728, section 3.1)."""
        for (known, behind), resource in self._at_origin.items():
            if path == known + behind:
                return resource, ""
            if path.startswith(f"{known}{PREFIX}") and path.endswith(behind):
                return resource, path[len(known) : len(path) - len(behind)]
        return None

    async def parametrised(self, path: str) -> tuple[Resource, Mapping[str, str]] | None:
        """Return the resource and the decoded parameters of a raw path."""
        if len(path) > _LONGEST_PATH:
            return None
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        await self._router(scope, _nothing, _nothing)
        found = scope.get("limen.found")
        return (found, {name: _decoded(value) for name, value in scope["path_params"].items()}) if isinstance(found, Resource) else None


def _router(patterns: Mapping[str, Resource]) -> Router:
    """Return a router that looks at the first segment before it tries the patterns under it."""
    groups: dict[str, list[Route]] = {}
    for path, resource in sorted(patterns.items()):
        first = path.split("/")[1]
        if "{" in first:
            raise ValueError(f"{path}: the first segment names the subject, it is no parameter")
        groups.setdefault(first, []).append(Route(path.removeprefix(f"/{first}"), resource))
    mounts = [Mount(f"/{first}", Router(routes, redirect_slashes=False, default=_not_found)) for first, routes in groups.items()]
    return Router(mounts, redirect_slashes=False, default=_not_found)


async def _not_found(_scope: object, _receive: object, _send: object) -> None:
    """Leave the scope as it is."""


async def _nothing(*_: object) -> Any:  # noqa: ANN401 - stands for ASGI's receive and send, which looking up a route never calls
    raise RuntimeError("a route is only looked up")


def _decoded(value: str) -> str:
    if _BAD_ESCAPE.search(value):
        raise NoSuchPlace
    try:
        text = unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise NoSuchPlace from None
    if not text.isprintable():
        raise NoSuchPlace
    return text
