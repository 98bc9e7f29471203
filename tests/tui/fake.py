"""A daemon of our own behind a control socket, that says what the test put into its mouth."""

import asyncio
import json


class Fake:
    """answers: {operation: result, or a function of the params, or an Exception: refused}."""

    def __init__(self, path, answers, otherwise=None):
        self.path, self.answers, self.otherwise = path, answers, otherwise
        self.asked = []  # (operation, params)
        self.server = None

    async def __aenter__(self):
        self.server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        while line := await reader.readline():
            request = json.loads(line)
            method, params = request["method"], request.get("params") or {}
            self.asked.append((method, params))
            answer = self.answers.get(method, self.otherwise)
            if callable(answer):
                answer = answer(params)
            reply = {"jsonrpc": "2.0", "id": request["id"]}
            if isinstance(answer, Exception):
                code, field, text, accepted = answer.args
                reply["error"] = {"code": -32000, "message": text, "data": {
                    "code": code, "field": field, "given": "", "accepted": accepted}}
            else:
                reply["result"] = answer
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        writer.close()
