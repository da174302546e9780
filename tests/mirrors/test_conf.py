"""Which files count, in which order, and what a damaged one says."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from jupyimg.errors import Misuse
from jupyimg.model.reference import Reference
from jupyimg.registry.conf import Conf, conf_files, read_rules
from jupyimg.registry.tls import Authorities

HERE = '[[registry]]\nlocation = "{}"\n[[registry.mirror]]\nlocation = "{}"\n'


def mirrors(user, **more):
    found = read_rules(user.settings(**more))
    return {one.prefix: [mirror.location for mirror in one.mirrors] for one in found.namespaces}


def test_no_files_say_nothing(user):
    assert read_rules(user.settings()).namespaces == ()
    assert Conf(user.settings(user_config=None, system_config=None)).rules().namespaces == ()


def test_later_files_replace_tables_of_the_same_prefix_and_add_others(user):
    user.write(HERE.format("a.com", "main"), system=True)
    user.write(HERE.format("b.com", "main") + HERE.format("c.com", "main"), "registries.conf.d/10-x.conf", system=True)
    user.write(HERE.format("b.com", "second"), "registries.conf.d/20-x.conf", system=True)
    user.write(HERE.format("c.com", "mine"), "registries.conf.d/00-x.conf")
    user.write("no TOML at all", "registries.conf.d/readme.txt")
    assert mirrors(user) == {"a.com": ["main"], "b.com": ["second"], "c.com": ["mine"]}


def test_a_users_own_main_file_leaves_the_systems_files_out(user):
    user.write(HERE.format("a.com", "system"), system=True)
    user.write(HERE.format("b.com", "system"), "registries.conf.d/x.conf", system=True)
    user.write(HERE.format("c.com", "mine"))
    user.write(HERE.format("d.com", "mine"), "registries.conf.d/x.conf")
    assert mirrors(user) == {"c.com": ["mine"], "d.com": ["mine"]}


def test_a_file_that_is_named_stands_for_the_main_file_with_all_drop_ins(user, tmp_path):
    named = tmp_path / "named.conf"
    named.write_text(HERE.format("n.com", "named"))
    user.write(HERE.format("a.com", "mine"))
    user.write(HERE.format("b.com", "system"), "registries.conf.d/x.conf", system=True)
    user.write(HERE.format("c.com", "mine"), "registries.conf.d/x.conf")
    assert mirrors(user, registries_conf=named) == {"n.com": ["named"], "b.com": ["system"], "c.com": ["mine"]}
    with pytest.raises(Misuse, match=r"gone\.conf cannot be read: No such file"):
        mirrors(user, registries_conf=tmp_path / "gone.conf")


def test_a_change_is_seen_at_once(user):
    conf = Conf(user.settings())
    assert conf.rules().namespaces == ()
    path = user.write(HERE.format("a.com", "one"))
    assert conf.rules().namespaces[0].mirrors[0].location == "one"
    path.write_text(HERE.format("a.com", "another"))
    assert conf.rules().namespaces[0].mirrors[0].location == "another"
    assert conf.rules() is conf.rules()
    path.unlink()
    assert conf.rules().namespaces == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = 1\n[[registry]\n", r"line 2: "),
        ("a = [1,", r"line 1: "),
        ("\n\n[[registry]]\nlocation = 3\n", r"line 3: location is a text, not 3"),
        ('[[registry]]\nlocation = "a.com"\n[[registry]]\nblocked = true\n', r"line 3: a registry has neither prefix"),
        ('[[registry]]\nprefix = "a.com"\n', r"line 1: a registry needs a location"),
        ('[[registry]]\nlocation = "a.com"\ninsecure = "yes"\n', r"line 1: insecure is true or false, not 'yes'"),
        ('[[registry]]\nlocation = "https://a.com"\n', r"line 1: 'https://a.com' begins with a scheme"),
        ('[[registry]]\nlocation = "a.com"\n[[registry.mirror]]\n', r"line 1: '' names no registry"),
        ('[[registry]]\nprefix = "*.a.com/x"\nlocation = "b.com"\n', r"names no registry"),
        (
            '[[registry]]\nlocation = "a.com"\n[[registry.mirror]]\nlocation = "m.com"\npull-from-mirror = "never"\n',
            "never",
        ),
        (
            '[[registry]]\nlocation = "a.com"\nmirror-by-digest-only = true\nmirror = [{location = "m.com", pull-from-mirror = "all"}]\n',
            "exclude each other",
        ),
        ("registry = 3\n", "registry is no table"),
        ('[registries.search]\nregistries = ["a.com"]\n', "version 1"),
        ('[registries.block]\nregistries = ["a.com"]\n', "version 1"),
    ],
)
def test_a_damaged_file_is_one_sentence_with_its_name_and_line(user, text, says):
    user.write(text, "registries.conf.d/50-own.conf")
    with pytest.raises(Misuse, match=rf"(?s)^~/\.config/containers/registries\.conf\.d/50-own\.conf.*{says}") as failed:
        read_rules(user.settings())
    assert failed.value.hint
    assert "\n" not in failed.value.message


def test_what_is_not_text_or_not_readable_says_so(user):
    path = user.write("")
    path.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(Misuse, match=r"registries\.conf cannot be read: line 2: it is not UTF-8"):
        read_rules(user.settings())
    path.unlink()
    path.mkdir()
    with pytest.raises(Misuse, match="cannot be read: Is a directory"):
        read_rules(user.settings())


def test_empty_lists_of_version_1_and_unknown_keys_do_no_harm(user):
    user.write("[registries.search]\nregistries = []\n", system=True)
    user.write(
        'new-key = 1\n[[registry]]\nlocation = "a.com"\nsome = "thing"\n[aliases]\nx = "y.com/x"\n',
        "registries.conf.d/x.conf",
    )
    assert mirrors(user) == {"a.com": []}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", r"line 1"),
        ('{"a": 1,\n"b"}', r"line 2"),
        ("[]", "no object"),
        ('{"registry-mirrors": "x"}', "no list"),
        ('{"registry-mirrors": ["https://a.com/some path"]}', "names no registry"),
        ("[" * 100_000, "without end|cannot be read"),
    ],
)
def test_a_damaged_daemon_json_is_noted_and_left_out(user, text, says):
    user.write(HERE.format("a.com", "m.com"))
    path = user.home / "etc" / "docker" / "daemon.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = read_rules(user.settings())
    assert len(found.namespaces) == 1
    (note,) = found.notes
    assert "daemon.json" in note
    assert re.search(says, note)
    assert note.endswith("it is left out")


def test_both_daemon_files_are_read(user):
    for folder, host in (("etc", "one.com"), (".config", "two.com")):
        path = user.home / folder / "docker" / "daemon.json"
        path.parent.mkdir(parents=True)
        path.write_text(f'{{"registry-mirrors": ["https://{host}"], "insecure-registries": ["{host}"], "debug": true}}')
    found = read_rules(user.settings())
    assert [(mirror.location, mirror.insecure) for mirror in found.hub] == [("one.com", True), ("two.com", True)]
    assert found.insecure == {"one.com", "two.com"}


def test_a_damaged_file_stops_only_what_asks_a_registry(user, engine, registry):
    user.write("[[registry]\n")
    assert engine.images() == []
    with pytest.raises(Misuse, match=r"registries\.conf cannot be read: line 1"):
        engine.pull(registry.reference("app:1"))
    with pytest.raises(Misuse):
        engine.remote.registries.repository(Reference.parse("docker.io/library/nginx"))
    assert not registry.accesses()


@pytest.fixture
def forbid(monkeypatch):
    """What lies below a folder cannot even be looked at; root could, so it is only played."""

    def forbidding(folder):
        stat, access = Path.stat, os.access

        def refuse(path, *arguments, **more):
            if folder in Path(path).parents:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return stat(path, *arguments, **more)

        monkeypatch.setattr(Path, "stat", refuse)
        monkeypatch.setattr(os, "access", lambda path, mode: folder not in Path(path).parents and access(path, mode))

    return forbidding


def test_dockers_folder_that_is_roots_alone_is_not_ours(user, forbid):
    path = user.home / "etc" / "docker" / "daemon.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"registry-mirrors": ["https://m.com"]}')
    (path.parent / "certs.d" / "a.com").mkdir(parents=True)
    assert read_rules(user.settings()).hub
    assert Authorities("", user.settings().certificates).folder("a.com", 443)
    forbid(path.parent)
    found = read_rules(user.settings())
    assert (found.hub, found.notes) == ((), ())
    assert Authorities("", user.settings().certificates).folder("a.com", 443) is None


def test_a_registries_conf_that_may_not_be_looked_at_is_not_taken_for_none(user, forbid):
    path = user.write(HERE.format("a.com", "m.com"), system=True)
    forbid(path.parent)
    found = conf_files(user.settings())
    assert path in found
