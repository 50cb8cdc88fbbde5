"""The house rules that no linter knows: sizes, names, front doors, and where cookies and comparisons of secrets may stand."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from limen.modules import keys
from limen.modules.keys.service.keeping import installed

SOURCE: Final = Path(__file__).parents[2] / "src" / "limen"
FILES: Final = sorted(SOURCE.rglob("*.py"))
FORBIDDEN: Final = {"utils", "helpers", "common", "misc", "base", "manager", "handler", "data", "info"}
ROLES: Final = {
    *("__init__", "model", "facts", "errors", "port", "store", "service", "steps", "reactions", "jobs", "holder"),
    *("api", "pages", "console", "desk", "commands", "settings", "templates", "locales", "migrations"),
}
DOORS: Final = {"oauth", "wellknown", "saml", "scim", "shared_signals"}


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    return tuple((path, ast.parse(path.read_text())) for path in FILES)


def test_files_are_short_enough_to_be_read_at_once() -> None:
    """No source file is longer than 400 lines."""
    assert [name_of(path) for path in FILES if len(path.read_text().splitlines()) > 400] == []


def test_functions_are_short_enough_to_be_held_in_mind() -> None:
    """No function is longer than 50 lines."""
    found = []
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (node.end_lineno or 0) - node.lineno >= 50 and "migrations" not in path.parts:
                found.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert found == []


def test_names_of_files_say_what_is_in_them() -> None:
    """No file has a name that fits anything."""
    assert [name_of(path) for path in FILES if path.stem in FORBIDDEN or path.parent.name in FORBIDDEN] == []


def test_modules_have_the_same_roles_everywhere() -> None:
    """A module's file is named after its role; only a door adds files, one for each specification."""
    strangers = []
    for module in (SOURCE / "modules").iterdir():
        if not module.is_dir() or module.name in DOORS or module.name == "__pycache__":
            continue
        strangers += [
            f"{module.name}/{entry.name}" for entry in module.iterdir() if entry.name.removesuffix(".py") not in ROLES and entry.name != "__pycache__"
        ]
    assert strangers == []


def front_doors() -> list[str]:
    packages = [path.parent for path in FILES if path.name == "__init__.py" and path.parent.parent.name in {"modules", "platform"}]
    return [".".join(("limen", *package.relative_to(SOURCE).parts)) for package in packages]


