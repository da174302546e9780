"""How a place is spoken to: own authorities and client certificates (certs.d), and what is called insecure."""

from __future__ import annotations

import socket
import ssl

import pytest

from jupyimg.errors import Misuse, Unreachable
from jupyimg.model.reference import Reference
from jupyimg.registry import Credentials
from tests.mirrors.conftest import BIG, passed_by, pulled, push_image
from tests.registry.certificates import make_certificate
from tests.registry.fake import Answer, serve_fake
from tests.services import registry as service


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path, "registry")


@pytest.fixture
def client(tmp_path):
    return make_certificate(tmp_path, "client")


@pytest.fixture
def secure(start, registry, certificate):
    """A registry that speaks TLS with a certificate that signs itself."""
    push_image(registry)
    server = start(tls=certificate)
    server.stock(registry.data)
    return server


def trust(user, host, certificate, *, folder=".config/containers", client=None, name="ca.crt"):
    """Put an authority, and perhaps a certificate to show, where `certs.d` has them."""
    place = user.home / folder / "certs.d" / host
    place.mkdir(parents=True, exist_ok=True)
    if certificate:
        (place / name).write_bytes(certificate[0].read_bytes())
    if client:
        (place / "client.cert").write_bytes(client[0].read_bytes())
        (place / "client.key").write_bytes(client[1].read_bytes())
    return place


@pytest.mark.parametrize("folder", [".config/containers", ".config/docker", "etc/containers", "etc/docker"])
def test_an_own_authority_is_trusted_for_its_host(user, engine, secure, certificate, folder):
    trust(user, secure.host, certificate, folder=folder)
    assert pulled(engine, secure.reference("app:1"))[1] == secure.digest("app", "1")


def test_an_authority_of_another_host_is_not(user, engine, secure, certificate, tmp_path):
    trust(user, "127.0.0.1:1", certificate)
    trust(user, secure.host, make_certificate(tmp_path, "other"))
    with pytest.raises(Unreachable, match="is not to be trusted"):
        engine.pull(secure.reference("app:1"))


def test_an_authority_that_comes_later_is_seen(user, engine, secure, certificate, tmp_path):
    place = trust(user, secure.host, make_certificate(tmp_path, "other"))
    with pytest.raises(Unreachable):
        engine.pull(secure.reference("app:1"))
    (place / "more.crt").write_bytes(certificate[0].read_bytes())
    assert pulled(engine, secure.reference("app:1"))[1]


def test_a_client_certificate_is_shown_to_who_asks(user, engine, start, registry, certificate, client, monkeypatch):
    push_image(registry)
    config = service._config

    def asking(*arguments, **more):
        made = config(*arguments, **more)
        made["http"]["tls"]["clientcas"] = [str(client[0])]
        return made

    monkeypatch.setattr(service, "_config", asking)
    server = start(tls=certificate)
    server.stock(registry.data)
    trust(user, server.host, certificate)
    with pytest.raises(Unreachable):
        engine.pull(server.reference("app:1"))
    trust(user, server.host, None, client=client)
    assert pulled(engine, server.reference("app:1"))[1] == registry.digest("app", "1")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("ca.crt", "no certificate", r"ca\.crt in certs\.d/127\.0\.0\.1:\d+ cannot be used as an authority"),
        ("me.cert", "x", r"me\.cert in certs\.d/.* has no me\.key beside it"),
        ("me.key", "x", r"me\.key in certs\.d/.* has no me\.cert beside it"),
    ],
)
def test_a_file_of_certificates_that_cannot_be_used_is_named(user, engine, secure, certificate, name, text, says):
    place = trust(user, secure.host, certificate)
    (place / name).write_text(text)
    with pytest.raises(Misuse, match=says) as failed:
        engine.pull(secure.reference("app:1"))
    assert failed.value.hint


def test_a_mirror_over_tls_with_an_own_authority(user, engine, registry, secure, certificate):
    user.mirrors(registry.host, secure.host)
    trust(user, secure.host, certificate)
    said, _ = pulled(engine, registry.reference("app:1"))
    assert not passed_by(said)
    assert secure.sent() > 2 * BIG


def test_a_mirror_over_tls_that_nobody_vouches_for_is_passed_by_unless_it_is_called_insecure(
    user, engine, registry, secure
):
    path = user.mirrors(registry.host, secure.host)
    said, _ = pulled(engine, registry.reference("app:1"))
    assert len(passed_by(said)) == 1
    engine.remove([registry.reference("app:1")])
    path.write_text(path.read_text() + "insecure = true\n")
    said, _ = pulled(engine, registry.reference("app:1"))
    assert not passed_by(said)
    assert secure.sent() > 2 * BIG


