"""Broken preconditions of accounts."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class InvalidIdentifier(LimenError):
    """It is of no kind that is known, or not well-formed; the text never repeats it."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_identifier"


class KindNotAllowed(LimenError):
    """The tenant has no identifiers of that kind: `[tenant.accounts] identifiers` names those it has."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "identifier_kind_not_allowed"


class IdentifierTaken(LimenError):
    """The identifier belongs to an account already: for callers that answer it with an error."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "identifier_taken"


class LastIdentifier(LimenError):
    """An account without an identifier could not be found by anybody."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "last_identifier"


class TooManyIdentifiers(LimenError):
    """An account has a bounded number of identifiers."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "too_many_identifiers"


class NoSuchIdentifier(LimenError):
    """The account has no identifier of that id."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_identifier"


class NoSuchAccount(LimenError):
    """There is no account of that id."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_account"


class StateForbids(LimenError):
    """The account is in a state from which this cannot be done."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "state_forbids"


class AccountChangedMeanwhile(LimenError):
    """It changed since it was read: read it again."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "account_changed_meanwhile"


class InvalidReason(LimenError):
    """A reason is a code of small letters, digits and underscores: free text could name people."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_reason"
