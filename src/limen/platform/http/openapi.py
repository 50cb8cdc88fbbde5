"""The description of the API (OpenAPI 3.1), made from the same values that serve it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from limen.kernel.errors import LimenError
from limen.platform.http.answers import Raw
from limen.platform.http.endpoint import FORM_MEDIA, PUBLIC, Cors, Endpoint, WhoKind
from limen.platform.http.errors import BearerRefused, ScopeMissing, SlowDown, TooLarge, WrongMedia, status_of_kind
from limen.platform.http.refusing import Problem
from limen.platform.http.site import Site
from limen.platform.wire.bodies import BadJson
from limen.platform.wire.forms import BadForm

if TYPE_CHECKING:
    from limen.platform.http.call import Call

_REFERENCE: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_MOST_SITES: Final = 100

Node = dict[str, Any]
"""A JSON object of the document, whose shape OpenAPI defines."""


def openapi(endpoints: Iterable[Endpoint], site: Site) -> Node:
    """Return the document for one tenant: every endpoint under /api, and nothing else."""
    mine = sorted((one for one in endpoints if one.api), key=lambda one: (one.path, one.method))
    kinds: set[type] = {Problem}
    for one in mine:
        kinds |= {kind for kind in (one.gives, one.query) if kind is not None}
        if isinstance(one.takes, type) and issubclass(one.takes, msgspec.Struct):
            kinds.add(one.takes)
    ordered = sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))
    schemas, components = msgspec.json.schema_components(ordered, schema_hook=_of_any, ref_template=_REFERENCE)
    known = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, Node] = {}
    for one in mine:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, known, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Limen", "version": "v1", "description": "The API of Limen, for services with an access token."},
        "servers": [{"url": site.issuer}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"oauth2": _security(mine, site)}},
    }


def _of_any(kind: type) -> Node:
    """Return the schema of `object`: any JSON."""
    if kind is object:
        return {"description": "Any JSON."}  # an empty schema, which says the same, is taken for none
    raise NotImplementedError


def _security(endpoints: Iterable[Endpoint], site: Site) -> Node:
    scopes = sorted({one.who.scope for one in endpoints if one.who.scope})
    flow = {"tokenUrl": f"{site.issuer}/oauth/token", "scopes": dict.fromkeys(scopes, "")}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}


def _operation(one: Endpoint, known: Mapping[type, Node], components: Mapping[str, Node]) -> Node:
    operation: Node = {"summary": one.summary, "operationId": _name(one), "tags": [one.path.split("/")[-1 if one.path.count("/") < 3 else 3]]}  # noqa: PLR2004 - /api/v1/<subject>
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PARAMETER.findall(one.path)]
    if one.query is not None:
        parameters += _query(known[one.query], components)
    if parameters:
        operation["parameters"] = parameters
    if one.takes is not None:
        schema = known.get(one.takes, {"type": "object"})
        operation["requestBody"] = {"required": True, "content": {media: {"schema": schema} for media in one.media_taken}}
    operation["responses"] = _responses(one, known)
    operation["security"] = [{"oauth2": [one.who.scope]}] if one.who.kind is WhoKind.SCOPE else []
    return operation


def _query(schema: Node, components: Mapping[str, Node]) -> list[Node]:
    """Return the members of the query's Struct as parameters."""
    shape = components[schema["$ref"].rpartition("/")[2]]
    required = shape.get("required", ())
    found = []
    for name, member in shape.get("properties", {}).items():
        described = {key: value for key, value in member.items() if key != "default" or value is not None}
        found.append({"name": name, "in": "query", "required": name in required, "schema": described})
    return found


def _responses(one: Endpoint, known: Mapping[type, Node]) -> Node:
    success: Node = {"description": "Done."}
    if one.gives is not None:
        success["content"] = {"application/json": {"schema": known[one.gives]}}
    responses: Node = {str(one.status): success}
    problem = {"application/problem+json": {"schema": known[Problem]}}
    codes: dict[int, set[str]] = {}
    for error in (*one.refusals, *_own_refusals(one)):
        codes.setdefault(status_of_kind(error), set()).add(error.code)
    for status, names in sorted(codes.items()):
        responses[str(status)] = {"description": ", ".join(f"`{name}`" for name in sorted(names)), "content": problem}
    responses["default"] = {"description": "Any other refusal.", "content": problem}
    return responses


def _own_refusals(one: Endpoint) -> tuple[type[LimenError], ...]:
    """Return what the edge itself may refuse."""
    found: list[type[LimenError]] = []
    if one.who.kind is WhoKind.SCOPE:
        found += [BearerRefused, ScopeMissing, SlowDown]
    if one.query is not None:
        found.append(BadForm)
    if one.takes is not None:
        found += [BadForm if FORM_MEDIA in one.media_taken else BadJson, TooLarge, WrongMedia]
    return tuple(found)


def _name(one: Endpoint) -> str:
    words = re.findall(r"[A-Za-z0-9]+", one.path.removeprefix("/api/").partition("/")[2] or one.path)
    return "_".join((one.method.lower(), *words))


def description(endpoints: tuple[Endpoint, ...]) -> Endpoint:
    """Return the endpoint that serves the document of each tenant."""
    made: dict[str, bytes] = {}

    async def call(call: Call) -> Raw:
        document = made.get(call.site.issuer)
        if document is None:
            if len(made) >= _MOST_SITES:
                made.clear()
            document = made[call.site.issuer] = msgspec.json.encode(openapi(endpoints, call.site))
        return Raw(document, "application/json", headers=(("cache-control", "public, max-age=300"),))

    return Endpoint(method="GET", path="/api/openapi.json", who=PUBLIC, call=call, cors=Cors.METADATA, summary="This description.", hot=True)
