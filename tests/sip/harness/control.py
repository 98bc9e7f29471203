"""The control socket: JSON-RPC 2.0, one object a line."""

import asyncio
import json

from .watch import DEADLINE


class Refused(Exception):
    """An error answer. code, message and data are the switch's own."""

    def __init__(self, method, error):
        super().__init__(f"{method}: {json.dumps(error, ensure_ascii=False)}")
        self.method, self.error = method, error
        self.code, self.message = error.get("code"), error.get("message", "")
        self.data = error.get("data") or {}


class Control:
    """Many requests may be under way at once; answers are matched by id."""

    def __init__(self, path):
        self.path, self.number, self.waiting = path, 0, {}
        self.reader = self.writer = self.task = None

    async def open(self):
        self.reader, self.writer = await asyncio.open_unix_connection(self.path, limit=256 << 20)
        self.task = asyncio.create_task(self._read())
        return self

    async def _read(self):
        gone = ConnectionError("the control socket was closed")
        try:
            while line := await self.reader.readline():
                answer = json.loads(line)
                future = self.waiting.pop(answer.get("id"), None)
                if future and not future.done():
                    future.set_result(answer)
        except (ConnectionError, ValueError) as e:
            gone = e
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ConnectionError(str(gone)))

    async def ask(self, method, within=DEADLINE, **params):
        """The result; Refused for an error answer. 'group', 'list' and such go in as they are."""
        self.number += 1
        request = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        future = self.waiting[self.number] = asyncio.get_running_loop().create_future()
        self.writer.write(json.dumps(request).encode() + b"\n")
        answer = await asyncio.wait_for(future, within)
        assert answer.get("jsonrpc") == "2.0", f"not JSON-RPC 2.0: {answer}"
        if "error" in answer:
            raise Refused(method, answer["error"])
        return answer["result"]

    async def raw(self, line, within=DEADLINE):
        """One line as given on a connection of its own; the answer line as text ('' if closed)."""
        reader, writer = await asyncio.open_unix_connection(self.path, limit=16 << 20)
        try:
            writer.write(line)
            return (await asyncio.wait_for(reader.readline(), within)).decode()
        finally:
            writer.close()

    def close(self):
        if self.task:
            self.task.cancel()
        if self.writer:
            self.writer.close()
