"""A look at one customer for the file: masked profile, tiers so far, and why.

BASE_URL=http://127.0.0.1:8000 TOKEN=$(tiering token --role compliance) python compliance.py C-1001
"""

import os
import sys

import httpx


def main(customer_id: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "X-Purpose": "audit"}
    path = f"/v1/customers/{customer_id}"
    with httpx.Client(base_url=os.environ["BASE_URL"], headers=headers, timeout=5) as api:
        profile = api.get(path).raise_for_status().json()
        print(f"name {profile['name']}, withheld: {', '.join(profile['meta']['masked'])}")
        cursor: dict[str, str] = {}
        while True:
            page = api.get(f"{path}/tier-history", params=cursor).raise_for_status().json()
            for item in page["items"]:
                print(f"{item['tier']} from {item['valid_from']} to {item['valid_to'] or 'now'}")
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        told = api.get(f"{path}/tier/explanation").raise_for_status().json()
        for reason in told["reasons"]:
            print(f"  {reason['code']}: {reason['text']}")


if __name__ == "__main__":
    main(sys.argv[1])
