"""What a user can ask for: one function for each subcommand, declared once.

`line` turns what was typed in a notebook into words, `verbs` declares, `local`, `remote`, `browsing`, `access` and
`serving` hold the subcommands, `run` calls one and drains it, `asking` asks whoever runs it, `complete` and `manual`
derive completion, help and the README's table from the declarations. `jobs` is what goes on in the background.
`session` alone reads the environment.
"""

from jupyimg.commands.jobs import Job
from jupyimg.commands.run import Manual, commands, run
from jupyimg.commands.session import Session

__all__ = ["Job", "Manual", "Session", "commands", "run"]
