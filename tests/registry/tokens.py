"""A registry that wants tokens, and somebody to ask for one."""

from __future__ import annotations

import base64
import json

from jupyimg.model.documents import Descriptor
from jupyimg.registry import Credentials, Repository
from tests.registry.fake import Answer, error

ADA = Credentials("ada", "s3cret pass:word")
BASIC = "Basic " + base64.b64encode(b"ada:s3cret pass:word").decode()


def read(repository: Repository, blob: Descriptor) -> bytes:
    return b"".join(repository.read(blob))


class TokenServer:
    """Rules that make a fake want tokens: which it gave, and which it takes."""

    def __init__(self, fake, *, path="/token", service="reg", life=300, realm=None):
        self.fake, self.path, self.service, self.life = fake, path, service, life
        self.realm = realm or f"{fake.url}{path}"
        self.given: list[str] = []
        self.valid: set[str] = set()
        fake.rules.insert(0, self)

    def __call__(self, seen):
        if seen.route == self.path:
            return self.give(seen)
        if not seen.path.startswith(("/v2/", "/upload/")):
            return None
        if seen.headers.get("authorization", "").removeprefix("Bearer ") in self.valid:
            return None
        return self.challenge(seen)

    def give(self, seen):
        token = f"token{len(self.given)}"
        self.given.append(token)
        self.valid.add(token)
        return Answer(200, json.dumps({"token": token, "expires_in": self.life}).encode())

    def challenge(self, seen):
        scope = "repository:app:pull" if seen.method in {"GET", "HEAD"} else "repository:app:pull,push"
        shown = f'Bearer realm="{self.realm}",service="{self.service}",scope="{scope}"'
        return error(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=shown)
