"""Where a login is looked for, in which order, and what is said of it."""

from __future__ import annotations

import json

import pytest

from jupyimg.commands.session import settings_from
from jupyimg.errors import CredentialError
from jupyimg.model.reference import Reference
from jupyimg.registry import Credentials
from tests.credentials.conftest import auth


def test_dockers_variable_then_its_file_then_podmans_files(homes):
    first, second = homes.settings.auth_files
    homes.write(second, auths={"quay.io": auth("second", "4")})
    assert homes.open().find("quay.io") == Credentials("second", "4")
    homes.write(first, auths={"quay.io": auth("first", "3")})
    assert homes.open().find("quay.io") == Credentials("first", "3")
    homes.write(homes.docker, auths={"quay.io": auth("docker", "2")})
    assert homes.open().find("quay.io") == Credentials("docker", "2")
    text = json.dumps({"auths": {"https://quay.io/v1/": auth("env", "1")}})
    store = homes.open(docker_auth_config=text)
    assert store.find("quay.io") == Credentials("env", "1")
    assert store.source_of("quay.io") == "DOCKER_AUTH_CONFIG"
    assert homes.open().source_of("quay.io") == str(homes.docker)
    assert store.source_of("other.example") == ""


def test_what_one_place_does_not_know_the_next_one_may(homes, vault):
    homes.write(homes.docker, credsStore="vault", auths={"quay.io": {}})
    homes.write(homes.podman, auths={"quay.io": auth("ada", "pw")})
    assert homes.open().find("quay.io") == Credentials("ada", "pw")


def test_a_plain_login_beside_a_helper_that_knows_none_counts(homes, vault):
    homes.write(homes.docker, credsStore="vault", auths={"quay.io": auth("ada", "pw")})
    assert homes.open().find("quay.io") == Credentials("ada", "pw")


def test_a_login_for_a_path_is_used_below_it_and_by_no_helper(homes, vault):
    homes.write(
        homes.podman, credsStore="vault", auths={"quay.io/team": auth("team", "1"), "quay.io": auth("all", "2")}
    )
    store = homes.open()
    assert store.find(Reference.parse("quay.io/team/app:1")) == Credentials("team", "1")
    assert not vault.calls
    assert store.find(Reference.parse("quay.io/other/app:1")) == Credentials("all", "2")
    assert store.find("quay.io") == Credentials("all", "2")


def test_podmans_key_for_docker_hub_is_understood(homes):
    homes.write(homes.podman, auths={"docker.io/library/nginx": auth("n", "1"), "docker.io": auth("all", "2")})
    assert homes.open().find(Reference.parse("nginx")) == Credentials("n", "1")
    assert homes.open().find(Reference.parse("me/app")) == Credentials("all", "2")


def test_a_login_that_is_renewed_replaces_every_spelling_of_its_host(homes):
    homes.write(homes.docker, auths={"https://quay.io/v1/": auth("old", "1"), "quay.io/team": auth("team", "2")})
    homes.open().store("quay.io", Credentials("new", "3"))
    assert homes.read(homes.docker)["auths"] == {"quay.io/team": auth("team", "2"), "quay.io": auth("new", "3")}


def test_a_login_that_the_environment_hides_says_so(homes):
    text = json.dumps({"auths": {"quay.io": auth("env", "1")}})
    kept = homes.open(docker_auth_config=text).store("quay.io", Credentials("ada", "pw"))
    assert (kept.where, kept.encrypted, kept.shadowed_by) == (str(homes.docker), False, "DOCKER_AUTH_CONFIG")
    assert not homes.open().store("quay.io", Credentials("ada", "pw")).shadowed_by


def test_logging_out_forgets_in_every_file_and_says_what_it_cannot_reach(homes):
    homes.write(homes.docker, auths={"quay.io": auth("a", "1"), "https://quay.io/v2/": auth("a", "1"), "x": {}})
    homes.write(homes.podman, auths={"quay.io": auth("a", "1"), "quay.io/team": auth("a", "2")}, other=1)
    text = json.dumps({"auths": {"quay.io": auth("env", "1")}})
    done = homes.open(docker_auth_config=text).erase("quay.io")
    assert (done.removed, done.left) == (True, "DOCKER_AUTH_CONFIG")
    assert homes.read(homes.docker) == {"auths": {"x": {}}}
    assert homes.read(homes.podman) == {"auths": {"quay.io/team": auth("a", "2")}, "other": 1}
    assert homes.open().erase("quay.io").removed is False


def test_logging_out_of_docker_hub_also_forgets_a_login_by_browser(homes):
    token = "https://index.docker.io/v1/access-token"
    homes.write(homes.docker, auths={"https://index.docker.io/v1/": auth("a", "1"), token: auth("a", "2")})
    assert homes.open().find("docker.io") == Credentials("a", "1")
    assert homes.open().erase("docker.io").removed
    assert homes.read(homes.docker)["auths"] == {}


def test_nothing_to_forget_touches_no_file(homes):
    assert not homes.open().erase("quay.io").removed
    assert not homes.docker.parent.exists()


def test_a_helper_that_fails_at_logout_is_told_and_the_file_is_cleaned_all_the_same(homes, vault):
    homes.write(homes.docker, credsStore="vault", auths={"quay.io": {}})
    vault.misbehave("1 locked")
    done = homes.open().erase("quay.io")
    assert done.troubles == ("docker-credential-vault failed: locked",)
    assert homes.read(homes.docker)["auths"] == {}


def test_hosts_are_the_keys_as_they_are_written(homes):
    homes.write(homes.docker, auths={"a.example": {}, "b.example/x": auth("b", "1")}, credHelpers={"c.example": "v"})
    assert homes.open().hosts() == ("a.example", "b.example/x", "c.example")


@pytest.mark.parametrize("text", ["s3cret", "[]", '{"auths": 5}', '{"auths": {"quay.io": "s3cret"}}'])
def test_a_variable_that_is_no_document_is_an_error_that_names_it(homes, text):
    with pytest.raises(CredentialError, match="DOCKER_AUTH_CONFIG") as failed:
        homes.open(docker_auth_config=text).find("quay.io")
    assert "s3cret" not in failed.value.message + failed.value.hint


def test_the_environment_names_the_files(tmp_path):
    plain = settings_from({"XDG_RUNTIME_DIR": "/run/user/7"})
    assert str(plain.docker_config) == str(tmp_path / "home" / ".docker" / "config.json")
    assert [str(path) for path in plain.auth_files] == [
        "/run/user/7/containers/auth.json",
        str(tmp_path / "home" / ".config" / "containers" / "auth.json"),
    ]
    assert next(str(path) for path in settings_from({}).auth_files).startswith("/run/containers/")
    named = settings_from({"DOCKER_CONFIG": "/d", "REGISTRY_AUTH_FILE": "~/a.json", "DOCKER_AUTH_CONFIG": "hunter2"})
    assert str(named.docker_config) == "/d/config.json"
    assert named.auth_files == (tmp_path / "home" / "a.json",)
    assert named.docker_auth_config == "hunter2"
    assert "hunter2" not in repr(named)
