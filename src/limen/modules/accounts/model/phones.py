"""Telephone numbers as identifiers: E.164, which is both what is stored and what is compared, and where in the world a number is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from limen.modules.accounts.errors import InvalidIdentifier

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

REGIONS: Final = frozenset(
    (  # noqa: SIM905 - one word a line would be a page
        "AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM "
        "CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY "
        "HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF "
        "MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE "
        "RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ "
        "VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
    ).split()
)
"""Countries (ISO 3166-1) that have telephone numbers: the library's, which settings do not load to be read."""
_LONGEST: Final = 40
_SHAPE: Final = re.compile(r"[+\uff0b(]*[\d\s()./\u2010-\u2015-]+")
"""Digits of any script and what people put between them; letters, extensions and the like are nobody's number here."""
_MARKS: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks of direction, which come along when a number is copied out of an address book."""
_NEIGHBOURS: Final = 4
"""Digits by which the numbers of one range differ: 10,000 of them, as operators are given them."""
_SHORTEST_RANGE: Final = 2
"""Digits behind the country's that a range has at least."""


@dataclass(frozen=True, slots=True)
class PhoneOrigin:
    """Where a number is, and what reaching it is like."""

    region: str
    """ISO 3166-1, two letters; empty where it belongs to no country (satellites, international networks) or is no number in use."""
    range: str
    """Country and first digits: what it has in common with its neighbours."""
    costly: bool
    """Whether whoever owns it earns by being called: premium rates and shared costs."""


def normal(value: str, region: str = "") -> str:
    """Return a number in E.164 (`+4915112345678`). `region` is where a number without a country's digits is taken to be. InvalidIdentifier.

    Whether numbers of its range are given to anybody is not asked: that changes with time, and what is kept has to be found again.
    """
    import phonenumbers  # noqa: PLC0415 - slow to import, and most tenants have no numbers

    return phonenumbers.format_number(_parsed(value, region), phonenumbers.PhoneNumberFormat.E164)


def admitted(value: str, region: str = "") -> str:
    """Like `normal`, for a number that is to be kept: it has to be one that can be somebody's today. InvalidIdentifier."""
    import phonenumbers  # noqa: PLC0415 - as above

    parsed = _parsed(value, region)
    if not phonenumbers.is_valid_number(parsed):
        raise InvalidIdentifier("no such telephone number is in use")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def origin(number: str) -> PhoneOrigin:
    """Return where a number in E.164 is; of what is no number, an origin in no region."""
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        parsed = _parsed(number, "")
    except InvalidIdentifier:
        return PhoneOrigin("", number[:-_NEIGHBOURS], costly=True)
    region = phonenumbers.region_code_for_number(parsed) or ""
    shortest = len(f"+{parsed.country_code}") + _SHORTEST_RANGE
    kinds = phonenumbers.PhoneNumberType
    costly = phonenumbers.number_type(parsed) in (kinds.PREMIUM_RATE, kinds.SHARED_COST)
    return PhoneOrigin(region if region.isalpha() else "", number[: max(len(number) - _NEIGHBOURS, shortest)], costly)


def is_region(name: str) -> bool:
    """Whether numbers are known of a country: ISO 3166-1, two capital letters."""
    return name in REGIONS


def _parsed(value: str, region: str) -> PhoneNumber:
    import phonenumbers  # noqa: PLC0415 - as above

    text = _MARKS.sub("", value).strip()
    if len(text) > _LONGEST or not _SHAPE.fullmatch(text):
        raise InvalidIdentifier("that is no telephone number")
    try:
        parsed = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        raise InvalidIdentifier("that is no telephone number; write it with + and the country's digits") from None
    if not phonenumbers.is_possible_number(parsed):
        raise InvalidIdentifier("that is no telephone number: it is too short or too long")
    return parsed
