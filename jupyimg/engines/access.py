"""Access: logging in to registries and out again, whatever engine is current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.credentials import login_key, server_of
from jupyimg.errors import Denied, Misuse
from jupyimg.model.records import LoginRecord, LogoutRecord
from jupyimg.registry import Credentials

if TYPE_CHECKING:
    from jupyimg.credentials import CredentialStore
    from jupyimg.registry import LoggedIn, Registries


@dataclass(frozen=True, slots=True)
class Access:
    """Logging in proves a login before it is kept; a server is a name or a URL, and "" is Docker Hub."""

    registries: Registries
    credentials: CredentialStore

    def host(self, server: str) -> str:
        """The registry that is meant, as references name it.

        Raises:
            Misuse: no registry.
        """
        return server_of(server)

    def login(self, server: str, username: str, password: str) -> LoginRecord:
        """Prove a login and keep it, where the user's configuration says.

        Raises:
            Denied: the registry does not accept it; nothing was kept.
            RegistryError: the registry said something else, or nothing; nothing was kept.
            CredentialError: it could not be kept.
            Misuse: no registry, or a part of the login is missing.
        """
        host = server_of(server)
        if not username or not password:
            raise Misuse(f"a login needs a user name and a {'password' if username else 'password with it'}")
        proved = self._proved(host, Credentials(username, password), "check both; nothing was kept")
        kept = self.credentials.store(host, proved.credentials)
        return LoginRecord(
            host=host,
            username=username,
            where=kept.where,
            encrypted=kept.encrypted,
            asked=proved.asked,
            shadowed_by=kept.shadowed_by,
        )

    def renew(self, server: str) -> LoginRecord | None:
        """Prove the login that is kept, as `docker login` does first; None where there is none.

        Raises:
            Denied: the registry no longer accepts it.
            RegistryError: the registry said something else, or nothing.
            CredentialError: what keeps it cannot be used.
            Misuse: no registry.
        """
        host = server_of(server)
        found = self.credentials.find(host)
        if found is None:
            return None
        proved = self._proved(host, found, f"log in anew, or forget it: %image logout {host}")
        return LoginRecord(
            host=host, username=found.username, where=self.credentials.source_of(host), asked=proved.asked
        )

    def logout(self, server: str) -> LogoutRecord:
        """Forget the login for a registry, wherever it is kept.

        Raises:
            CredentialError: a file could not be read or written.
            Misuse: no registry.
        """
        host = server_of(server)
        done = self.credentials.erase(host)
        return LogoutRecord(
            host=host, key=login_key(host), removed=done.removed, left=done.left, troubles=done.troubles
        )

    def _proved(self, host: str, credentials: Credentials, hint: str) -> LoggedIn:
        try:
            return self.registries.log_in(host, credentials)
        except Denied as error:
            raise Denied(error.message, hint=hint, status=error.status, code=error.code) from None
