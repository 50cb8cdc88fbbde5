"""The API does what its description says, on both databases, whatever is sent: tried by schemathesis over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import BaseSchema, Case, GenerationMode, Response
from schemathesis.core import NOT_SET
from schemathesis.core.result import Ok

from tests.proofs import described
from tests.proofs.described import ALL, Stock, understood
from tests.proofs.house import House, house, new_database
from tests.rig.postgres import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]


HEALTH: Final = (HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large)
BRIEFLY: Final = settings(max_examples=20, derandomize=True, database=None, suppress_health_check=HEALTH)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that is filled with rubbish."""
    folder = tmp_path_factory.mktemp(f"described-{request.param}")
    database = ""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        database = new_database(cluster)
    with house(folder, database) as server:
        yield server


@pytest.fixture(scope="module")
def stock(own: House) -> Stock:
    """Records to work on."""
    return Stock.of(own)


@pytest.fixture(scope="module")
def document(own: House) -> BaseSchema:
    """The description."""
    return described.read(own.site())


def _operations(document: BaseSchema) -> list[Any]:
    """Return the operations; AssertionError where schemathesis does not understand one."""
    found = [one.ok() for one in document.get_all_operations() if isinstance(one, Ok)]
    assert len(found) == document.statistic.operations.total
    return found


def _named(document: BaseSchema) -> dict[str, Any]:
    return {one.definition.raw["operationId"]: one for one in _operations(document)}


