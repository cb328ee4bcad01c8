"""The routes that the masking matrix leaves out, since they tell nothing of a customer."""

from typing import Final

SIMULATED: Final = "/v1/rule-sets/{rule_set_id}/simulations/{simulation_id}"
#: Routes that tell nothing of a customer, so that they are no part of the matrix.
NOT_ABOUT_CUSTOMERS: Final = {
    "GET /v1/tiers",
    "GET /v1/tiers/{tier}/sla",
    "GET /v1/facts",
    "GET /v1/rule-sets",
    "POST /v1/rule-sets",
    "GET /v1/rule-sets/{rule_set_id}/versions/{version}",
    "GET /v1/rule-sets/{rule_set_id}/draft",
    "PUT /v1/rule-sets/{rule_set_id}/draft",
    "GET /v1/rule-sets/{rule_set_id}/draft/changes",
    "DELETE /v1/rule-sets/{rule_set_id}/draft",
    "POST /v1/rule-sets/{rule_set_id}/publish",
    "POST /v1/rule-sets/{rule_set_id}/retire",
    "GET /v1/rule-sets/{rule_set_id}/publications",
    "GET /v1/rule-sets/{rule_set_id}/versions/{version}/changes",
    "GET /v1/rule-templates",
    # How many customers a finding is about, in full tens for who is shown no customer data.
    "POST /v1/rule-sets/check",
    "POST /v1/evaluations/what-if",
    "POST /v1/imports",
    "GET /v1/imports/{import_id}",
    "GET /v1/imports/{import_id}/rejected",
    "GET /v1/jobs/{job_id}",
    "POST /v1/jobs/{job_id}/cancel",
    "POST /v1/jobs/{job_id}/requeue",
    # Counts, of which small ones are told to few: tests/features/simulations/test_disclosure.py.
    *(f"{method} /v1/rule-sets/{{rule_set_id}}/simulations" for method in ("GET", "POST")),
    *(f"GET {SIMULATED}", f"POST {SIMULATED}/cancel", f"GET {SIMULATED}/comparison"),
    "POST /v1/override-delegations",
    "GET /v1/override-delegations",
    "GET /v1/override-delegations/{delegation_id}",
    "POST /v1/override-delegations/{delegation_id}/end",
    "GET /metrics",
    *(
        f"{method} {path}"
        for method in ("GET", "HEAD")
        for path in (
            *("/livez", "/readyz", "/openapi.json", "/docs"),
            *(f"/docs/{part}" for part in ("page.js", "page.css", "favicon.png")),
            *(f"/docs/swagger-ui{part}" for part in ("-bundle.js", ".css")),
        )
    ),
}
