"""A registry that takes tokens, with a token service of the tests: from the first challenge to a token that ends."""

from __future__ import annotations

import dataclasses
import json
import random
import time

import pytest

from jupyimg.commands.environment import settings_from
from jupyimg.credentials import CredentialStore
from jupyimg.engines.access import Access
from jupyimg.errors import Denied
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.registry import Registries, upload
from tests.credentials.conftest import auth
from tests.magic.test_magic import run
from tests.services.registry import PASSWORD, USERNAME

DATA = random.Random(5).randbytes(300_000)


@pytest.fixture
def registries(tmp_path):
    """Registries with whatever login the test's user has."""
    settings = dataclasses.replace(settings_from({}), home=tmp_path / "jupyimg", read_timeout=20.0)
    opened = Registries(settings, CredentialStore(settings).find)
    opened.access = Access(opened, CredentialStore(settings))
    yield opened
    opened.close()


def layer(data=DATA):
    return Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))


def test_login_push_pull_copy_and_logout(shell, hello, tokens, token_registry):
    host = token_registry.host
    run(shell, f"%image tag {hello} {host}/me/hello:1")
    with pytest.raises(Denied, match="does not let you push"):
        run(shell, f"%image push {host}/me/hello:1")
    shell.user_ns["pw"] = PASSWORD
    assert "Login Succeeded" in str(run(shell, f"%image login {host} -u {USERNAME} -p {{pw}}"))
    assert run(shell, f"%image push {host}/me/hello:1")["status"].tolist() == ["pushed"]
    copied = run(shell, f"%image copy {host}/me/hello:1 {host}/you/hello:1")
    assert copied["transferred"].iloc[0] < 5000, "the layers were not mounted"
    run(shell, f"%image rmi {host}/me/hello:1")
    assert run(shell, f"%image pull {host}/me/hello:1")["status"].tolist() == ["downloaded"]
    assert USERNAME in {asked.get("account", [""])[0] for asked, _ in tokens.asked}
    run(shell, f"%image logout {host}")
    run(shell, f"%image tag {hello} {host}/new/hello:1")
    with pytest.raises(Denied, match="does not let you push"):
        run(shell, f"%image push {host}/new/hello:1")
    assert run(shell, f"%image inspect --remote {host}/me/hello:1")["Os"] == "linux", "anybody may pull there"


def test_an_identity_token_is_kept_in_place_of_the_password(shell, hello, tokens, token_registry, tmp_path):
    tokens.gives_identity = True
    host = token_registry.host
    shell.user_ns["pw"] = PASSWORD
    run(shell, f"%image login {host} -u {USERNAME} -p {{pw}}")
    kept = json.loads((tmp_path / "home" / ".docker" / "config.json").read_text())["auths"][host]
    assert kept == {**auth(USERNAME, ""), "identitytoken": f"identity-of-{USERNAME}"}
    run(shell, f"%image tag {hello} {host}/me/hello:1")
    assert run(shell, f"%image push {host}/me/hello:1")["status"].tolist() == ["pushed"]
    assert tokens.asked[-1][0]["grant_type"] == ["refresh_token"]
    assert str(run(shell, f"%image login {host}")).endswith("Login Succeeded")
    tokens.identities.clear()
    with pytest.raises(Denied, match="incorrect username or password"):
        run(shell, f"%image login {host}")
    run(shell, f"%image tag {hello} {host}/you/hello:1")
    with pytest.raises(Denied, match="does not accept the login that is kept"):
        run(shell, f"%image push {host}/you/hello:1")


@pytest.mark.parametrize("whole", [True, False])
def test_a_token_that_ends_in_mid_upload_is_renewed_and_no_byte_is_lost(
    registries, tokens, token_registry, monkeypatch, whole
):
    host = token_registry.host
    registries.access.login(host, USERNAME, PASSWORD)
    monkeypatch.setattr(upload, "CHUNK_SIZE", 120_000)
    repository = registries.repository(Reference.parse(f"{host}/me/app"))
    repository._line.learned.takes_whole = whole
    tokens.life = 3
    tokens.asked.clear()
    begin = repository._line.attempt

    def slowly(call, ask):
        if ask.method in {"PUT", "PATCH"} and len(tokens.asked) == 1:
            time.sleep(4.5)  # past the end of the first token, which the client was told would live for long
        return begin(call, ask)

    repository._line.attempt = slowly
    repository.write(layer(), lambda offset: iter([DATA[offset : offset + 50_000], DATA[offset + 50_000 :]]))
    assert len(tokens.asked) == 2
    statuses = [line.status for line in token_registry.accesses("uploads/") if line.method in {"PUT", "PATCH"}]
    assert statuses[0] == 401
    assert statuses.count(401) == 1
    assert b"".join(repository.read(layer())) == DATA


def test_a_right_that_is_missing_is_told_from_a_wrong_password(registries, tokens, token_registry):
    host = token_registry.host
    tokens.users["bob"] = "pw"
    tokens.rights["bob"] = {"pull"}
    registries.access.login(host, "bob", "pw")
    repository = registries.repository(Reference.parse(f"{host}/me/app:1"))
    with pytest.raises(Denied, match=r"does not let you push to .*/me/app") as denied:
        repository.write(layer(), lambda offset: iter([DATA[offset:]]))
    assert denied.value.hint == f"use an account that may push there: %image login {host}"
    assert len(tokens.asked) <= 3, "it was asked again and again"


def test_a_wrong_password_is_denied_in_the_services_words(registries, token_registry):
    with pytest.raises(Denied, match="incorrect username or password"):
        registries.access.login(token_registry.host, USERNAME, "hunter2")
    assert registries.access.renew(token_registry.host) is None


def test_a_login_for_a_path_is_used_below_it_only(registries, tokens, token_registry, tmp_path):
    host = token_registry.host
    folder = tmp_path / "home" / ".config" / "containers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "auth.json").write_text(json.dumps({"auths": {f"{host}/me": auth(USERNAME, PASSWORD)}}))
    registries.repository(Reference.parse(f"{host}/me/app")).write(layer(), lambda offset: iter([DATA[offset:]]))
    with pytest.raises(Denied):
        registries.repository(Reference.parse(f"{host}/you/app")).write(layer(), lambda offset: iter([DATA[offset:]]))
    assert {header for asked, header in tokens.asked if "you/app" in asked["scope"][0]} == {""}
