"""`%image mirror`: what is set is in containers' own files, used by skopeo and podman too, and theirs is used by us."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib

import pytest

from jupyimg.commands.environment import settings_from
from jupyimg.commands.run import run
from jupyimg.commands.session import Session
from jupyimg.engines import open_serving
from jupyimg.engines.mirrors import DROP_IN, Mirrors
from jupyimg.errors import Conflict, ImageError, Misuse, NotFound, StoreError
from jupyimg.model.content import drain
from jupyimg.views import to_notebook, to_text
from tests.mirrors.conftest import User, passed_by, pulled, push_image
from tests.registry.fake import Answer, dead_port
from tests.services.process import environment
from tests.services.process import run as call


@pytest.fixture
def session(user):
    opened = Session(user.settings())
    yield opened
    opened.close()


@pytest.fixture
def image(session):
    """`image("mirror list")` runs a line and gives its answer."""
    return lambda line: run(session, line.split())


def own(user):
    return user.folder / "registries.conf.d" / DROP_IN


def rows(answer):
    return [(row.registry, row.mirror, row.insecure, row.pull) for row in answer.records]


def test_mirrors_are_added_listed_and_removed(user, image):
    assert rows(image("mirror")) == []
    image("mirror add docker.io one.example:5000/hub")
    image("mirror add quay.io/team two.example --insecure --only digest")
    image("mirror add *.example.com three.example --only tag")
    answer = image("mirror add docker.io/ four.example")
    hub = [("docker.io", "one.example:5000/hub", False, "all"), ("docker.io", "four.example", False, "all")]
    assert rows(answer) == hub
    assert rows(image("mirror list")) == [
        *hub,
        ("quay.io/team", "two.example", True, "digest-only"),
        ("*.example.com", "three.example", False, "tag-only"),
    ]
    assert {row.file for row in answer.records} == {f"~/.config/containers/registries.conf.d/{DROP_IN}"}
    assert rows(image("mirror add docker.io four.example --insecure")) == [
        hub[0],
        ("docker.io", "four.example", True, "all"),
    ]
    assert rows(image("mirror add docker.io four.example")) == hub, "what is said again is set anew"
    assert rows(image("mirror remove docker.io one.example:5000/hub")) == hub[1:]
    assert rows(image("mirror remove docker.io")) == []
    image("mirror remove quay.io/team two.example")
    image("mirror remove *.example.com")
    assert not own(user).exists(), "nothing is left behind"


def test_what_a_user_wrote_into_the_file_stays(user, image):
    text = '# mine\n[[registry]] # first\nlocation = "a.com"\nblocked = false\n\n[aliases]\n"x" = "y.com/x"\n'
    user.write(text, f"registries.conf.d/{DROP_IN}")
    image("mirror add docker.io m.example")
    assert own(user).read_text().startswith("# mine\n[[registry]] # first\n")
    image("mirror remove docker.io m.example")
    found = own(user).read_text()
    assert tomllib.loads(found) == tomllib.loads(text)
    assert "# mine" in found


def test_a_table_of_ours_begins_as_what_held_before_and_goes_when_it_says_no_more(user, image):
    user.write(
        '[[registry]]\nprefix = "a.com"\nlocation = "b.com/x"\ninsecure = true\n[[registry.mirror]]\nlocation = "m.com"\n'
    )
    assert rows(image("mirror add a.com/team n.com")) == [
        ("a.com/team", "m.com/team", False, "all"),
        ("a.com/team", "n.com", False, "all"),
    ]
    (table,) = tomllib.loads(own(user).read_text())["registry"]
    assert (table["location"], table["insecure"]) == ("b.com/x/team", True)
    image("mirror remove a.com/team n.com")
    assert not own(user).exists()


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("mirror add docker.io", Misuse, "takes 2 names, not 1"),
        ("mirror list a.com b.com", Misuse, "takes 0 or 1 names, not 2"),
        ("mirror remove", Misuse, "takes 1 or 2 names, not 0"),
        ("mirror move a.com b.com", Misuse, "move"),
        ("mirror list --insecure", Misuse, "belong to mirror add"),
        ("mirror add nginx m.com", Misuse, "'nginx' is no registry"),
        ("mirror add nginx:1.27 m.com", Misuse, "is no registry"),
        ("mirror add docker.io https://m.com", Misuse, "begins with a scheme"),
        ("mirror add docker.io docker.io", Misuse, "its own mirror"),
        ("mirror remove docker.io m.com", NotFound, "docker.io has no mirror m.com"),
        (
            "mirror remove theirs.com",
            Conflict,
            r"~/\.config/containers/registries\.conf names that mirror of theirs\.com",
        ),
        ("mirror add blocked.com m.com", Conflict, "blocked.com is blocked in"),
        ("mirror add digests.com m.com --only tag", Conflict, "serve digests only"),
    ],
)
def test_what_cannot_be_set_is_one_sentence_and_changes_nothing(user, image, line, error, says):
    user.write("""
        [[registry]]
        location = "theirs.com"
        [[registry.mirror]]
        location = "m.com"
        [[registry]]
        location = "blocked.com"
        blocked = true
        [[registry]]
        location = "digests.com"
        mirror-by-digest-only = true
    """)
    with pytest.raises(error, match=says) as failed:
        image(line)
    assert "\n" not in failed.value.message
    assert not own(user).exists()


def test_a_later_file_that_has_the_last_word_is_told(user, image):
    user.write('[[registry]]\nlocation = "a.com"\n', "registries.conf.d/zzz.conf")
    with pytest.raises(Conflict, match=r"has the last word on a\.com"):
        image("mirror add a.com m.com")
    assert not own(user).exists()


def test_a_damaged_file_of_ours_is_not_overwritten(user, image):
    user.write("[[registry]\n", f"registries.conf.d/{DROP_IN}")
    with pytest.raises(Misuse, match=rf"{DROP_IN} cannot be read: line 1"):
        image("mirror add a.com m.com")
    assert own(user).read_text() == "[[registry]\n"


def test_a_folder_that_cannot_be_written_is_told(user, image):
    user.folder.parent.mkdir(parents=True)
    user.folder.write_text("a file")
    with pytest.raises(StoreError, match=r"~/\.config/containers/registries\.conf\.d/.* cannot be written"):
        image("mirror add a.com m.com")


def test_two_kernels_lose_no_mirror(user, tmp_path):
    program = (
        "import sys; from jupyimg.engines.mirrors import Mirrors; from jupyimg.model.settings import Settings;"
        "from pathlib import Path; home = Path(sys.argv[1]);"
        "m = Mirrors(Settings(home=home, user_config=home / '.config'));"
        "[m.add('a.com', f'{sys.argv[2]}{n}.com') for n in range(15)]"
    )
    each = [subprocess.Popen([sys.executable, "-c", program, str(user.home), name]) for name in ("x", "y", "z")]
    assert [process.wait(60) for process in each] == [0, 0, 0]
    assert len(Mirrors(user.settings()).listed("a.com")) == 45
    assert sorted(path.name for path in own(user).parent.iterdir()) == [f".{DROP_IN}.lock", DROP_IN]


def test_what_is_set_is_used_by_the_next_pull_of_the_same_session(user, session, image, registry, second_registry):
    push_image(registry)
    second_registry.stock(registry.data)
    engine = session.engine
    pulled(engine, registry.reference("app:1"))
    assert second_registry.sent() == 0
    image(f"mirror add {registry.host} {second_registry.host}")
    engine.remove([registry.reference("app:1")])
    said, _ = pulled(engine, registry.reference("app:1"))
    assert not passed_by(said)
    assert second_registry.sent() > 0


def test_a_test_says_who_answers(user, image, registry, second_registry, htpasswd_registry, fake):
    push_image(registry)
    gone = f"127.0.0.1:{dead_port()}"
    fake.rule(".", Answer(503))
    for host in (gone, second_registry.host, htpasswd_registry.host, fake.host):
        image(f"mirror add {registry.host} {host} --only digest")
    answer = image("mirror test")
    assert [(row.endpoint, row.role, row.status) for row in answer.records] == [
        (gone, "mirror", "failed"),
        (second_registry.host, "mirror", "ok"),
        (htpasswd_registry.host, "mirror", "login"),
        (fake.host, "mirror", "failed"),
        (registry.host, "registry", "ok"),
    ]
    assert answer.records[0].error == f"{gone} refuses the connection"
    assert all(row.milliseconds >= 0 for row in answer.records)
    answer = image(f"mirror test {registry.reference('app:1')}")
    assert [row.status for row in answer.records] == ["failed", "missing", "failed", "failed", "ok"]
    answer = image("mirror test localhost:1")
    assert [row.status for row in answer.records] == ["failed"]
    frame = to_notebook(answer)
    assert list(frame.columns) == ["registry", "endpoint", "role", "status", "milliseconds", "error"]
    assert "refuses the connection" in to_text(answer)


def test_a_test_of_a_blocked_registry_says_so(user, image, registry):
    user.mirrors(registry.host, more="blocked = true")
    (row,) = image(f"mirror test {registry.host}").records
    assert (row.status, "is blocked" in row.error) == ("failed", True)
    assert not registry.accesses()


def test_the_frame_is_data_and_the_json_too(user, image, session):
    answer = image("mirror add docker.io m.example --insecure")
    frame = to_notebook(answer)
    assert list(frame.columns) == ["registry", "mirror", "insecure", "pull", "file"]
    assert str(frame["insecure"].dtype) == "boolean"
    assert "m.example" in to_text(answer)
    assert json.loads(json.dumps([row.mirror for row in answer.records])) == ["m.example"]


@pytest.fixture
def theirs(skopeo):
    """A user whose settings are skopeo's own."""
    return User(skopeo.home)


