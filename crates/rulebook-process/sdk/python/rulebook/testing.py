"""Calls of methods in tests: the program `rulebook` checks the arguments, runs the handler and checks the outputs.

    from rulebook import CallError
    from rulebook.testing import Client

    class Notes(unittest.TestCase):
        def test_a_note_has_a_text(self):
            self.assertEqual(Client(scope=["reader"]).call("note.get", id=1), {"text": "Buy bread"})

        def test_there_is_no_other_note(self):
            with self.assertRaises(CallError) as raised:
                Client().call("note.get", id=2)
            self.assertEqual(raised.exception.name, "not_found")
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import weakref
from typing import Any, Optional, Sequence

from . import CallError, _encode

__all__ = ["Client"]


class Client:
    """Calls methods of the API as a server does, without a server.

    `scope` contains the permissions of the caller, who is anonymous without it. `folder` is the folder in which the
    server would be started; the default is the one that contains the package `rulebook`. `program` is the name or the
    path of the program `rulebook`. A client has an empty data folder of its own, which is removed with it.
    """

    def __init__(
        self, *, scope: Optional[Sequence[str]] = None, folder: Optional[str] = None, program: str = "rulebook"
    ) -> None:
        self._folder = folder or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        data = tempfile.mkdtemp(prefix="rulebook-")
        weakref.finalize(self, shutil.rmtree, data, True)
        self._command = [program, "call", "--data", data]
        if scope is not None:
            self._command.append("--scope=" + ",".join(scope))

    def call(self, target: str, /, **arguments: Any) -> Any:
        """Calls a method, and returns its outputs.

        `target` is the id of the method, such as `note.get`, or an HTTP method and a path. The arguments have the names
        of the parameters in code. Raises CallError for an error response, with the log of an internal error in its
        message, and RuntimeError if the API does not start.
        """
        command = [*self._command, "--json=" + _encode(arguments), "--", target]
        done = subprocess.run(command, cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            response = json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"{target}: {done.stdout}{done.stderr}") from None
        if done.returncode == 0:
            return response
        message = f"{target}: {response['detail']}\n{done.stderr}".rstrip()
        members = {name: value for name, value in response.items() if name not in _PROBLEM_MEMBERS}
        raise CallError(message, response["code"], response["status"], members)


_PROBLEM_MEMBERS = ("type", "title", "status", "detail", "code")
