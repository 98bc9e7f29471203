"""A receiver of records: a small HTTP server that keeps what is posted to it."""

import asyncio
import json


class Receiver:
    """status: what it answers. bodies: (path, content type, text) of each request that it accepted."""

    def __init__(self, ip, port=0):
        self.ip, self.port = ip, port
        self.status, self.bodies, self.refused = 200, [], 0
        self.server = None

    async def open(self):
        self.server = await asyncio.start_server(self._serve, self.ip, self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def shut(self):
        self.server.close()
        await self.server.wait_closed()

    def close(self):
        if self.server:
            self.server.close()

    @property
    def address(self):
        return f"{self.ip}:{self.port}"

    async def _serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(fields["content-length"]))
            if self.status == 200:
                self.bodies.append((head[0].split()[1], fields["content-type"], body.decode()))
            else:
                self.refused += 1
            writer.write(f"HTTP/1.0 {self.status} said\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def records(self):
        """Of JSON bodies, in the order they came; repeated ones too."""
        return [r for _, kind, text in self.bodies if "json" in kind for r in json.loads(text)]

    def lines(self):
        return [line for _, kind, text in self.bodies if "plain" in kind for line in text.splitlines()]