@pytest.fixture
def stocked(registry, second_registry, theirs):
    """Two registries that hold the teaching images, and nobody has asked the first for one."""
    session = Session(theirs.settings())
    drain(open_serving(theirs.settings()).teaching(session.engine.remote, registry.host))
    session.close()
    second_registry.stock(registry.data)
    return registry


def asked(registry):
    return [
        access
        for access in registry.accesses("/v2/sample/")
        if access.method == "GET" and "jupyimg" not in access.agent
    ]


def test_skopeo_and_podman_use_what_is_set_here(stocked, second_registry, theirs, skopeo, tmp_path):
    run(Session(theirs.settings()), ["mirror", "add", stocked.host, second_registry.host, "--insecure"])
    name = stocked.reference("sample/hello:latest")
    skopeo("copy", f"docker://{name}", f"dir:{tmp_path / 'copied'}")
    assert "skopeo" in {access.agent.partition("/")[0] for access in asked(second_registry)}
    assert asked(stocked) == []
    env = environment(skopeo.home, CONTAINERS_CONF=str(skopeo.home / ".config" / "containers" / "containers.conf"))
    before = len(asked(second_registry))
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # podman takes no longer path
        storage = [f"--root={short}/data", f"--runroot={short}/run", f"--tmpdir={short}/tmp", "--storage-driver=vfs"]
        call(["podman", *storage, "pull", "--quiet", name], env=env)
    assert len(asked(second_registry)) > before
    assert asked(stocked) == []


