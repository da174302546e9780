"""Being asked where somebody can answer: a terminal, IPython in one, a notebook; and where nobody can."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pexpect
import pytest

from tests.services.registry import PASSWORD, USERNAME
from tests.services.waiting import until


@pytest.fixture
def terminal(tmp_path, request):
    """Starts a program in a terminal of its own; what the terminal showed is kept."""
    env = {**os.environ, "TERM": "dumb", "JUPYIMG_HOME": str(tmp_path / "jupyimg")}

    def start(*arguments):
        child = pexpect.spawn(sys.executable, list(arguments), env=env, encoding="utf-8", timeout=60)
        child.logfile_read = io.StringIO()
        request.addfinalizer(lambda: child.close(force=True))
        return child

    return start


def shown(child):
    return child.logfile_read.getvalue()


def waits(child):
    """Whether it sleeps: after its prompt it does so only to read."""
    return Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def answer(child, password=PASSWORD):
    child.expect_exact("Username: ")
    child.sendline(USERNAME)
    child.expect_exact("Password: ")
    child.waitnoecho(60)
    child.sendline(password)


def test_a_terminal_asks_and_shows_no_password(terminal, htpasswd_registry):
    child = terminal("-m", "jupyimg", "login", htpasswd_registry.host)
    answer(child)
    child.expect_exact("Login Succeeded")
    child.expect(pexpect.EOF)
    assert PASSWORD not in shown(child)
    child.close()
    assert child.exitstatus == 0


def test_a_terminal_says_a_wrong_password_and_ends_with_a_failure(terminal, htpasswd_registry):
    child = terminal("-m", "jupyimg", "login", htpasswd_registry.host)
    answer(child, "hunter2")
    child.expect_exact("does not accept this login")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert "hunter2" not in shown(child)


def test_ctrl_c_at_the_prompt_is_an_interrupt(terminal, htpasswd_registry):
    child = terminal("-m", "jupyimg", "login", htpasswd_registry.host)
    child.expect_exact("Username: ")
    until(lambda: waits(child))
    for _ in range(6):  # one that comes between the prompt and the reading is lost in readline
        child.sendintr()
        if child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=20):
            break
    child.close()
    assert child.exitstatus == 130
    assert "Traceback" not in shown(child)


def test_ipython_in_a_terminal_asks(terminal, htpasswd_registry):
    child = terminal("-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor")
    child.expect_exact("In [1]: ")
    child.sendline("%load_ext jupyimg")
    child.expect_exact("In [2]: ")
    child.sendline(f"x = %image login {htpasswd_registry.host}")
    answer(child)
    child.expect_exact("In [3]: ")
    child.sendline("x")
    child.expect_exact("Login Succeeded")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    assert PASSWORD not in shown(child)


def test_a_notebook_that_nobody_watches_says_which_flags_to_give(kernel, htpasswd_registry):
    cells = kernel(
        ["%load_ext jupyimg", f"%image login {htpasswd_registry.host}", f"%image login {htpasswd_registry.host} -u me"]
    )
    for cell, what in zip(cells[1:], ("username", "password"), strict=True):
        assert cell.error == ("Misuse", f"nobody is here to be asked for the {what}")
        assert f"%image login {htpasswd_registry.host} -u NAME -p {{pw}}" in cell.traceback
        assert "StdinNotImplementedError" not in cell.traceback
