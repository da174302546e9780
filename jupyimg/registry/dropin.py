"""Our own drop-in of registries.conf, as text to text: mirrors put in and taken out, all else left as it was written.

A table of a drop-in takes the place of every other table with the same prefix, and hides those with a shorter one. So
a table of ours begins as what held for its prefix before, and goes again when nothing is left that others do not say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import tomlkit

from jupyimg.registry.endpoints import Namespace, Pull, covering, match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tomlkit import TOMLDocument
    from tomlkit.items import AoT, Table

    from jupyimg.registry.endpoints import Mirror, Rules

HEADER = (
    "# Mirrors set by jupyimg (%image mirror), for jupyimg, podman, skopeo and others: containers-registries.conf(5)\n"
)


def inherited(prefix: str, rules: Rules) -> Namespace:
    """What holds for a prefix: the table that covers it, told for the prefix itself."""
    found = covering(prefix, rules)
    if found is None:
        return Namespace(prefix=prefix, location="" if prefix.startswith("*.") else prefix)
    rest = prefix[match(prefix, found.prefix) :]
    own = "" if prefix.startswith("*.") else prefix
    moved = tuple(replace(mirror, location=mirror.location + rest) for mirror in found.mirrors)
    return replace(found, prefix=prefix, location=found.location + rest if found.location else own, mirrors=moved)


def with_mirror(text: str, before: Namespace, mirror: Mirror) -> str:
    """The text with one more mirror of ``before.prefix``, or with what is new of one that is there.

    Args:
        text: what the file holds.
        before: what holds for that prefix without our file (`inherited`); a new table begins as this.
        mirror: what to add.
    """
    document = tomlkit.parse(text or HEADER)
    table = _table(document, before.prefix)
    if table is None:
        table = _written(before)
        _tables(document, "registry").append(table)
    mirrors = _tables(table, "mirror")
    at = next((n for n, one in enumerate(mirrors) if one.get("location") == mirror.location), None)
    if at is None:
        mirrors.append(_one(mirror))
    else:
        new = _one(mirror)
        for name in ("insecure", "pull-from-mirror"):
            if name in new:
                mirrors[at][name] = new[name]
            else:
                mirrors[at].pop(name, None)
    return tomlkit.dumps(document)


def without_mirror(text: str, before: Namespace, location: str | None) -> str:
    """The text without a mirror of ``before.prefix``, or without all that it says of it; "" where nothing is left."""
    document = tomlkit.parse(text)
    tables = _tables(document, "registry")
    table = _table(document, before.prefix)
    assert table is not None, "the caller knows that it is there"
    if location is not None:
        mirrors = _tables(table, "mirror")
        for at in reversed([n for n, one in enumerate(mirrors) if one.get("location") == location]):
            del mirrors[at]
    left = {one.get("location") for one in table.get("mirror", [])}
    if location is None or left <= {mirror.location for mirror in before.mirrors}:
        del tables[next(n for n, one in enumerate(tables) if one is table)]
    if not tables:
        del document["registry"]
    return tomlkit.dumps(document) if document else ""


def _table(document: TOMLDocument, prefix: str) -> Table | None:
    tables: Iterable[Table] = _tables(document, "registry")
    named = (one for one in tables if str(one.get("prefix") or one.get("location", "")).rstrip("/") == prefix)
    return next(named, None)


def _tables(inside: TOMLDocument | Table, name: str) -> AoT:
    if name not in inside:
        inside[name] = tomlkit.aot()
    tables: Any = inside[name]  # an array of tables: `conf.parse_conf` has read the file
    return cast("AoT", tables)


def _written(namespace: Namespace) -> Table:
    table = tomlkit.table()
    table["prefix"] = namespace.prefix
    values = {
        "location": namespace.location,
        "insecure": namespace.insecure,
        "mirror-by-digest-only": namespace.digest_only,
    }
    for name, value in values.items():
        if value:
            table[name] = value
    for mirror in namespace.mirrors:
        _tables(table, "mirror").append(_one(mirror))
    return table


def _one(mirror: Mirror) -> Table:
    table = tomlkit.table()
    table["location"] = mirror.location
    if mirror.insecure:
        table["insecure"] = mirror.insecure
    if mirror.pull is not Pull.ALL:
        table["pull-from-mirror"] = str(mirror.pull)
    return table