def test_an_insecure_registry_may_speak_http_too_and_takes_a_push(user, engine, registry):
    push_image(registry)
    user.mirrors(registry.host, more="insecure = true")
    pulled(engine, registry.reference("app:1"))
    engine.tag(registry.reference("app:1"), registry.reference("app:2"))
    engine.push(registry.reference("app:2"))
    assert registry.tags("app") == ["1", "2"]


def test_an_insecure_registry_takes_a_push_over_tls(user, engine, secure):
    user.mirrors(secure.host, more="insecure = true")
    pulled(engine, secure.reference("app:1"))
    engine.tag(secure.reference("app:1"), secure.reference("app:2"))
    engine.push(secure.reference("app:2"))
    assert secure.tags("app") == ["1", "2"]


def test_what_is_insecure_is_so_for_its_own_host_alone(user, connect, certificate, other):
    """Not for where it redirects to: the blob store must prove who it is, and the connection is not shared."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serve_fake(context) as front, serve_fake(context) as store:
        image = front.image()
        layer = front.put(b"z" * 2_000_000)
        front.rule("GET /v2/app/blobs", Answer(307, b"", {"Location": f"https://{store.host}/blob"}))
        user.mirrors(front.host, more="insecure = true")
        repository = connect().repository(front.reference("app"))
        assert repository.resolve(front.reference("app:1")) == image
        with pytest.raises(Unreachable, match="is not to be trusted"):
            list(repository.read(layer))
        assert not store.seen


def test_a_mirror_gets_the_credentials_of_its_own_host_alone(user, connect, registry, fake, other):
    push_image(registry)
    challenge = {"WWW-Authenticate": 'Basic realm="x"'}
    known = {f"{host}": Credentials("user", f"secret of {host}") for host in (fake.host, registry.host)}
    asked = []
    fake.rule(".", Answer(401, b"", challenge))
    other.rule(".", Answer(401, b"", challenge))
    user.mirrors(registry.host, fake.host, other.host)
    registries = connect(lambda asking: asked.append(asking.host) or known.get(asking.host))
    reference = Reference.parse(registry.reference("app:1"))
    assert registries.repository(reference).resolve(reference)
    sent = {seen.headers["authorization"] for seen in fake.seen if "authorization" in seen.headers}
    assert sent == {known[fake.host].basic}
    assert not [seen for seen in other.seen if "authorization" in seen.headers]
    assert asked == [fake.host, other.host], "the upstream never asked"


NAME = "registry.localhost"


@pytest.fixture
def _resolved(monkeypatch):
    """A name that is not loopback's, and that leads here all the same."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: real("127.0.0.1" if host.endswith(NAME) else host, *a, **k)
    )


@pytest.mark.usefixtures("_resolved")
@pytest.mark.parametrize("by", ["registries.conf", "daemon.json", "daemon.json, a mirror"])
def test_what_is_called_insecure_elsewhere_is_spoken_to_in_http_where_it_knows_no_tls(user, connect, fake, by):
    host = f"{NAME}:{fake.host.rpartition(':')[2]}"
    name = "docker.io/library/app" if "mirror" in by else f"{host}/app"
    if by == "registries.conf":
        user.mirrors(host, more="insecure = true")
    else:
        path = user.home / "etc" / "docker" / "daemon.json"
        path.parent.mkdir(parents=True)
        which = f'"registry-mirrors": ["http://{host}"]' if "mirror" in by else f'"insecure-registries": ["{host}"]'
        path.write_text(f"{{{which}}}")
    image = fake.image("library/app" if "mirror" in by else "app")
    repository = connect().repository(Reference.parse(name))
    assert repository.resolve(Reference.parse(f"{name}:1")) == image
    assert b"".join(repository.read(image))
    if "mirror" not in by:
        fake.uploads["u"] = bytearray()
        fake.rule("POST", Answer(202, b"", {"Location": f"http://{host}/upload/u"}))
        blob = fake.put(b"sent")
        del fake.blobs[blob.digest]
        repository.write(blob, lambda offset: iter([b"sent"[offset:]]))
        assert fake.blobs[blob.digest] == b"sent"


@pytest.mark.usefixtures("_resolved")
def test_what_nobody_calls_insecure_is_never_spoken_to_in_http(user, connect, fake):
    fake.image()
    host = f"{NAME}:{fake.host.rpartition(':')[2]}"
    user.mirrors(host)
    with pytest.raises(Unreachable, match="does not speak https"):
        connect().repository(Reference.parse(f"{host}/app")).resolve(Reference.parse(f"{host}/app:1"))
    assert not fake.seen