def test_the_description_is_complete(document: BaseSchema) -> None:
    """Every operation says what it does, who may call, what each parameter is, what it takes, and what it answers, refusals with their codes included."""
    document.validate()
    written: dict[str, Any] = document.raw_schema
    scopes = written["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    assert all(scopes.values())
    tags = {one["name"] for one in written["tags"]}
    for name, operation in _named(document).items():
        raw = operation.definition.raw
        assert raw["summary"], name
        assert set(raw["tags"]) <= tags, name
        assert [scope for one in raw["security"] for scope in one["oauth2"]] in [[scope] for scope in scopes], name
        assert all(one.get("description") for one in raw.get("parameters", ())), name
        assert {one["name"] for one in raw.get("parameters", ()) if one["in"] == "path"} == set(re.findall(r"{(\w+)}", operation.path)), name
        success = [status for status in raw["responses"] if status.startswith("2")]
        assert len(success) == 1, name
        assert ("content" in raw["responses"][success[0]]) == (success != ["204"]), name
        assert {"400", "401", "403", "421", "429", "431", "500", "503"} <= raw["responses"].keys(), name
        assert ("404" in raw["responses"]) >= ("{" in operation.path), name
    for one in written["components"]["responses"].values():
        assert one["description"]
        assert "application/problem+json" in one["content"]


class Caller:
    """Calls operations by their names, holds each answer against the description, and remembers what was called."""

    def __init__(self, document: BaseSchema, stock: Stock) -> None:
        self.operations = _named(document)
        self.stock = stock
        self.done: set[str] = set()

    def __call__(self, name: str, body: object = NOT_SET, *, status: int = 200, headers: dict[str, str] | None = None, **given: str) -> Response:
        """Call with path and query parameters as named."""
        operation = self.operations[name]
        parts = {key: value for key, value in given.items() if f"{{{key}}}" in operation.path}
        query = {key: value for key, value in given.items() if key not in parts}
        media = None if body is NOT_SET else "application/json"
        case = operation.Case(path_parameters=parts, query=query, body=body, media_type=media, headers=headers)
        answer: Response = case.call_and_validate(headers=self.stock.headers)
        assert answer.status_code == status, answer.text
        self.done.add(name)
        return answer


def _accounts(call: Caller, stock: Stock) -> None:
    email = stock.address()
    made = call("post_accounts", {"identifiers": [{"value": email}]}, status=201)
    account, tag = made.json()["id"], made.headers["etag"][0]
    assert call("get_accounts", identifier=email).json()["items"][0]["id"] == account
    assert call("get_accounts", limit="1").json()["after"]
    held = call("post_accounts_account_identifiers", {"value": stock.address()}, account=account).json()
    call("delete_accounts_account_identifiers_identifier", status=204, account=account, identifier=held["identifiers"][1]["id"])
    call("patch_profiles_account", {"given_name": "Ada"}, account=account)
    assert call("get_profiles_account", account=account).json()["given_name"] == "Ada"
    suspended = call("post_accounts_account_suspend", {"reason": "odd"}, headers={"If-Match": tag}, account=account)
    call("post_accounts_account_resume", {}, status=409, headers={"If-Match": tag}, account=account)
    call("post_accounts_account_resume", {}, headers={"If-Match": suspended.headers["etag"][0]}, account=account)
    call("post_accounts_account_close", {}, account=account)
    assert call("get_accounts_account", account=account).json()["state"] == "closed"


def _clients(call: Caller) -> None:
    wanted = {"kind": "service", "grant_types": ["client_credentials"], "client_name": "Nightly"}
    client = call("post_clients", wanted, status=201).json()["client_id"]
    tag = call("get_clients_client", client=client).headers["etag"][0]
    call("put_clients_client", wanted | {"client_name": "Daily"}, headers={"If-Match": tag}, client=client)
    call("put_clients_client", wanted, status=409, headers={"If-Match": tag}, client=client)
    call("post_clients_client_secret", client=client)
    assert call("get_clients", limit="1").json()["after"]
    call("delete_clients_client", status=204, client=client)
    call("get_clients_client", status=404, client=client)
    token = call("post_registration_tokens", {"uses": 3, "note": "for a partner"}, status=201).json()["id"]
    assert call("get_registration_tokens", limit="1").json()["items"][0]["id"] == token
    assert call("get_registration_tokens_token", token=token).json()["uses"] == 3
    call("delete_registration_tokens_token", status=204, token=token)
    call("get_registration_tokens_token", status=404, token=token)


def _dead_letters(call: Caller, stock: Stock) -> None:
    again, gone = sorted(stock.dead_letters(2))
    assert [one["id"] for one in call("get_outbox_dead", kind="test.").json()["items"]] == [again, gone]
    call("post_outbox_dead_job_retry", status=204, job=again)
    call("post_outbox_dead_job_retry", status=404, job=again)
    call("delete_outbox_dead_job", status=204, job=gone)
    assert call("get_outbox_dead", limit="1").json()["after"] is None


def test_every_operation_does_what_it_says(document: BaseSchema, stock: Stock) -> None:
    """Each is called once as it should be, and succeeds with the status, the fields and the headers that are described."""
    call = Caller(document, stock)
    _accounts(call, stock)
    _clients(call)
    account, session = stock.session()
    assert call("get_sessions", account=account).json()["items"][0]["id"] == session
    call("post_approvals_approval", {"session": session, "decision": "approve"}, status=204, approval=stock.question())
    assert call("get_approvals", account=account).json()["items"][0]["state"] == "approved"
    call("delete_sessions_session", status=204, session=session)
    call("delete_sessions", status=204, account=account)
    stock.consent()
    given = call("get_consents", account=account).json()["items"]
    assert given
    shown = call("post_claims_preview", {"client": given[0]["client"], "account": account, "claims": {"add": {"tier": {"value": "1", "scopes": ["openid"]}}}})
    assert shown.json()["userinfo"][0] == {"name": "sub", "value": account, "source": "the account's id"}
    call("delete_consents", status=204, account=account, client=given[0]["client"])
    assert call("post_claims_preview", {"client": "shop", "account": account}).json()["userinfo"]
    _dead_letters(call, stock)
    assert call("get_audit_facts", kind="accounts.", since="2020-01-01T00:00:00Z", until="2100-01-01T00:00:00Z", limit="5").json()["facts"]
    assert call.done == call.operations.keys()


def test_strangers_are_kept_out(document: BaseSchema, stock: Stock, own: House) -> None:
    """Without a token, with a wrong, foreign or revoked one, with a scheme that is not Bearer: 401. With one for something else: 403."""
    revoked = stock.site.service(ALL)
    assert stock.site.revoke(revoked, "svc").status == 200
    elsewhere = Stock.of(own, "rival").token
    good = stock.token
    wrong = ("Bearer x", "Bearer", f"Bearer {good}x", f"DPoP {good}", f"Basic {good}", good, f"Bearer {revoked}", f"Bearer {elsewhere}")
    narrow = {scope: stock.site.service(scope) for scope in ("limen:audit:read", "limen:accounts:read")}
    for operation in _operations(document):
        (needed,) = operation.definition.raw["security"][0]["oauth2"]
        lesser = narrow["limen:accounts:read" if needed == "limen:audit:read" else "limen:audit:read"]
        parts = dict.fromkeys(re.findall(r"{(\w+)}", operation.path), "x")
        for fields, status in (({}, 401), *(({"Authorization": one}, 401) for one in wrong), ({"Authorization": f"Bearer {lesser}"}, 403)):
            answer = operation.Case(path_parameters=parts).call_and_validate(headers=fields)
            assert answer.status_code == status, (operation.label, fields)
            assert answer.headers["www-authenticate"][0].startswith("Bearer ")


def test_a_misspelt_parameter_is_refused(document: BaseSchema, stock: Stock) -> None:
    """What nobody knows is never left out of account: a withdrawal of one scope would become one of all."""
    for operation in _operations(document):
        if not operation.query:
            continue
        query = {one.name: "x" for one in operation.query if one.is_required}
        answer = operation.Case(query={**query, "misspelt": "x"}).call_and_validate(headers=stock.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_form"), operation.label
        assert "misspelt" in answer.json()["detail"]


def test_edges(document: BaseSchema, stock: Stock) -> None:
    """The smallest, largest, missing and wrong of every value, in turn, for records nobody has: statuses, codes, fields and headers are as described."""
    for operation in _operations(document):
        for case in document.iter_coverage_cases(operation, generation_modes=list(GenerationMode), generation_config=document.config.generation):
            case.call_and_validate(headers=stock.headers, additional_checks=[understood])


def _is_there(operation: Any, mode: GenerationMode) -> bool:
    """Whether there are such values at all: of texts in paths and queries none is wrong."""

    @settings(BRIEFLY, max_examples=1)
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Case[Any]) -> None:
        del case

    try:
        one()
    except Unsatisfiable:
        assert mode.is_negative, operation.label
        assert not operation.body, operation.label
        return False
    return True


def _try(document: BaseSchema, stock: Stock, mode: GenerationMode, how: settings) -> int:
    """Call every operation with values that fit, or do not; return how many calls that were."""
    calls = 0
    for operation in (one for one in _operations(document) if _is_there(one, mode)):

        @how
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: Case[Any]) -> None:
            nonlocal calls
            calls += 1
            stock.put_into(case)
            case.call_and_validate(headers=stock.headers, additional_checks=[understood])

        run()
    return calls


def test_what_fits(document: BaseSchema, stock: Stock) -> None:
    """Values that fit, for accounts, clients and sessions that are there, are never called malformed, and the answers are as described."""
    _try(document, stock, GenerationMode.POSITIVE, BRIEFLY)


def test_what_does_not_fit(document: BaseSchema, stock: Stock) -> None:
    """Values that do not fit are refused as described."""
    _try(document, stock, GenerationMode.NEGATIVE, BRIEFLY)


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_both_for_long(document: BaseSchema, stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    """Likewise, with two hundred examples for each operation, others each time."""
    how = settings(max_examples=200, database=None, suppress_health_check=HEALTH)
    calls = sum(_try(document, stock, mode, how) for mode in GenerationMode)
    with capsys.disabled():
        print(f"\n{calls} calls of {len(_operations(document))} operations, every answer as described")
