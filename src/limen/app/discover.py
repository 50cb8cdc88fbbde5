"""Finds the parts of the house by folder and file name, so that a feature is one folder and deleting the folder deletes it.

A part is a role file with a fixed name in it (`reactions.py` with `REACTIONS`, `steps.py` with `STEPS`, ...); an extension is a folder
with `EXTENSION`. What is found here is code, the same in every process; state is made in `compose`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final, TypeVar

import limen
from limen import extensions, modules, platform

T = TypeVar("T")

_ROOT: Final = Path(limen.__path__[0])


@cache
def packages() -> tuple[str, ...]:
    """Return the dotted names of all packages that may play a role, lowest floor first: platform, modules, extensions."""
    names = [f"limen.platform.{info.name}" for info in pkgutil.iter_modules(platform.__path__) if info.ispkg]
    names += [f"limen.modules.{info.name}" for info in pkgutil.iter_modules(modules.__path__) if info.ispkg]
    for kind in pkgutil.iter_modules(extensions.__path__):
        if kind.ispkg:
            folder = _ROOT / "extensions" / kind.name
            names += [f"limen.extensions.{kind.name}.{info.name}" for info in pkgutil.iter_modules([str(folder)]) if info.ispkg]
    return tuple(names)


def folder_of(package: str) -> Path:
    """Return the folder of a package named by `packages`."""
    return _ROOT.joinpath(*package.split(".")[1:])


def short_name(package: str) -> str:
    """Return the last part of a package's name: templates, settings and migrations go by it."""
    return package.rpartition(".")[2]


@cache
def _files(package: str) -> tuple[str, ...]:
    return tuple(info.name for info in pkgutil.iter_modules([str(folder_of(package))]) if info.name != "migrations")


@cache
def role(package: str, name: str) -> ModuleType | None:
    """Import the role file (or role package) `name` of a package, or return None where it has none."""
    return importlib.import_module(f"{package}.{name}") if name in _files(package) else None


def gathered(roles: tuple[str, ...], attribute: str, kind: type[T]) -> tuple[tuple[str, T], ...]:
    """Return (package, value) for each package whose role file has `attribute`; TypeError if it is not a `kind`."""
    found = []
    for package in packages():
        for name in roles:
            module = role(package, name)
            value = getattr(module, attribute, None) if module else None
            if value is None:
                continue
            if not isinstance(value, kind):
                raise TypeError(f"{package}.{name}.{attribute} is {type(value).__name__}, not {kind.__name__}")
            found.append((package, value))
    return tuple(found)


def _speaks_of(package: str, name: str, attribute: str) -> bool:
    """Whether a file has the word at all: importing every file would bring in what only commands need (migrations, SMTP)."""
    path = folder_of(package) / name
    return attribute.encode() in (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_bytes()


def everywhere(attribute: str, kind: type[T]) -> tuple[tuple[str, T], ...]:
    """Like `gathered` over all files of all packages: doors have one file per specification, each with its endpoints."""
    found = []
    for package in packages():
        for name in _files(package):
            if not _speaks_of(package, name, attribute):
                continue
            value = getattr(role(package, name), attribute, None)
            if isinstance(value, kind):
                found.append((package, value))
    return tuple(found)


def plugged(kind: str) -> dict[str, object]:
    """Return the extensions of one kind by folder name, each its `EXTENSION`."""
    prefix = f"limen.extensions.{kind}."
    return {short_name(package): importlib.import_module(package).EXTENSION for package in packages() if package.startswith(prefix)}
