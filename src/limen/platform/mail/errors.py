"""Why a message did not leave. `reason` is a code such as `smtp 550 5.1.1`; it never holds an address, so it may stand in logs and tables."""

from __future__ import annotations

from limen.kernel.errors import Kind, LimenError


class MailDeferred(LimenError):
    """It may work later: the server is away, too slow, answered 4xx, or does not take our sign-in or certificate (an operator can mend these)."""

    kind = Kind.UNAVAILABLE
    code = "mail_deferred"

    def __init__(self, reason: str) -> None:
        super().__init__(operator=f"mail not sent yet: {reason}")
        self.reason = reason


class MailRejected(LimenError):
    """It will never work as it is: the server answered 5xx to this message, or the message or address is malformed."""

    kind = Kind.INVALID
    code = "mail_rejected"

    def __init__(self, reason: str) -> None:
        super().__init__(operator=f"mail refused for good: {reason}")
        self.reason = reason
