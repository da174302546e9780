"""Ways to a registry: TLS that is verified, proxies that are asked or passed by."""

from __future__ import annotations

import socket
import ssl

import pytest

from jupyimg.errors import Misuse, Unreachable
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.model.reference import Reference
from tests.registry.certificates import make_certificate
from tests.registry.fake import Answer, dead_port, serve_fake

NAME = "registry.localhost"


@pytest.fixture
def _resolved(monkeypatch):
    """A name that is not loopback's, so that https is spoken to it, and that leads here all the same."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: real("127.0.0.1" if host.endswith(NAME) else host, *a, **k)
    )


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path, NAME)


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serve_fake(context) as fake:
        yield fake


def named(fake, name=NAME):
    return Reference.parse(f"{name}:{fake.host.rpartition(':')[2]}/app:1")


@pytest.mark.usefixtures("_resolved")
def test_a_certificate_of_the_users_own_authority_is_trusted(secure, certificate, connect):
    image = secure.image()
    repository = connect(ca_file=str(certificate[0])).repository(named(secure))
    for _ in range(3):
        assert repository.resolve(named(secure)) == image
    assert len({seen.peer for seen in secure.seen}) == 1, "a connection was not used again"


@pytest.mark.usefixtures("_resolved")
def test_a_registry_behind_tls_that_calls_itself_http_is_asked_over_https(secure, certificate, connect):
    reference = named(secure)
    repository = connect(ca_file=str(certificate[0])).repository(reference)
    secure.uploads["u"] = bytearray()
    secure.rule("POST", Answer(202, b"", {"Location": f"http://{NAME}/upload/u"}))
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(b"data"), size=4)
    repository.write(blob, lambda offset: iter([b"data"[offset:]]))
    assert secure.blobs[blob.digest] == b"data"


@pytest.mark.usefixtures("_resolved")
def test_a_certificate_that_proves_nothing_is_an_error_and_never_leads_to_http(secure, fake, connect):
    for reference in (named(secure), named(secure, f"other.{NAME}")):
        with pytest.raises(Unreachable, match=r"certificate of .* is not to be trusted") as failed:
            connect().repository(reference).resolve(reference)
        assert "SSL_CERT_FILE" in failed.value.hint
    assert not secure.seen


@pytest.mark.usefixtures("_resolved")
def test_a_certificate_of_another_name_is_not_trusted(secure, certificate, connect):
    reference = named(secure, f"other.{NAME}")
    with pytest.raises(Unreachable, match=r"not to be trusted: Hostname mismatch"):
        connect(ca_file=str(certificate[0])).repository(reference).resolve(reference)


@pytest.mark.usefixtures("_resolved")
def test_https_to_a_server_of_plain_http_says_what_to_set(fake, connect):
    fake.image()
    reference = named(fake)
    with pytest.raises(Unreachable, match="does not speak https") as failed:
        connect().repository(reference).resolve(reference)
    assert failed.value.hint == f"if it speaks plain http, add {reference.host} to JUPYIMG_INSECURE"
    assert not fake.seen
    assert connect(insecure=frozenset({reference.host})).repository(reference).resolve(reference)


@pytest.mark.usefixtures("_resolved")
@pytest.mark.parametrize("text", [None, "no certificate"])
def test_authorities_that_cannot_be_read_are_named(secure, connect, tmp_path, text):
    wrong = tmp_path / "wrong.pem"
    if text:
        wrong.write_text(text)
    with pytest.raises(Misuse, match=r"authorities in .*wrong\.pem.* cannot be read"):
        connect(ca_file=str(wrong)).repository(named(secure)).resolve(named(secure))


ADDON = """
    def request(flow):
        if flow.request.pretty_host == "registry.test":
            flow.request.scheme, flow.request.host, flow.request.port = "http", "127.0.0.1", {port}
        flow.request.headers["X-Came-By"] = "proxy"
"""
LAZY = ("connection_strategy=lazy",)


@pytest.fixture
def proxy(fake, mitmproxy):
    return mitmproxy(ADDON.format(port=fake.host.rpartition(":")[2]), options=LAZY)


def came_by_proxy(fake):
    return ["x-came-by" in seen.headers for seen in fake.seen]


@pytest.mark.parametrize("tls", [True, False])
def test_a_proxy_is_asked(fake, proxy, connect, tls):
    image = fake.image()
    blob = fake.put(bytes(3_000_000))
    registries = connect(
        proxies={"https" if tls else "http": proxy.url},
        ca_file=str(proxy.authority),
        insecure=frozenset() if tls else frozenset({"registry.test"}),
    )
    reference = Reference.parse("registry.test/app:1")
    repository = registries.repository(reference)
    assert repository.resolve(reference) == image
    assert b"".join(repository.read(blob)) == bytes(3_000_000)
    repository.write(fake.put(b"up"), lambda offset: iter([b"up"[offset:]]))
    assert came_by_proxy(fake) == [True] * 4


def test_loopback_and_what_no_proxy_names_are_reached_without(fake, proxy, connect):
    fake.image()
    registries = connect(proxies={"http": proxy.url, "https": proxy.url, "no": ".test"})
    registries.repository(fake.reference("app")).resolve(fake.reference("app:1"))
    assert came_by_proxy(fake) == [False]
    reference = Reference.parse("registry.test/app:1")
    with pytest.raises(Unreachable, match="no address is known"):
        registries.repository(reference).resolve(reference)


@pytest.mark.parametrize("tls", [True, False])
def test_a_proxy_that_wants_a_login_gets_it(fake, mitmproxy, connect, tls):
    proxy = mitmproxy(ADDON.format(port=fake.host.rpartition(":")[2]), options=(*LAZY, "proxyauth=ada:p w@1"))
    image = fake.image()
    reference = Reference.parse("registry.test/app:1")
    common = {"ca_file": str(proxy.authority), "insecure": frozenset() if tls else frozenset({"registry.test"})}
    scheme = "https" if tls else "http"
    with_login = proxy.url.replace("//", "//ada:p%20w%401@")
    registries = connect(proxies={scheme: with_login}, **common)
    assert registries.repository(reference).resolve(reference) == image
    assert "proxy-authorization" not in fake.seen[0].headers
    with pytest.raises((Unreachable, OSError), match="407") as failed:
        connect(proxies={scheme: proxy.url}, **common).repository(reference).resolve(reference)
    assert "PROXY" in failed.value.hint


def test_a_proxy_that_is_down_is_named_as_the_trouble(connect):
    reference = Reference.parse("registry.test/app:1")
    secret = f"http://ada:secret@127.0.0.1:{dead_port()}"
    with pytest.raises(Unreachable, match=r"the proxy on the way to registry\.test") as failed:
        connect(proxies={"https": secret}).repository(reference).resolve(reference)
    assert "secret" not in failed.value.message
