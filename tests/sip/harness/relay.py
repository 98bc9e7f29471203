"""A mail relay: a small SMTP server that keeps what it is handed, or does not want it."""

import asyncio


class Relay:
    """says: {command: reply} instead of the usual ones; greeting: None = it never says a word. mails: (from, to, lines)."""

    def __init__(self, ip, port=0):
        self.ip, self.port = ip, port
        self.says, self.mails, self.heard = {}, [], []
        self.greeting = "220 relay ready"
        self.server = None

    async def open(self):
        self.server = await asyncio.start_server(self._serve, self.ip, self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def close(self):
        if self.server:
            self.server.close()

    @property
    def address(self):
        return f"{self.ip}:{self.port}"

    async def _serve(self, reader, writer):
        def say(text):
            writer.write(f"{text}\r\n".encode())

        sender = to = None
        try:
            if self.greeting:
                say(self.greeting)
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                command = line.split(" ")[0].split(":")[0].upper()
                self.heard.append(command)
                if command in self.says:
                    say(self.says[command])
                    continue
                if command == "MAIL":
                    sender = line
                elif command == "RCPT":
                    to = line
                elif command == "DATA":
                    say("354 go on")
                    lines = []
                    while (line := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                        lines.append(line)
                    self.mails.append((sender, to, lines))
                elif command == "QUIT":
                    break
                say("250-relay\r\n250 8BITMIME" if command == "EHLO" else "250 good")
        except ConnectionError:
            pass
        finally:
            writer.close()
