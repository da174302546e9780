"""%image: run a line, show what it returns, complete it; and leave no trace when unloaded."""

from __future__ import annotations

import dis
import inspect
from typing import TYPE_CHECKING, Any, cast

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.magic import Magics, line_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Enum

from jupyimg import views
from jupyimg.commands import Job, Manual, Session, run
from jupyimg.commands.complete import candidates
from jupyimg.commands.line import words
from jupyimg.commands.manual import EXAMPLES, Help, everything
from jupyimg.errors import ImageError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

MATCHER = "jupyimg.image"
_THROWN_AWAY = {"POP_TOP", "PRINT_EXPR", "CALL_INTRINSIC_1"}
"""What Python does with the value of an expression that stands alone: drop it, or show it."""


@magics_class
class ImageMagics(Magics):
    """Settings of %image in this notebook, such as %config ImageMagics.display = "widget"."""

    display = Enum(
        ["frame", "widget"],
        default_value="frame",
        help="what lists show (images, history, df, tags, search, catalog): a DataFrame, or also a table under it",
    ).tag(config=True)
    lang = Enum(
        ["auto", "en", "zh"],
        default_value="auto",
        help="what stands around the data in English or Chinese, or as the locale says; its columns stay English",
    ).tag(config=True)

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.session = Session(in_kernel=getattr(shell, "kernel", None) is not None)

    @no_var_expand
    @needs_local_scope
    @line_magic
    def image(self, line: str, local_ns: Mapping[str, Any] | None = None) -> object:
        """Container images as data."""
        try:
            said, silent = words(line, {**self.shell.user_ns, **(local_ns or {})})
            answer = run(self.session, said, self._follow(silent=silent))
        except (ImageError, Interrupted) as error:
            self._show_done(error.done)
            raise
        except KeyboardInterrupt:
            raise Interrupted from None
        if silent and not _is_kept():
            return None
        if isinstance(answer, Manual):
            return Help(answer)
        if isinstance(answer, Job):
            return answer
        return views.to_notebook(answer, widget=self.display == "widget", lang=self._spoken, line=" ".join(said))

    @property
    def _spoken(self) -> str:
        return self.session.settings.lang if self.lang == "auto" else self.lang

    def _show_done(self, done: tuple[object, ...]) -> None:
        """Show what was done all the same over the error that says what was not."""
        if done:
            lang = self.session.settings.lang if self.lang == "auto" else self.lang
            views.show(views.to_notebook(views.done(done), lang=lang))

    def _follow(self, *, silent: bool) -> Callable[[str, bool, bool], views.Progress]:
        def follow(kind: str, quiet: bool, detach: bool) -> views.Progress:  # noqa: FBT001
            # What a job says in a terminal would fall into the line that is being typed.
            outside, inside = ("quiet", "detached") if detach else ("terminal", "kernel")
            where = inside if self.session.in_kernel else outside
            return views.progress("quiet" if quiet or silent or kind == "serve" else where, kind, lang=self._spoken)

        return follow

    def complete(self, context: CompletionContext) -> SimpleMatcherResult:
        """Complete a line of %image; every other line is left to IPython's own matchers."""
        before = context.text_until_cursor
        head, found, rest = before.rpartition("%image ")
        if not found or head.strip().rstrip("=").strip().count("%"):
            return {"completions": []}
        typed, values = candidates(self.session, rest)
        return cast(
            "SimpleMatcherResult",
            {
                "completions": [SimpleCompletion(value, type="jupyimg") for value in values],
                "matched_fragment": typed,
                "suppress": True,
                "ordered": True,
            },
        )


def _is_kept() -> bool:
    """Whether the line that runs stands in an assignment: ``x = %image images;`` is silent anyway and means its value.

    IPython makes a call of either form and says nothing of the rest, but what the caller does next is to be seen.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name != "run_line_magic":
        frame = frame.f_back
    caller = frame.f_back if frame is not None else None
    if caller is None:
        return False
    after = (step.opname for step in dis.get_instructions(caller.f_code) if step.offset > caller.f_lasti)
    return next(after, "POP_TOP") not in _THROWN_AWAY


def load(shell: InteractiveShell) -> None:
    """Register the magic, its completion and its display; loading twice is loading once."""
    unload(shell)
    magics = ImageMagics(shell)
    ImageMagics.image.__doc__ = "\n".join(
        ["Container images as data.", "", everything(), "", "Examples:", *(f"  %image {line}" for line, _ in EXAMPLES)]
    )
    shell.register_magics(magics)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(_matcher(magics))
    views.install(shell)


def _matcher(magics: ImageMagics) -> Any:
    """A function of its own, since a method cannot carry the marks that IPython puts on a matcher."""

    @context_matcher(identifier=MATCHER, priority=1000)  # type: ignore[untyped-decorator]
    def complete(context: CompletionContext) -> SimpleMatcherResult:
        return magics.complete(context)

    return complete


def unload(shell: InteractiveShell) -> None:
    """Take back all that `load` registered."""
    magics = shell.magics_manager.registry.pop(ImageMagics.__name__, None)
    if magics is None:
        return
    shell.magics_manager.magics["line"].pop("image", None)
    shell.configurables[:] = [item for item in shell.configurables if item is not magics]
    if shell.Completer is not None:
        shell.Completer.custom_matchers[:] = [
            item for item in shell.Completer.custom_matchers if getattr(item, "matcher_identifier", "") != MATCHER
        ]
    views.uninstall(shell)
    magics.session.close()