def test_what_is_set_for_skopeo_is_used_here(stocked, second_registry, theirs, skopeo, tmp_path):
    path = theirs.folder / "registries.conf"
    mirror = f'[[registry]]\nlocation = "{stocked.host}"\n[[registry.mirror]]\nlocation = "{second_registry.host}"\ninsecure = true\n'
    path.write_text(path.read_text() + mirror)
    skopeo("copy", f"docker://{stocked.reference('sample/hello:latest')}", f"dir:{tmp_path / 'copied'}")
    assert asked(stocked) == []
    session = Session(theirs.settings())
    before, others = len(stocked.accesses()), len(second_registry.accesses("/blobs/"))
    session.engine.pull(stocked.reference("sample/hello:latest"))
    assert len(second_registry.accesses("/blobs/")) > others
    assert len(stocked.accesses()) == before


def test_the_environment_says_where_files_lie(tmp_path):
    found = settings_from({"HOME": str(tmp_path), "CONTAINERS_REGISTRIES_CONF": "/x/y.conf", "JUPYIMG_ETC": "/z"})
    assert (str(found.user_config), str(found.registries_conf)) == (f"{tmp_path}/.config", "/x/y.conf")
    assert str(found.system_config) == "/z"
    assert str(settings_from({}).system_config) == "/etc"
    assert settings_from({}).registries_conf is None


def test_errors_are_ours(user, image):
    for line in ("mirror add a.com {}".format("x" * 5000), "mirror test a..b", "mirror test :", "mirror test @"):
        try:
            image(line)
        except ImageError as error:
            assert error.message
