"""Consents: owns what a person lets each app have, scope by scope, which terms of the tenant's she agreed to, with the instants, and the pages that ask.

It knows no token and no grant: those listen to its facts and end when a consent is withdrawn.
"""

from __future__ import annotations

from limen.modules.consents.facts import ConsentGiven, ConsentRefused, ConsentWithdrawn, TermsAccepted
from limen.modules.consents.model import STANDARD, Consent
from limen.modules.consents.service import give, given, is_asked, kept, list_of, terms_wanted, withdraw
from limen.modules.consents.store import covered

__all__ = [
    "STANDARD",
    "Consent",
    "ConsentGiven",
    "ConsentRefused",
    "ConsentWithdrawn",
    "TermsAccepted",
    "covered",
    "give",
    "given",
    "is_asked",
    "kept",
    "list_of",
    "terms_wanted",
    "withdraw",
]
