"""Settings: every choice and limit, in one frozen value. Who fills it in reads the environment; this does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from jupyimg.model.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """Where a Docker or Podman daemon is, for the engines that need one.

    Attributes:
        host: ``unix://``, ``tcp://``, ``ssh://`` or ``npipe://`` ($DOCKER_HOST); "" leaves it to the context.
        context: a name in ``config/contexts`` ($DOCKER_CONTEXT); "" is the current one of ``config/config.json``.
        config: folder of the docker command's settings ($DOCKER_CONFIG); None has none.
        tls_verify: whether ``host`` must prove who it is ($DOCKER_TLS_VERIFY).
        cert_path: folder of ca.pem, cert.pem and key.pem ($DOCKER_CERT_PATH); "" is ``config``.
        api_version: spoken without asking the daemon ($DOCKER_API_VERSION); "" agrees on one.
        podman_host: as ``host``, for Podman ($CONTAINER_HOST).
        runtime_dir: folder of this user's sockets ($XDG_RUNTIME_DIR).
    """

    host: str = ""
    context: str = ""
    config: Path | None = None
    tls_verify: bool = False
    cert_path: str = ""
    api_version: str = ""
    podman_host: str = ""
    runtime_dir: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user or the environment chose.

    Attributes:
        home: folder that holds ``store/`` and everything else of ours ($JUPYIMG_HOME).
        lang: "en" or "zh", for what stands around the data in a notebook ($JUPYIMG_LANG, else what $LC_ALL,
            $LC_MESSAGES or $LANG says of messages).
        engine: the name of one in `engines.ENGINES` ($JUPYIMG_ENGINE).
        platform: what is pulled and shown by default ($DOCKER_DEFAULT_PLATFORM); None is this machine's.
        insecure: registries (HOST[:PORT]) spoken to over plain http besides loopback ($JUPYIMG_INSECURE).
        proxies: ``http``, ``https``, ``all`` and ``no``, as in $HTTP_PROXY, $HTTPS_PROXY, $ALL_PROXY, $NO_PROXY.
        hub_api: URL to ask instead of Docker Hub's own for search and tags, such as a lab's copy ($JUPYIMG_HUB_API).
        ca_file: certificate authorities to trust instead of the system's ($SSL_CERT_FILE).
        daemon: where the engines "docker" and "podman" find theirs.
        user_config: folder that holds ``containers/`` and ``docker/`` with a user's settings (``~/.config``, whatever
            $XDG_CONFIG_HOME says, as containers has it); None reads none.
        system_config: the same of the machine (``/etc``, or $JUPYIMG_ETC); None reads none.
        registries_conf: main file of containers' settings, instead of theirs ($CONTAINERS_REGISTRIES_CONF).
        policy: the trust policy (containers-policy.json(5)) that decides what is let in ($JUPYIMG_POLICY, else the
            user's or the system's, if there is one); None lets anything in.
        registries_d: folder that says where signatures lie (containers-registries.d(5)), the user's or the system's.
        lookaside: folder of signatures where ``registries_d`` names no place.
        content_trust: take only images that the policy wants signed ($DOCKER_CONTENT_TRUST).
        transfers: blobs moved at once.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds a connection may be silent; a whole transfer has no limit.
        attempts: how often one request is tried.
        longest_wait: seconds that a Retry-After is obeyed; a longer one becomes an error that says so.
        docker_auth_config: logins as JSON, which come before all files ($DOCKER_AUTH_CONFIG).
        docker_config: Docker's file of logins, the one that is written ($DOCKER_CONFIG/config.json).
        auth_files: Podman's, the first that knows a host wins ($REGISTRY_AUTH_FILE, or the two usual places).
        helper_timeout: seconds that a credential helper may take; it may ask its user for a passphrase.
    """

    home: Path
    lang: str = "en"
    engine: str = "embedded"
    platform: Platform | None = None
    insecure: frozenset[str] = frozenset()
    proxies: dict[str, str] = field(default_factory=dict, repr=False)
    hub_api: str = ""
    ca_file: str = ""
    daemon: DaemonSettings = field(default_factory=DaemonSettings)
    user_config: Path | None = None
    system_config: Path | None = None
    registries_conf: Path | None = None
    policy: Path | None = None
    registries_d: Path | None = None
    lookaside: Path | None = None
    content_trust: bool = False
    transfers: int = 6
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    attempts: int = 5
    longest_wait: float = 60.0
    docker_auth_config: str = field(default="", repr=False)
    docker_config: Path | None = None
    auth_files: tuple[Path, ...] = ()
    helper_timeout: float = 30.0

    @property
    def store(self) -> Path:
        """The OCI layout."""
        return self.home / "store"

    @property
    def certificates(self) -> tuple[Path, ...]:
        """Folders of a user's own authorities and certificates by host (``certs.d``); the first that has one counts."""
        folders = [folder for folder in (self.user_config, self.system_config) if folder is not None]
        return tuple(folder / owner / "certs.d" for folder in folders for owner in ("containers", "docker"))
