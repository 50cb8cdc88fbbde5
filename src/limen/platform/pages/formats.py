"""Filters of the templates: dates and numbers in the reader's language, and text that keeps its own direction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from limen.platform.pages.catalogue import grouped
from limen.platform.pages.model import Look


def _look(context: Context) -> Look:
    look = context["look"]
    assert isinstance(look, Look)  # noqa: S101 - put there by `drawing`
    return look


def _locale(context: Context) -> str:
    return _look(context).language.replace("-", "_")


@pass_context
def date(context: Context, at: datetime) -> Markup:
    """`3 March 2026`, as a `<time>` element."""
    from babel.dates import format_date  # noqa: PLC0415 - slow to import, and few pages show a date

    return _time(at, format_date(at, format="long", locale=_locale(context)))


@pass_context
def moment(context: Context, at: datetime) -> Markup:
    """`3 Mar 2026, 14:05 UTC`, as a `<time>` element."""
    from babel.dates import format_date, format_time, get_datetime_format  # noqa: PLC0415 - as above

    locale = _locale(context)
    pattern = str(get_datetime_format("medium", locale=locale)).replace("'", "")
    day, hour = format_date(at, format="medium", locale=locale), format_time(at, format="short", locale=locale)
    return _time(at, pattern.replace("{1}", day).replace("{0}", hour) + " UTC")


@pass_context
def ago(context: Context, at: datetime, now: datetime) -> Markup:
    """`5 minutes ago` or `in 3 days`, as a `<time>` element."""
    from babel.dates import format_timedelta  # noqa: PLC0415 - as above

    return _time(at, format_timedelta(at - now or timedelta(seconds=-1), locale=_locale(context), add_direction=True))


@pass_context
def number(context: Context, value: int) -> str:
    """`12,345`, as written in the reader's language."""
    return grouped(value, _look(context).language)


def ltr(text: str) -> Markup:
    """An address, a code or another machine's word: written from left to right whatever surrounds it."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(text)


def own(text: str) -> Markup:
    """A name somebody gave: its own direction, whatever surrounds it."""
    return Markup("<bdi>{}</bdi>").format(text)


def _time(at: datetime, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), shown)


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "date": date,
    "moment": moment,
    "ago": ago,
    "number": number,
    "ltr": ltr,
    "own": own,
}
