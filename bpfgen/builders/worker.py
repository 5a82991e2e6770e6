"""One channel to a remote machine: a shell there that takes one command after another, with what it reads and makes.

What is said on it, in this order:

  put BYTES FILE, and the bytes      a file that the command reads: a reduced header, the parts of a linked object
  work WORDS…                        the command, whose output and depfile are `$o` and `$d`
  pid PID                            the answer: first this,
  done STATUS, five lines of wc      then this, then the bytes of the output, depfile, standard output and messages
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Sequence

from bpfgen.builders.paths import Paths
from bpfgen.builders.settings import Remote, Settings
from bpfgen.builders.stream import PipeStream
from bpfgen.cc import depfile
from bpfgen.cc.job import TARGET

READY = b"bpfgen ready"
# A file that can't be taken ends the shell: what is left of it would be taken for commands.
WORKER = """
cd {project} || exit 1
t={base}/t/{name} && o=$t.o d=$t.d s=$t.s e=$t.e
put() {{
  {{ [ "$1" = 0 ] || dd bs="$1" count=1 iflag=fullblock 2>/dev/null; }} >"$t.in" || exit 1
  [ -d "${{2%/*}}" ] || mkdir -p "${{2%/*}}"
  mv -f "$t.in" "$2" || exit 1
}}
work() {{
  : >"$o" && : >"$d" || exit 1
  "$@" </dev/null >"$s" 2>"$e" &
  echo "pid $!"
  wait $!
  echo "done $?"
  : >>"$o" && : >>"$d"
  wc -c "$o" "$d" "$s" "$e"
  cat "$o" "$d" "$s" "$e"
}}
echo '{ready}'
while IFS= read -r line; do eval "$line"; done
"""


def script(remote: Remote, name: str) -> str:
    """What takes the commands there; `name` tells its files from those of other channels."""
    project, base = shlex.quote(remote.project), shlex.quote(remote.base)
    return WORKER.format(project=project, base=base, name=name, ready=READY.decode())


class Lost(EOFError):
    """A channel ended."""


class Task:
    """A command on its way."""

    def __init__(self, number: int, files: tuple[str, str], words: Sequence[str]) -> None:
        self.number, self.files, self.words = number, files, list(words)
        self.asked = time.monotonic()
        self.process = 0
        """There; 0 until it is known."""
        self.cancelled = False


class Worker:
    """One channel."""

    def __init__(self, settings: Settings, paths: Paths, sent: dict[str, bytes], stream: PipeStream) -> None:
        """Waits for the `script` that runs there; raises Lost. `sent` is what the machine was brought on any channel,
        by its path there.
        """
        self._root, self._paths, self._sent = settings.root, paths, sent
        self.stream = stream
        self._data = self.said = b""
        """What is said before it is ready, by login shells too."""
        while (line := self._line()) != READY:
            self.said += line + b"\n"

    def run(self, task: Task, brought: list[str], kill: Callable[[int], None]) -> int:
        """Runs a command, and puts what it makes where it belongs; its status. Raises Lost."""
        read: dict[str, bytes] = {}
        for name in brought:
            with open(os.path.join(self._root, name), "rb") as file:
                data = file.read()
            there = self._paths.there(name)
            read[there] = data
            if self._sent.get(there) != data:
                self._send(f"put {len(data)} {shlex.quote(there)}\n".encode(errors="surrogateescape") + data)
        words, made, dependencies = self._words(task.words)
        self._send(f"work {words}\n".encode(errors="surrogateescape"))
        task.process = int(self._line().split()[1])
        self._sent.update(read)
        if task.cancelled:
            kill(task.number)
        status = int(self._line().split()[1])
        sizes = [int(self._line().split()[0]) for _ in range(5)][:4]
        output, said, told, messages = map(self._take, sizes)
        if not task.cancelled:
            write(task.files[0], told)
            write(task.files[1], self._paths.text(messages))
            if made and output:
                write(os.path.join(self._root, made), output)
            if dependencies and said:
                files = map(self._paths.here, depfile.parse(said.decode(errors="surrogateescape")))
                text = depfile.render(TARGET[1], list(files))
                write(os.path.join(self._root, dependencies), text.encode(errors="surrogateescape"))
        return status

    def _words(self, words: list[str]) -> tuple[str, str, str]:
        """The words as they are to be there, quoted; with the output and the depfile, where there are such."""
        quoted, taken = [], {"-o": "", "-MF": ""}
        variables = {"-o": '"$o"', "-MF": '"$d"'}
        for before, word in zip(["", *words], words):
            if before in taken and word != os.devnull:
                taken[before] = word
                quoted.append(variables[before])
            else:
                quoted.append(shlex.quote(self._paths.there(word)))
        return " ".join(quoted), taken["-o"], taken["-MF"]

    def _send(self, data: bytes) -> None:
        try:
            self.stream.send(data)
        except OSError as error:
            raise Lost from error

    def _more(self) -> None:
        data = self.stream.receive()
        if not data:
            raise Lost
        self._data += data

    def _line(self) -> bytes:
        while b"\n" not in self._data:
            self._more()
        line, _, self._data = self._data.partition(b"\n")
        return line

    def _take(self, size: int) -> bytes:
        while len(self._data) < size:
            self._more()
        data, self._data = self._data[:size], self._data[size:]
        return data


def write(path: str, data: bytes) -> None:
    """Writes a file, and the folders above it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