@pytest.mark.parametrize("package", front_doors())
def test_a_front_door_lists_and_explains_what_it_offers(package: str) -> None:
    """A package says what it owns; its __all__ is complete, and every function and class in it has a docstring."""
    door = importlib.import_module(package)
    assert (door.__doc__ or "").strip(), f"{package} does not say what it owns"
    silent = []
    for name in getattr(door, "__all__", ()):
        thing = getattr(door, name)
        ours = (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__.startswith("limen")
        if ours and not (thing.__doc__ or "").strip():
            silent.append(name)
    assert silent == []


def test_cookies_are_written_in_one_place() -> None:
    """The header Set-Cookie is named nowhere outside platform/http."""
    found = [
        name_of(path)
        for path in FILES
        if re.search(r"set[-_]cookie\b", path.read_text(), re.IGNORECASE) and "http" not in path.parts and "demo" not in path.parts
    ]
    allowed = {
        path
        for path in found
        if "SetCookie" in (SOURCE / path).read_text() and not re.search(r"[\"']set-cookie[\"']", (SOURCE / path).read_text(), re.IGNORECASE)
    }
    assert set(found) - allowed == set()


SECRET_NAMES: Final = re.compile(r"(secret|digest|token|password|signature|verifier|challenge|sealed|hmac|hash|nonce|reveal)$")


def name_in(side: ast.expr) -> str:
    """Return by which name a side of a comparison goes: of a call that of what is called, of something looked up that under which it is there."""
    match side:
        case ast.Await(value=inner) | ast.Call(func=ast.Attribute(value=inner, attr=("encode" | "decode" | "hex" | "strip" | "lower" | "removeprefix"))):
            return name_in(inner)
        case ast.Call(func=ast.Attribute(attr="get" | "text"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def compared_openly(tree: ast.AST) -> list[tuple[int, list[str]]]:
    """Return where secrets are compared with ==, != or `in`, by line, with the names on the sides."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not all(isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        names = [name_in(side) for side in (sides[:1] if isinstance(node.ops[0], (ast.In, ast.NotIn)) else sides)]
        by_database = "bind" in names  # a column of a table, inside a statement
        if not by_database and not any(isinstance(side, ast.Constant) for side in sides) and any(SECRET_NAMES.search(name) for name in names):
            found.append((node.lineno, names))
    return found


def test_secrets_are_compared_in_constant_time() -> None:
    """Nothing whose name ends like a secret is compared with ==, != or `in`, whatever it is dressed as; kernel.secrets.same does that."""
    assert [f"{name_of(path)}:{line} {names}" for path, tree in trees() for line, names in compared_openly(tree)] == []


@pytest.mark.parametrize(
    "bad",
    [
        "given == one.digest",
        "secrets.digest(given) != kept",
        "kept == secret.reveal().encode()",
        "form['client_secret'] == kept",
        "form.text('code_verifier') == kept",
        "await client.shared_secret() == kept",
        "hmac.new(key, text).hexdigest() == given",
        "secrets.digest(given) in (one, other)",
    ],
)
def test_a_secret_compared_openly_is_found(bad: str) -> None:
    """The rule above sees a secret that is an attribute, a call, looked up, encoded or awaited."""
    assert compared_openly(ast.parse(f"async def f():\n    return {bad}"))


def test_nothing_awaits_the_network_or_a_thread_inside_a_work() -> None:
    """No `async with db.work(...)` block contains a call of asyncio.to_thread, a pool, sleep or an HTTP client."""
    slow = {"to_thread", "sleep", "run_in_executor", "AsyncClient"}
    found = []
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.AsyncWith) or not any(
                isinstance(item.context_expr, ast.Call) and ast.unparse(item.context_expr.func).endswith(".work") for item in node.items
            ):
                continue
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in slow:
                    found.append(f"{name_of(path)}:{inner.lineno} {inner.func.attr}")
    assert found == []


def declared(tree: ast.Module) -> tuple[list[str], int]:
    """Return the names under which a file declares what it keeps under tenants' keys, and how often it does so without a name of its own."""
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and re.fullmatch(r"(keys\.)?(Sealed|Indexed)", ast.unparse(node.func))]
    named: dict[ast.AST, str] = {}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            named[node.value] = node.target.id
    return [named[call] for call in made if call in named], sum(call not in named for call in made)


def test_whatever_is_kept_under_a_tenants_key_follows_it() -> None:
    """The box and the blind index want to be shown what they are for (mypy sees to that); each such thing is listed with what brings it along, or fades."""
    listed = {kept for use in keys.Use for kept, _ in installed(use)}
    found = set()
    for path, tree in trees():
        names, strays = declared(tree)
        assert strays == 0, f"{name_of(path)} keeps something under a key that has no name"
        module = importlib.import_module(".".join(("limen", *path.relative_to(SOURCE).with_suffix("").parts))) if names else None
        kept = {getattr(module, name) for name in names}
        assert kept <= listed, f"{name_of(path)}: {', '.join(one.name for one in kept - listed)} is missing in KEPT of jobs.py"
        found |= kept
    assert found == listed
    assert {"accounts.identifiers", "factors.unknown", "keys.signing", "notices.sends", "sessions.addresses", "signin.devices"} <= {one.name for one in found}


@pytest.mark.parametrize(
    ("written", "names", "strays"),
    [
        ('ROLES: Final = keys.Sealed(name="operators.roles")', ["ROLES"], 0),
        ('PHONES: Final = Indexed(name="accounts.phones")', ["PHONES"], 0),
        ('async def f(r):\n    return await keys.tenant_box(r, keys.Sealed(name="x", fades=DAY, why="because"))', [], 1),
        ("box = keys.subject_box(work, account)", [], 0),
    ],
)
def test_a_module_that_forgets_is_found(written: str, names: list[str], strays: int) -> None:
    """What the test above looks with sees a declaration, and one that hides in a call."""
    assert declared(ast.parse(written)) == (names, strays)


def test_what_stands_in_the_log_alone_is_no_excuse_for_a_table() -> None:
    """`keys.LOGGED` is brought along by nobody, so nothing but the label of refused requests is made with it."""
    assert [name_of(path) for path in FILES if "LOGGED" in path.read_text()] == ["app/compose.py", "modules/keys/__init__.py", "modules/keys/jobs.py"]
