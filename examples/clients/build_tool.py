"""A build tool: publish versions, ask which go together, start a run, and read what it has written.

    python examples/clients/build_tool.py http://127.0.0.1:8000

With BUILDATLAS_TOKEN it shows that token, which needs the scopes `write` and `build`.
"""

import os
import sys
from typing import Any

import httpx

PUBLISH = """
mutation ($input: PublishVersionsInput!) {
  publishVersions(input: $input) { cursor published failed results { index error { code message } } }
}
"""
RESOLVE = """
query ($input: ResolveInput!) {
  resolve(input: $input) {
    ... on Resolution { pins { package version } }
    ... on ResolutionConflict { message relaxations { description } }
  }
}
"""
START = """
mutation ($input: StartRunInput!) { startRun(input: $input) { cursor created run { id total } } }
"""
BUILDS = """
query ($run: ID!) { run(id: $run) { builds { nodes { status packageVersion { version package { name } } } } } }
"""


class Refused(Exception):
    """The server answered with errors."""


class Atlas:
    """One server, or many behind one address: what is asked is answered from after what was written."""

    def __init__(self, address: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=address, headers=headers, timeout=60)

    def execute(self, document: str, **variables: object) -> Any:
        answer = self._client.post("/graphql", json={"query": document, "variables": variables}).json()
        if "errors" in answer:
            raise Refused("; ".join(each["message"] for each in answer["errors"]))
        return answer["data"]

    def write(self, document: str, **variables: object) -> Any:
        """Execute a mutation of one field, and have all that follows see its change."""
        (payload,) = self.execute(document, **variables).values()
        self._client.headers["buildatlas-after"] = payload["cursor"]
        return payload


def main(address: str) -> None:
    """Tell on standard output what is done."""
    atlas = Atlas(address, os.environ.get("BUILDATLAS_TOKEN"))
    versions = [
        {"package": "cart", "version": "2.0.0"},
        {"package": "shop", "version": "1.1.0", "dependencies": [{"package": "cart", "constraint": "^2.0"}]},
        {"package": "till", "version": "one"},
    ]
    # Not atomic: what is good is written, and each of the others says why it was not.
    published = atlas.write(PUBLISH, input={"versions": versions, "atomic": False})
    print(f"{published['published']} published, {published['failed']} refused")
    for result in published["results"]:
        if result["error"]:
            print(f"  {versions[result['index']]['package']}: {result['error']['message']}")

    for constraint in ("", ">=2"):
        answer = atlas.execute(
            RESOLVE, input={"requirements": [{"package": "shop", "constraint": constraint}]}
        )
        resolved = answer["resolve"]
        print(
            ", ".join(f"{pin['package']} {pin['version']}" for pin in resolved.get("pins", ()))
            or resolved["message"]
        )

    plan = {"packages": ["cart"], "includeDependents": True}
    # Asked again with the same key, because the answer was lost, it gives the first run.
    started = atlas.write(START, input={"plan": plan, "idempotencyKey": f"cart {published['cursor']}"})
    total = started["run"]["total"]
    print(f"run of {total} build{'s' if total != 1 else ''}")
    builds = atlas.execute(BUILDS, run=started["run"]["id"])["run"]["builds"]["nodes"]
    for build in builds:
        version = build["packageVersion"]
        print(f"  {version['package']['name']} {version['version']}: {build['status']}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("give the address of a server, such as http://127.0.0.1:8000")
    try:
        main(sys.argv[1])
    except (httpx.HTTPError, httpx.InvalidURL, Refused) as problem:
        sys.exit(f"{sys.argv[1]}: {problem}")
