"""Pages people see: layout, form parts, brand, languages, error pages. Knows no route, no session and no subject of the domain.

To write a page:

1. `templates/<file>.html` in your package: `{% extends "pages/layout.html" %}{% block main %} ... {% endblock %}`, named
   `<package>/<file>.html`. The macros are at hand as `ui` (`{{ ui.email() }}`), no import needed; they are listed on top of
   `templates/parts.html` in this package.
2. Texts are English and are their own keys: `{{ _("Sign in") }}`, `{{ _("Hello {name}", name=name|own) }}`,
   `{{ ngettext("{count} app", "{count} apps", n) }}`; in Python `_m("Sign in")` marks a text that a page shows later,
   `Message(_m("..."), {"name": ...})` and `counted("...", "...", n)` carry values and can be stored. Translations stand in
   `locales/de.po` and `locales/ar.po` of your package: `python -m tools.messages --add` puts missing keys there, a test refuses gaps.
3. Answer `Page(template="<package>/<file>.html", title=_m("..."), values={...})`. `values["errors"]` maps field names to texts
   ("" is the page as a whole): the fields and the summary on top show them, the template does nothing.

Always there in a template: `ui`, `_`, `ngettext`, `url("/signin")` (a path of the tenant), `look` (language, direction, nonce, brand),
`page`, `errors`, and the filters `ltr` (addresses, codes), `own` (names people gave), `date`, `moment`, `ago(now)`, `number`.
`{% set layout = "wide" %}` before the first block makes a page of 60 rem for shells; the default column has 26 rem.

Ready templates: `pages/message.html` (`message_page`), `pages/error.html` (`error_page`), `pages/form_post.html` (`form_post_page`).
"""

from __future__ import annotations

from pathlib import Path

from limen.platform.pages.assets import stylesheet
from limen.platform.pages.brand import Brand, FooterLink, InvalidBrand, Palette, css_variables, palette
from limen.platform.pages.catalogue import Words
from limen.platform.pages.drawing import languages, prepare, register, registered, words
from limen.platform.pages.languages import Languages, direction, own_name
from limen.platform.pages.model import Asset, Card, Cookie, Look, Message, Page, _m, counted
from limen.platform.pages.printing import render
from limen.platform.pages.qr import qr_code
from limen.platform.pages.ready import Action, error_page, form_post_page, message_page
from limen.platform.pages.shell import install_cards, install_places, place_of, shell_cards

__all__ = [
    "Action",
    "Asset",
    "Brand",
    "Card",
    "Cookie",
    "FooterLink",
    "InvalidBrand",
    "Languages",
    "Look",
    "Message",
    "Page",
    "Palette",
    "Words",
    "_m",
    "counted",
    "css_variables",
    "direction",
    "error_page",
    "form_post_page",
    "install_cards",
    "install_places",
    "languages",
    "message_page",
    "own_name",
    "palette",
    "place_of",
    "prepare",
    "qr_code",
    "register",
    "registered",
    "render",
    "shell_cards",
    "stylesheet",
    "words",
]

register("pages", Path(__file__).parent)
