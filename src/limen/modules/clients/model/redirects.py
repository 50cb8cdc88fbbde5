"""Where a browser may be sent: addresses are taken apart strictly when registered, and compared as they stand when used.

RFC 9700, section 4.1.3 (exact comparison); RFC 8252, sections 7.1 (private-use schemes) and 7.3 (loopback, any port). `localhost` by name
counts as loopback too, though section 8.3 advises against it: agents register it, browsers take it to this device without asking a name server, and
whoever else could listen there is held off as at the literals, by PKCE and a yes each time.
Whatever two parsers could read differently is refused at registration, so that ours and the browser's never disagree.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

LIMIT: Final = 2_000
LOCALHOST: Final = "localhost"
LOOPBACK: Final = ("127.0.0.1", "[::1]", LOCALHOST)

_CHARACTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")  # RFC 3986 without `#`, and without `*`, which people take for a wildcard
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIDDEN: Final = re.compile(r"%(?:[01][0-9A-Fa-f]|20|23|2[Aa]|2[Ee]|40|5[Cc]|7[Ff])")  # control characters, space, # * . @ backslash, delete
_WEB: Final = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>(?:[/?].*)?)")
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PRIVATE: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:(?P<rest>/(?!/).*|//[a-z0-9.-]*(?:[/?].*)?)")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_IPV4: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_HIGHEST_PORT: Final = 65_535
_ANSWERS: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "id_token", "access_token", "response"})


def fault(uri: str, *, native: bool, dev: bool) -> tuple[str, str] | None:
    """Return why an address must not be registered, and what would do; None when it is good."""
    shown = "https://app.example.com/callback"
    if found := _fault_of_text(uri):
        return found
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return "is no absolute address", f'Write for example "{shown}"'
    if scheme[1] != scheme[1].lower():
        return "has capitals in its scheme", "Write the scheme in lower case"
    if scheme[1] in ("http", "https"):
        return _fault_of_web(uri, native=native, dev=dev) or _fault_of_rest(_WEB, uri)
    if not native:
        return f"has the scheme `{scheme[1][:40]}`, which is for native apps at most", f'Write for example "{shown}"'
    if "." not in scheme[1]:
        return (
            f"has the scheme `{scheme[1][:40]}`, which another app could claim",
            'Reverse a domain of yours: "com.example.app:/callback" (RFC 8252, 7.1)',
        )
    if not _PRIVATE.fullmatch(uri):
        return "is no private-use address", 'Write for example "com.example.app:/callback"'
    return _fault_of_rest(_PRIVATE, uri)


def _fault_of_text(uri: str) -> tuple[str, str] | None:
    if not uri or len(uri) > LIMIT:
        return f"is empty or longer than {LIMIT} characters", "Shorten it: what differs from request to request belongs into `state`"
    if "#" in uri:
        return "has a fragment (RFC 6749, section 3.1.2)", "Leave out the # and what follows"
    if "*" in uri:
        return "has a wildcard", "Name each address in full"
    if not _CHARACTERS.fullmatch(uri):
        return "has characters that do not belong into an address", "Percent-encode them; a host name beyond ASCII is written as xn--..."
    if _ESCAPE.search(uri) or _HIDDEN.search(uri):
        return (
            "has a percent-encoding that is broken or hides a character",
            "Write plain characters plainly, and leave the others out",
        )
    return None


def _fault_of_web(uri: str, *, native: bool, dev: bool) -> tuple[str, str] | None:
    found = _WEB.fullmatch(uri)
    if found is None:
        return "is no web address with a plain host in lower case", "Write scheme, host, perhaps a port, and path, without user or password"
    host, port = found["host"], found["port"]
    if port and int(port) > _HIGHEST_PORT:
        return f"has the port {port}, which there is not", "Ports end at 65535"
    if not _is_host(host):
        return f"has the host `{host[:60]}`, which is none", "Write a host name, or an address in its usual form"
    if found["scheme"] == "https" or (native and host in LOOPBACK):
        return None
    if not is_local(host):
        return "is not https", f'Write "https{uri[4:60]}"'
    if dev:
        return None
    if native:
        return "is http to a name that need not be this device", 'Write "http://127.0.0.1/..." or "http://[::1]/...": any port matches'
    return "is http, which is for native apps and for dev mode", "Use https"


def _fault_of_rest(pattern: re.Pattern[str], uri: str) -> tuple[str, str] | None:
    found = pattern.fullmatch(uri)
    path, _, query = (found["rest"] if found else "").partition("?")
    if any(part in (".", "..") for part in path.split("/")):
        return "has dots for a step in its path", "Write the path it comes to"
    if "[" in path + query or "]" in path + query:
        return "has brackets that do not belong into a path", "Percent-encode them"
    taken = sorted({name for name, _ in parse_qsl(query, keep_blank_values=True, separator="&")} & _ANSWERS)
    if taken:
        return f"has the parameter `{taken[0]}`, which the answer itself carries", "Rename the parameter"
    return None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return host == "[::1]" or bool(re.fullmatch(r"\[[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}\]|\[(?:[0-9a-f]{1,4}:){1,6}:[0-9a-f]{0,4}\]", host))
    labels = host.split(".")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):  # browsers read a host that ends in a number as an address, and 0x7f.1 is 127.0.0.1
        return bool(_IPV4.fullmatch(host))
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)  # noqa: PLR2004 - RFC 1035


def is_local(host: str) -> bool:
    """Whether a host is this machine: localhost, names under it, and the loopback addresses."""
    return host in LOOPBACK or host.endswith(".localhost")


def is_native(uri: str) -> bool:
    """Whether only an app on the person's device can be reached there: a loopback address or `localhost` over http, or a scheme that is not the web's."""
    scheme = _SCHEME.match(uri)
    return _LOOPBACK.fullmatch(uri) is not None or (scheme is not None and scheme[1].lower() not in ("http", "https"))


def without_port(uri: str) -> str | None:
    """Return a loopback address (or `localhost`) without its port, or None for any other."""
    found = _LOOPBACK.fullmatch(uri)
    if found is None or (found[2] and int(found[2]) > _HIGHEST_PORT) or not _CHARACTERS.fullmatch(uri):
        return None
    return found[1] + found[3]
