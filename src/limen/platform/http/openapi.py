"""The description of the API (OpenAPI 3.1), made from the same values that serve it: what it does not list does not happen."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from limen.kernel.errors import LimenError
from limen.platform.http.answers import Raw
from limen.platform.http.endpoint import FORM_MEDIA, PUBLIC, Cors, Endpoint, WhoKind
from limen.platform.http.errors import (
    BadRequest,
    BearerRefused,
    HeadersTooLarge,
    Misdirected,
    NoSuchPlace,
    ScopeMissing,
    SlowDown,
    TooLarge,
    TooSlow,
    WrongMedia,
    status_of_kind,
)
from limen.platform.http.refusing import Problem
from limen.platform.http.site import Site
from limen.platform.wire.bodies import BadJson
from limen.platform.wire.forms import BadForm

if TYPE_CHECKING:
    from limen.platform.http.call import Call

_REFERENCE: Final = "#/components/schemas/{name}"
_MOST_SITES: Final = 100
_CREATED: Final = 201

Node = dict[str, Any]
"""A JSON object of the document, whose shape OpenAPI defines."""


def _header(text: str, *, always: bool = True) -> Node:
    return {"description": text, "required": always, "schema": {"type": "string"}}


_ETAG: Final = {"ETag": _header("The record's version (RFC 9110, section 8.8.3).")}
_LOCATION: Final = {"Location": _header("Where the new record is.")}
_CHALLENGE: Final = {"WWW-Authenticate": _header("RFC 6750, section 3; RFC 9449, section 7.1.")}
_NONCE: Final = {"DPoP-Nonce": _header("What to put into the next proof, where one came (RFC 9449, section 9).", always=False)}
_RETRY: Final = {"Retry-After": _header("Seconds after which it is worth trying again.")}
_IF_MATCH: Final[Node] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was read: the change is refused where the record has another by now (RFC 9110, section 13.1.1).",
    "schema": {"type": "string"},
}
_HEADERS: Final[Mapping[int, Node]] = {401: _CHALLENGE | _NONCE, 403: _CHALLENGE, 429: _RETRY, 503: _RETRY}
_EDGE: Final = (BearerRefused, ScopeMissing, TooSlow, TooLarge, WrongMedia, Misdirected, SlowDown, HeadersTooLarge)
"""Refusals that are alone under their status at most endpoints: described once, and referred to."""
_OURS: Final = {
    500: ("Broken", "A defect of ours; `detail` has the reference under which the log tells more."),
    503: ("Unavailable", "Something that is needed is not there right now; `code` says what."),
}
"""What is nobody's request's fault, and may happen to every one."""


def openapi(endpoints: Iterable[Endpoint], site: Site) -> Node:
    """Return the document for one tenant: every endpoint under /api, and nothing else."""
    mine = sorted((one for one in endpoints if one.api), key=lambda one: (one.path, one.method))
    kinds: set[type] = {Problem}
    for one in mine:
        kinds |= {kind for kind in (one.gives, _struct(one)) if kind is not None}
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
        "tags": [{"name": tag} for tag in sorted({_tag(one) for one in mine})],
        "paths": paths,
        "components": {"schemas": components, "responses": _shared(known[Problem]), "securitySchemes": {"oauth2": _security(mine, site)}},
    }


def _of_any(kind: type) -> Node:
    """Return the schema of `object`: any JSON."""
    if kind is object:
        return {"description": "Any JSON."}  # an empty schema, which says the same, is taken for none
    raise NotImplementedError


def _struct(one: Endpoint) -> type[msgspec.Struct] | None:
    """Return the Struct an endpoint takes as its body."""
    return one.takes if isinstance(one.takes, type) and issubclass(one.takes, msgspec.Struct) else None


def _security(endpoints: Iterable[Endpoint], site: Site) -> Node:
    """Return how a token is had; a scope is described by what it opens."""
    scopes: dict[str, list[str]] = {}
    for one in endpoints:
        if one.who.scope:
            scopes.setdefault(one.who.scope, []).append(one.summary.rstrip("."))
    described = {scope: f"{'. '.join(summaries)}." for scope, summaries in sorted(scopes.items())}
    return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": f"{site.issuer}/oauth/token", "scopes": described}}}


def _operation(one: Endpoint, known: Mapping[type, Node], components: dict[str, Node]) -> Node:
    operation: Node = {"summary": one.summary, "operationId": _name(one), "tags": [_tag(one)]}
    parameters = [_part(one, name) for name in one.parameters]
    if one.query is not None:
        parameters += _query(one.query, components)
    if one.if_match:
        parameters.append(_IF_MATCH)
    if parameters:
        operation["parameters"] = parameters
    if one.takes is not None:
        operation["requestBody"] = _body(one, known)
    operation["responses"] = _responses(one, known)
    operation["security"] = [{"oauth2": [one.who.scope]}] if one.who.kind is WhoKind.SCOPE else []
    return operation


def _part(one: Endpoint, name: str) -> Node:
    described = {"description": one.parts[name]} if name in one.parts else {}
    return {"name": name, "in": "path", "required": True, **described, "schema": {"type": "string"}}


def _query(kind: type[msgspec.Struct], components: dict[str, Node]) -> list[Node]:
    """Return the members of the query's Struct as parameters."""
    (reference,), parts = msgspec.json.schema_components([kind], schema_hook=_of_any, ref_template=_REFERENCE)
    shape = parts.pop(reference["$ref"].rpartition("/")[2])
    components |= parts
    required = shape.get("required", ())
    return [{"name": name, "in": "query", "required": name in required, **_described(member)} for name, member in shape["properties"].items()]


