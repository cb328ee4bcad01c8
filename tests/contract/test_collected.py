"""`tiering serve` sends traces and metrics where it is told to, and nothing that identifies."""

from __future__ import annotations

import httpx

from app.domain.privacy.roles import Role
from app.infra.auth import development_token
from app.infra.clock import utc_now
from tests.contract.conftest import Elsewhere

CUSTOMER = "SENTINEL-C1"
PATH = f"/v1/customers/{CUSTOMER}"
SAID = {"kind": "individual", "name": "SENTINEL-王小明", "phone": "13912345678"}
TYPED = {"User-Agent": "SENTINEL", "Host": "sentinel.example", "X-Request-Id": "SENTINEL"}
#: What is asked last: once it is told of, everything before it was.
LAST = "/v1/rule-templates"


def test_a_serving_process_tells_its_collector_routes_and_no_identifier(
    elsewhere: Elsewhere,
) -> None:
    def bearer(role: Role) -> dict[str, str]:
        token = development_token(
            elsewhere.settings, role=role, now=utc_now(), subject="SENTINEL-actor"
        )
        return {"Authorization": f"Bearer {token}", **TYPED}

    agent = bearer(Role.AGENT)
    with httpx.Client(base_url=elsewhere.served.base) as http:
        put = http.put(PATH, json=SAID, headers=bearer(Role.INTEGRATION))
        assert put.status_code == 201, put.text
        assert http.get(PATH, headers=agent).status_code == 200
        assert http.get(f"{PATH}/tier?x=SENTINEL", headers=agent).is_client_error
        assert http.get("/SENTINEL", headers=agent).status_code == 404
        searched = http.post("/v1/customers/search", json={"phone": SAID["phone"]}, headers=agent)
        assert searched.status_code < 500
        assert http.get(LAST, headers=bearer(Role.RULE_AUTHOR)).status_code == 200
    collector = elsewhere.collector
    assert collector.has_told("/v1/traces", f"GET {LAST}".encode())
    assert collector.has_told("/v1/metrics", LAST.encode())
    told = b"".join(parcel for _, parcel in list(collector.received))
    for known in (
        b"GET /v1/customers/{customer_id}",
        b"PUT /v1/customers/{customer_id}",
        b"http.server.request.duration",
        b"service.version",
    ):
        assert known in told
    assert b"sentinel" not in told.lower()
    for secret in (SAID["phone"], "王小明", agent["Authorization"][-20:]):
        assert secret.encode() not in told
