"""Draws a `Page`: templates of all packages under one loader, compiled once, escaped always, undefined names refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, Template
from jinja2.utils import Namespace

from limen.platform.pages import formats
from limen.platform.pages.assets import stylesheet
from limen.platform.pages.brand import css_variables, icon
from limen.platform.pages.catalogue import Catalogue, Words
from limen.platform.pages.model import Look, Page
from limen.platform.pages.shell import shell_cards

_FOLDERS: Final[dict[str, Path]] = {}
_LOADERS: Final[dict[str, FileSystemLoader]] = {}
_CATALOGUE: Final = Catalogue()
_RESERVED: Final = frozenset({"page", "look", "ui", "said", "_", "ngettext", "url", "run", "stylesheet", "brand_css", "icon"})


def register(package: str, folder: Path) -> None:
    """Take the `templates` and `locales` of a package's folder; templates are then named `<package>/<file>`. Once per package, at start."""
    known = _FOLDERS.setdefault(package, folder)
    if known != folder:
        raise ValueError(f"two packages have pages under the name {package}: {known} and {folder}")
    if package in _LOADERS:
        return
    _LOADERS[package] = FileSystemLoader(folder / "templates")
    if (folder / "locales").is_dir():
        _CATALOGUE.add(folder / "locales")


def registered() -> Mapping[str, Path]:
    """Return the folders registered so far, by package."""
    return _FOLDERS


def words(language: str) -> Words:
    """Return what can be said in a language over all packages: `words("de").say("Sign in")`; mails and messages use it too."""
    return _CATALOGUE.words(language)


def languages() -> frozenset[str]:
    """Return the languages that have translations, and English."""
    return _CATALOGUE.languages()


@cache
def environment() -> Environment:
    """Return the one template environment."""
    made = Environment(
        loader=PrefixLoader(_LOADERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.filters.update(formats.FILTERS)
    made.globals["shell_cards"] = shell_cards
    return made


def draw(template: Template, page: Page, look: Look) -> str:
    """Return the page as HTML by a template, in the look's language and brand."""
    if clash := _RESERVED.intersection(page.values):
        raise ValueError(f"{page.template}: {', '.join(sorted(clash))} is set by the page layer")
    tongue = words(look.language)
    context: dict[str, object] = {
        "errors": {},
        **page.values,
        **page.stamps,
        "said": page.values.get("remarks", ()),
        "page": page,
        "look": look,
        "_": tongue.say,
        "ngettext": tongue.count,
        "url": look.url,
        "run": Namespace(peek=False, wait=False),
        "stylesheet": stylesheet().path,
        "brand_css": css_variables(look.brand),
        "icon": icon(look.brand),
    }
    context["ui"] = environment().get_template("pages/parts.html").make_module(context)
    return template.render(context)


def prepare() -> None:
    """Compile every template now rather than when first shown; for servers, whose first visitor then waits for nothing."""
    made = environment()
    for name in made.list_templates(extensions=("html",)):
        made.get_template(name)