def _described(schema: Node) -> Node:
    """Return schema and description, side by side."""
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"description": schema["description"], "schema": rest} if "description" in schema else {"schema": rest}


def _body(one: Endpoint, known: Mapping[type, Node]) -> Node:
    """Return the body; one that is nothing but defaults may be left out."""
    struct = _struct(one)
    schema = {"type": "object"} if struct is None else known[struct]
    required = struct is None or any(field.required for field in msgspec.structs.fields(struct))
    return {"required": required, "content": {media: {"schema": schema} for media in one.media_taken}}


def _responses(one: Endpoint, known: Mapping[type, Node]) -> Node:
    success: Node = {"description": "Done."}
    headers = {**(_ETAG if one.etag else {}), **(_LOCATION if one.status == _CREATED else {})}
    if headers:
        success["headers"] = headers
    if one.gives is not None:
        success["content"] = {"application/json": {"schema": known[one.gives]}}
    errors: dict[int, list[type[LimenError]]] = {}
    for error in dict.fromkeys((*one.refusals, *own_refusals(one))):
        errors.setdefault(status_of_kind(error), []).append(error)
    responses: Node = {str(one.status): success}
    for status, found in sorted(errors.items()):
        alone = len(found) == 1 and found[0] in _EDGE
        responses[str(status)] = _referred(found[0].__name__) if alone else _refusal(status, found, known[Problem])
    return responses | {str(status): _referred(name) for status, (name, _) in _OURS.items()}


def _referred(name: str) -> Node:
    return {"$ref": f"#/components/responses/{name}"}


def _refusal(status: int, errors: Iterable[type[LimenError]], problem: Node) -> Node:
    """Return the response of one status: its codes, each in its error's own words."""
    told = [f"- `{error.code}`: {' '.join(error.__doc__.split())}" if error.__doc__ else f"- `{error.code}`" for error in sorted(errors, key=_code)]
    schema = {"allOf": [problem], "properties": {"status": {"const": status}, "code": {"enum": sorted({error.code for error in errors})}}}
    return _response(status, "\n".join(told), schema)


def _code(error: type[LimenError]) -> str:
    return error.code


def _response(status: int, text: str, schema: Node) -> Node:
    headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
    return {"description": text, **headers, "content": {"application/problem+json": {"schema": schema}}}


def _shared(problem: Node) -> Node:
    """Return the responses that are referred to."""
    edge = {error.__name__: _refusal(status_of_kind(error), (error,), problem) for error in _EDGE}
    return edge | {name: _response(status, text, problem) for status, (name, text) in _OURS.items()}


def own_refusals(one: Endpoint) -> tuple[type[LimenError], ...]:
    """Return what the edge itself may refuse."""
    found: list[type[LimenError]] = [BadRequest, Misdirected, HeadersTooLarge]
    if one.who.kind is WhoKind.SCOPE:
        found += [BearerRefused, ScopeMissing, SlowDown]
    if one.parameters:
        found.append(NoSuchPlace)
    if one.query is not None:
        found.append(BadForm)
    if one.takes is not None:
        found += [BadForm if FORM_MEDIA in one.media_taken else BadJson, TooSlow, TooLarge, WrongMedia]
    return tuple(found)


def _tag(one: Endpoint) -> str:
    """Return the subject, as in `/api/v1/<subject>/...`."""
    words = one.path.split("/")
    return words[3] if len(words) > 3 else words[-1]  # noqa: PLR2004 - as the docstring says


def _name(one: Endpoint) -> str:
    words = re.findall(r"[A-Za-z0-9]+", one.path.removeprefix("/api/").partition("/")[2] or one.path)
    return "_".join((one.method.lower(), *words))


def description(endpoints: tuple[Endpoint, ...]) -> Endpoint:
    """Return the endpoint that serves the document of each tenant, made and packed when it is first asked for."""
    made: dict[str, Raw] = {}

    async def call(call: Call) -> Raw:
        answer = made.get(call.site.issuer)
        if answer is None:
            if len(made) >= _MOST_SITES:
                made.clear()
            document = msgspec.json.encode(openapi(endpoints, call.site))
            headers = (("cache-control", "public, max-age=300"),)
            answer = made[call.site.issuer] = Raw(document, "application/json", headers=headers, packed=gzip.compress(document, mtime=0))
        return answer

    return Endpoint(method="GET", path="/api/openapi.json", who=PUBLIC, call=call, cors=Cors.METADATA, summary="This description.", hot=True)
