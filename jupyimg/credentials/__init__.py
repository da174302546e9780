"""Who we are to each registry, as Docker and Podman keep it: files that they share with us, and helper programs.

`CredentialStore` finds, keeps and forgets. `entries` decides which line of a file is meant and what it says, and
touches nothing; `files` reads and rewrites; `programs` speaks to ``docker-credential-X``.

The order is Docker's, then Podman's: ``$DOCKER_AUTH_CONFIG``; ``config.json``; ``auth.json``. The first that knows a
host answers. Within a file the most specific path wins, then the host's helper, the helper for all hosts, and what
stands in the file itself. No secret is in a message, a repr, a process argument or a file that it did not come from.
"""

from __future__ import annotations

from jupyimg.credentials.entries import login_key, server_of
from jupyimg.credentials.store import CredentialStore, Forgotten, Kept

__all__ = ["CredentialStore", "Forgotten", "Kept", "login_key", "server_of"]
