"""Markup: HTML made of escaped text, with inline styles only, so that nothing leaks into the page around it.

Colours are inherited or JupyterLab's variables with a fallback, so light and dark themes both read well; what a
sanitizer takes away (GitHub drops styles, an untrusted notebook drops roles) is never what carries the meaning.
"""

from __future__ import annotations

from html import escape

from jupyimg.views import words

MONO = "font-family:var(--jp-code-font-family,ui-monospace,monospace)"
FAINT = "opacity:.7"
RED = "color:var(--jp-error-color1,#d32f2f)"
LEFT = "text-align:left"
RIGHT = "text-align:right"
UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"
"""For what only a screen reader needs to meet."""
TIP = 1000
"""Characters of a tooltip; more is nothing to read."""


def say(text: str) -> str:
    """Foreign text as HTML: cleaned, escaped."""
    return escape(words.clean(text))


def element(name: str, *inner: str, style: str = "", title: str = "", **attributes: str) -> str:
    """An element around HTML; ``title`` and attributes are foreign text, their names written as Python must."""
    if style:
        attributes["style"] = style
    if title:
        attributes["title"] = words.ellipsis(words.clean(title), TIP)
    written = "".join(f' {_attribute(key)}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inner)}</{name}>"


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def style(*rules: str) -> str:
    """Several rules as one."""
    return ";".join(rule for rule in rules if rule)
