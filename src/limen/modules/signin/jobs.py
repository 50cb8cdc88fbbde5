"""What sign-in keeps under the tenant's keys: nothing that a job could reach."""

from __future__ import annotations

from typing import Final

from limen.modules import keys
from limen.modules.signin.model import DEVICES

KEPT: Final[keys.Keeping] = {DEVICES: None}
