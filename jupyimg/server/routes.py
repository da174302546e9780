"""Routes: from a request to the endpoint that answers it, past the gate, with every failure turned into an answer."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.errors import ImageError
from jupyimg.server.blobs import Blobs
from jupyimg.server.call import Call
from jupyimg.server.channel import Gone
from jupyimg.server.listings import Listings
from jupyimg.server.manifests import Manifests
from jupyimg.server.message import json_answer, told
from jupyimg.server.problems import NAME_UNKNOWN, UNKNOWN, UNSUPPORTED, Refused, refusal
from jupyimg.server.spelling import repository
from jupyimg.server.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyimg.server.gate import Gate
    from jupyimg.server.message import Answer, Body, Head
    from jupyimg.server.readers import Readers
    from jupyimg.server.record import Record
    from jupyimg.server.sessions import Sessions

    Endpoints = Mapping[str, Callable[[Call], Answer]]

_log = logging.getLogger(__name__)


class Routes:
    """Answers requests; called in many threads at once."""

    def __init__(self, record: Record, sessions: Sessions, readers: Readers, gate: Gate) -> None:
        blobs, manifests, self._listings = Blobs(record), Manifests(record, readers), Listings(record)
        uploads = Uploads(record, sessions)
        self._gate = gate
        one_upload: Endpoints = {
            "GET": uploads.status,
            "PATCH": uploads.append,
            "PUT": uploads.finish,
            "DELETE": uploads.cancel,
        }
        one_blob: Endpoints = {"GET": blobs.get, "HEAD": blobs.get, "DELETE": blobs.delete}
        one_manifest: Endpoints = {
            "GET": manifests.get,
            "HEAD": manifests.get,
            "PUT": manifests.put,
            "DELETE": manifests.delete,
        }
        # the last words of a path are fixed, so a repository may be called blobs or manifests
        self._table: tuple[tuple[re.Pattern[str], Endpoints], ...] = (
            (re.compile(r"/v2/(.+)/blobs/uploads/?()"), {"POST": uploads.begin}),
            (re.compile(r"/v2/(.+)/blobs/uploads/([^/]+)"), one_upload),
            (re.compile(r"/v2/(.+)/blobs/([^/]+)"), one_blob),
            (re.compile(r"/v2/(.+)/manifests/([^/]+)"), one_manifest),
            (re.compile(r"/v2/(.+)/tags/list()"), {"GET": self._listings.tags, "HEAD": self._listings.tags}),
            (re.compile(r"/v2/(.+)/referrers/([^/]+)"), {"GET": self._listings.referrers}),
        )

    def respond(self, head: Head, body: Body) -> Answer:
        """Answer a request.

        Raises:
            Gone: the peer is not there any more.
        """
        try:
            self._gate.check(head)
            return self._find(head, body)
        except Refused as error:
            return told(error)
        except ImageError as error:
            refused = refusal(error)
            if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.error("%s", error.message)
            return told(refused)
        except Gone:
            raise
        except Exception:  # noqa: BLE001 - one request must not print over somebody's notebook
            _log.exception("a request failed")
            return told(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, UNKNOWN, "the server failed", hang_up=True))

    def _find(self, head: Head, body: Body) -> Answer:
        if head.path in ("/v2", "/v2/"):
            _allow(head, ("GET", "HEAD"))
            return json_answer({})
        if head.path == "/v2/_catalog":
            _allow(head, ("GET", "HEAD"))
            return self._listings.catalog(head)
        for pattern, endpoints in self._table:
            match = pattern.fullmatch(head.path)
            if match:
                _allow(head, endpoints)
                return endpoints[head.method](Call(head, body, match[1], repository(match[1]), match[2]))
        raise Refused(HTTPStatus.NOT_FOUND, NAME_UNKNOWN, "nothing is served at this address")


def _allow(head: Head, methods: tuple[str, ...] | Endpoints) -> None:
    if head.method not in methods:
        headers = (("Allow", ", ".join(methods)),)
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, UNSUPPORTED, "that cannot be done here", headers=headers)
