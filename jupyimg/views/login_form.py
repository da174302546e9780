"""The login form: a masked field whose text goes to the registry and is kept nowhere on the way.

The password comes in a message of its own, never in the widget's state, and as a binary buffer: a kernel that logs at
DEBUG writes down the text of its messages. The message is emptied as soon as it was read, and whatever goes wrong
becomes a sentence here, since a traceback could show the values of variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Dict, Int, List, Unicode

from jupyimg.errors import ImageError
from jupyimg.views import tongue, words
from jupyimg.views.twin import Twin, folded, lines, script

if TYPE_CHECKING:
    from jupyimg.views.forms import LoginAsk


class Fields(anywidget.AnyWidget):
    """What the browser knows; there is no password among it.

    Attributes:
        state: "open", "failed" or "done".
        lines: what is said.
        attempt: counts the answers.
        phrases: what the script says, by the English.
    """

    _esm = script("shared.js", "login.js")
    _css = script("form.css")
    phrases = Dict().tag(sync=True)
    server = Unicode().tag(sync=True)
    username = Unicode().tag(sync=True)
    state = Unicode("open").tag(sync=True)
    lines = List(Unicode()).tag(sync=True)
    attempt = Int(0).tag(sync=True)


class LoginForm(Twin):
    """A form to log in with."""

    noun = "a login form"

    def __init__(self, ask: LoginAsk, lang: str = tongue.ENGLISH) -> None:
        super().__init__(lang)
        self._ask = ask
        spoken = tongue.phrases(lang, "login")
        self.widget = Fields(server=words.clean(ask.server), username=words.clean(ask.username), phrases=spoken)
        self.widget.on_msg(self._heard)

    @property
    def done(self) -> bool:
        """Whether the registry accepted a login."""
        return bool(self.widget.state == "done")

    def __repr__(self) -> str:
        server = words.clean(self._ask.server)
        if self.done:
            return self._say("Login Succeeded for {host}", host=server)
        unfilled = "Log in to {host} with the form; where nobody can fill it in: {line}"
        return self._say(unfilled, host=server, line=words.clean(self._ask.without))

    def _html(self) -> str:
        said = lines([repr(self)])
        return said if self.done else folded(said, self.lang, "where nobody can fill in a form")

    def _heard(self, _widget: object, content: dict[str, Any], buffers: list[Any] | None) -> None:
        secret = bytes(buffers[0]) if buffers else b""
        if buffers:
            buffers.clear()
        if content.get("do") != "login" or self.done:
            return
        state, said = self._tried(str(content.get("username", "")), secret.decode(errors="replace"))
        with self.widget.hold_sync():
            self.widget.state = state
            self.widget.lines = [words.clean(line) for line in said]
            self.widget.attempt += 1
        if self.done:
            self._refresh()

    def _tried(self, username: str, password: str) -> tuple[str, list[str]]:
        try:
            said = self._ask.login(username, password)
        except ImageError as error:
            return "failed", [error.message, *([error.hint] if error.hint else [])]
        except Exception as error:  # noqa: BLE001 - a traceback would show the variables of this frame
            return "failed", [self._say("something went wrong that should not ({error})", error=type(error).__name__)]
        more = [tongue.note(self.lang, words.clean(line)) for line in said if line != "Login Succeeded"]
        return "done", [self._say("Logged in as {name}.", name=username), *more]
