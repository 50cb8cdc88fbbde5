"""What everyone may be asked for: the settings of the server, and the privacy duty of whoever keeps something about a person."""

from __future__ import annotations

from limen.platform.duties.holder import Done, ExportPage, Forgotten, Holder, More, Pending, Plain
from limen.platform.duties.settings import BadSetting, Running, Settings, parse_listen

__all__ = ["BadSetting", "Done", "ExportPage", "Forgotten", "Holder", "More", "Pending", "Plain", "Running", "Settings", "parse_listen"]
