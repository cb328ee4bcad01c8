r"""What the customer's own telephone shows: his benefits, in Chinese.

BASE_URL=http://127.0.0.1:8000 TOKEN=$(tiering token --role customer --customer-id C-1001) \
    python mobile_app.py C-1001
"""

import os
import sys

import httpx


def main(customer_id: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Accept-Language": "zh-CN"}
    path = f"/v1/customers/{customer_id}/benefits"
    with httpx.Client(base_url=os.environ["BASE_URL"], headers=headers, timeout=5) as api:
        answer = api.get(path).raise_for_status()
        print(answer.headers["Content-Language"], answer.json()["tier"])
        for benefit in answer.json()["benefits"]:
            print(f"  {benefit['name']}")
        # The next look costs no bytes while nothing has changed.
        again = api.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        print("unchanged" if again.status_code == 304 else "changed")


if __name__ == "__main__":
    main(sys.argv[1])
