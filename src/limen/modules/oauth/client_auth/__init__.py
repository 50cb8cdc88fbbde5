"""Client authentication (RFC 6749, section 2.3; RFC 7523; RFC 8705): one file for each family of methods, one method at a time.

It takes two moves. `shown` reads who a request says to come from and checks what takes time or a call to the client (a signature, its
keys); `proved` says in a Work or Read, with the record of that instant, whether that is enough.
"""

from __future__ import annotations

from limen.modules.oauth.client_auth.proving import CONFIDENTIAL_METHODS, METHODS, Shown, proved, shown

__all__ = ["CONFIDENTIAL_METHODS", "METHODS", "Shown", "proved", "shown"]
