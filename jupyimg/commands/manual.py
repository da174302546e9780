"""Help, derived from the declarations: as text, as HTML, and as the README's table."""

from __future__ import annotations

from html import escape
from inspect import cleandoc
from textwrap import indent

import click

from jupyimg.commands.run import Manual, aliases, commands
from jupyimg.commands.verbs import VERBS, Verb

EXAMPLES = (
    ("pull nginx:1.27", "fetch an image"),
    ("search mysql --limit 5", "look images up; tags mysql lists one's tags"),
    ("images", "a DataFrame of what is here; x = %image images keeps it"),
    ("history nginx:1.27", "how it was built"),
    ("tag nginx:1.27 localhost:5000/me/nginx:v1", "a further name"),
    ('rmi {x[x["size"] > 1e9]["reference"]}', "remove what a frame selects"),
)


class Help:
    """What `%image help` and `%image pull --help` return: text for a terminal, HTML for a notebook."""

    def __init__(self, manual: Manual, prefix: str = "%image") -> None:
        self.verb = manual.verb
        self.prefix = prefix

    def __repr__(self) -> str:
        return one(self.verb, self.prefix) if self.verb else everything(self.prefix)

    def _repr_html_(self) -> str:
        if self.verb is None:
            rows = [(f"{self.prefix} {name}", verb.get_short_help_str(90)) for name, verb in commands().items()]
            head = "<b>Container images as data.</b> <code>%image COMMAND --help</code> says more of one."
            tried = [(f"{self.prefix} {line}", what) for line, what in EXAMPLES]
            return head + _table(rows) + "<b>Examples</b>" + _table(tried)
        rows = [(", ".join(option.opts), option.help or "") for option in _options(self.verb)]
        text = escape(self.verb.help or "").replace("\n\n", "<br>").replace("\n", " ")
        return f"<code>{escape(usage(self.verb, self.prefix))}</code><br>{text}" + _table(rows)


def usage(verb: Verb, prefix: str = "%image") -> str:
    """One line: the subcommand with its arguments."""
    arguments = [param.make_metavar(ctx=_context(verb)) for param in verb.params if isinstance(param, click.Argument)]
    return " ".join([prefix, str(verb.name), *(["[OPTIONS]"] if _options(verb) else []), *arguments])


def one(verb: Verb, prefix: str = "%image") -> str:
    """Help for one subcommand, as text."""
    lines = [usage(verb, prefix), "", indent(cleandoc(verb.help or ""), "  "), ""]
    names = aliases(str(verb.name))
    if names:
        lines += [f"  Also: {', '.join(names)}", ""]
    width = max((len(", ".join(option.opts)) for option in _options(verb)), default=0)
    lines += [f"  {', '.join(option.opts):{width}}  {option.help or ''}" for option in _options(verb)]
    return "\n".join(lines).rstrip()


def everything(prefix: str = "%image") -> str:
    """Help for all subcommands, as text."""
    shown = commands()
    width = max(map(len, shown))
    lines = [f"{prefix} COMMAND [OPTIONS] ...", ""]
    lines += [f"  {name:{width}}  {verb.get_short_help_str(90)}" for name, verb in shown.items()]
    return "\n".join([*lines, "", f"{prefix} COMMAND --help says more of one."])


def readme_table() -> str:
    """The README's table of commands, in Markdown."""
    rows = ["| command | also | what it does | as Docker's |", "|---|---|---|---|"]
    for name, verb in commands().items():
        also = ", ".join(f"`{alias}`" for alias in aliases(name))
        line, docker = (text.replace("|", "\\|") for text in (usage(verb), verb.docker))
        rows.append(f"| `{line}` | {also} | {verb.get_short_help_str(120)} | {f'`{docker}`' if docker else ''} |")
    return "\n".join(rows)


def _options(verb: Verb) -> list[click.Option]:
    return [param for param in verb.params if isinstance(param, click.Option)]


def _context(verb: Verb) -> click.Context:
    return click.Context(verb, info_name=verb.name, parent=click.Context(VERBS, info_name="image"))


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><td style="text-align:left;white-space:nowrap"><code>{escape(left)}</code></td>'
        f'<td style="text-align:left">{escape(right)}</td></tr>'
        for left, right in rows
    )
    return f"<table>{cells}</table>"
