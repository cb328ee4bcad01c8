"""While the phone rings: the caller's tier and what it promises.

BASE_URL=http://127.0.0.1:8000 TOKEN=$(tiering token --role agent) python call_centre.py C-1001
"""

import os
import sys

import httpx


def main(customer_id: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    with httpx.Client(base_url=os.environ["BASE_URL"], headers=headers, timeout=2) as api:
        answer = api.get(f"/v1/customers/{customer_id}/tier")
        if answer.status_code == 409:
            print(f"{customer_id}: known, never evaluated; serve as standard")
            return
        tier = answer.raise_for_status().json()
        print(f"{customer_id}: {tier['display_name']['en']} since {tier['since']}")
        promises = api.get(f"/v1/tiers/{tier['tier']}/sla").raise_for_status().json()
        for entry in promises["entries"]:
            seconds = entry["response_seconds"]
            if seconds is not None:
                print(f"  {entry['service_type']}: answer within {seconds} s")


if __name__ == "__main__":
    main(sys.argv[1])
