"""`oidcc-rp-initiated-logout`, `-frontchannel-rp-initiated-logout`, `-backchannel-rp-initiated-logout` and `-session-management`, module by module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from tests.conformance import leaving as m
from tests.conformance.host import Host
from tests.conformance.leaving import Module
from tests.conformance.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans-dynamic")]

MODULES: Final[Mapping[str, Module]] = {
    "oidcc-rp-initiated-logout-discovery-endpoint-verification": m.discovery,
    "oidcc-rp-initiated-logout": m.logout,
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": m.bad_address,
    "oidcc-rp-initiated-logout-modified-id-token-hint": m.modified_hint,
    "oidcc-rp-initiated-logout-no-id-token-hint": m.no_hint,
    "oidcc-rp-initiated-logout-no-params": m.no_params,
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": m.no_address,
    "oidcc-rp-initiated-logout-no-state": m.no_state,
    "oidcc-rp-initiated-logout-only-state": m.only_state,
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": m.query_added,
    "oidcc-rp-initiated-logout-bad-id-token-hint": m.bad_hint,
    "oidcc-frontchannel-logout-discovery-endpoint-verification": m.discovery,
    "oidcc-frontchannel-rp-initiated-logout": m.frontchannel,
    "oidcc-backchannel-logout-discovery-endpoint-verification": m.discovery,
    "oidcc-backchannel-rp-initiated-logout": m.backchannel,
    "oidcc-session-management-discovery-endpoint-verification": m.discovery,
    "oidcc-session-management-rp-initiated-logout": m.session_management,
}


@pytest.mark.parametrize("module", [pytest.param(module, id=name) for name, module in MODULES.items()])
def test_plan(suite: Suite, host: Host, module: Module) -> None:
    """What a module of the suite's logout plans expects happens, for an app that registered its addresses."""
    module(suite, host)
