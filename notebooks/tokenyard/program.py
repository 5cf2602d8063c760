"""The program as a subprocess."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class TokenyardError(RuntimeError):
    """The program ended with a status that was not expected.

    Attributes:
        status: its exit status: 2 for bad input, 3 for a broken invariant; negative: a signal.
        message: what it wrote to standard error.
        command: its command line.
    """

    def __init__(self, command: Sequence[str], status: int, message: str) -> None:
        super().__init__(f"exit status {status}: {message.strip() or 'no message'}")
        self.command = list(command)
        self.status = status
        self.message = message.strip()


def program_path() -> Path:
    """The executable: $TOKENYARD_BINARY, or what `./yard build` makes.

    Raises:
        FileNotFoundError: it is not there.
    """
    path = Path(os.environ.get("TOKENYARD_BINARY") or REPOSITORY / "build/release/tokenyard")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such program; './yard build' makes it")
    return path


def call(*arguments: str | os.PathLike[str], expected: Sequence[int] = (0,)) -> tuple[int, str]:
    """Runs one command, such as `call("list", "policies")`.

    Args:
        arguments: its words.
        expected: exit statuses that are an answer and no error.

    Returns:
        The exit status and standard output.

    Raises:
        TokenyardError: any other exit status.
        FileNotFoundError: there is no program.
    """
    command = [str(program_path()), *(os.fspath(word) for word in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in expected:
        raise TokenyardError(command, done.returncode, done.stderr)
    return done.returncode, done.stdout
