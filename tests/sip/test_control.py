"""The control socket as a protocol: good lines, bad lines, many clients."""

import asyncio
import json
import os
import stat

from harness.control import Control


async def say(t, line):
    """The parsed answer to one line ({} when the switch closed the connection)."""
    text = await t.ctl.raw(line if line.endswith(b"\n") else line + b"\n")
    return json.loads(text) if text else {}


async def test_bad_lines_are_answered_with_errors(t):
    """JSON-RPC 2.0: parse error, invalid request, unknown method, wrong params; the id comes back."""
    for line, code, number in (
            (b"{", -32700, None), (b"hello", -32700, None), (b"\xff\xfe", -32700, None),
            (b"[]", -32600, None), (b"1", None, None), (b'"x"', None, None), (b"null", None, None),
            (b'{"jsonrpc":"1.0","id":1,"method":"status.show"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":1}', -32600, None),
            (b'{"jsonrpc":"2.0","id":2,"method":5}', -32600, None),
            (b'{"jsonrpc":"2.0","id":3,"method":"no.such"}', -32601, 3),
            (b'{"jsonrpc":"2.0","id":4,"method":"account.show","params":[1]}', None, None),
            (b'{"jsonrpc":"2.0","id":"five","method":"account.show","params":{}}', None, "five"),
            (b'{"jsonrpc":"2.0","id":6,"method":"account.show","params":{"id":{"a":1}}}', None, 6),
            (b'{"jsonrpc":"2.0","id":7,"id":8,"method":"status.show"}', None, None),
            (b'[' * 5000, -32700, None),
            (b'{"jsonrpc":"2.0","id":9,"method":"account.show","params":{"id":"a\\u0000b"}}', None, None)):
        answer = await say(t, line)
        assert "error" in answer and "result" not in answer, (line[:80], answer)
        assert code is None or answer["error"]["code"] == code, (line[:80], answer)
        assert number is None or answer.get("id") == number, (line[:80], answer)
        assert answer["error"].get("message"), answer
    assert (await t.status())["version"]


async def test_a_short_receive_buffer_is_said_once(t):
    """With net.core.rmem_max under what the SIP sockets ask for, the log has one line with both figures."""
    with open("/proc/sys/net/core/rmem_max", encoding="ascii") as f:
        given = int(f.read())
    said = [line for line in t.switch.tail(1000).split("\n") if "receive buffer" in line]
    if given < 16 << 20:
        assert len(said) == 1 and f" {16 << 20} " in said[0] and f" {given}:" in said[0], said
    else:
        assert not said, said


async def test_a_notification_is_not_answered(t):
    """A request without id is carried out and gets no answer."""
    reader, writer = await asyncio.open_unix_connection(t.switch.path)
    writer.write(b'{"jsonrpc":"2.0","method":"rate-group.add","params":{"name":"quiet"}}\n'
                 b'{"jsonrpc":"2.0","id":1,"method":"rate-group.show","params":{"name":"quiet"}}\n')
    answer = json.loads(await asyncio.wait_for(reader.readline(), 15))
    assert answer["id"] == 1 and answer["result"]["name"] == "quiet", answer
    writer.close()


async def test_lines_in_pieces_and_in_heaps(t):
    """One octet at a time, and 200 requests in one write: answers come in order, each once."""
    reader, writer = await asyncio.open_unix_connection(t.switch.path)
    for octet in b'{"jsonrpc":"2.0","id":0,"method":"status.show"}\n':
        writer.write(bytes([octet]))
        await writer.drain()
    assert json.loads(await asyncio.wait_for(reader.readline(), 15))["id"] == 0
    writer.write(b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"parameter.show","params":{"name":"SS_MAX_CPS"}}\n'
                          % i for i in range(1, 201)))
    numbers = [json.loads(await asyncio.wait_for(reader.readline(), 15))["id"] for _ in range(200)]
    assert numbers == list(range(1, 201))
    writer.close()


async def test_clients_that_leave_in_the_middle(t):
    """Half a line, a request whose answer nobody reads, connections that are never used."""
    held = []
    for line in (b'{"jsonrpc"', b'{"jsonrpc":"2.0","id":1,"method":"parameter.list"}\n', b""):
        for _ in range(10):
            _reader, writer = await asyncio.open_unix_connection(t.switch.path)
            writer.write(line)
            await writer.drain()
            held.append(writer)
    for writer in held:
        writer.transport.abort()
    assert (await t.status())["version"]


async def test_clients_at_once(t):
    """20 clients with 50 changes each: all are done, none is lost."""
    await t.account("acme")

    async def client(n):
        ctl = await Control(t.switch.path).open()
        for i in range(50):
            await ctl.ask("account.recharge", id="acme", amount="0.01", memo=f"{n}-{i}")
        ctl.close()
    await asyncio.gather(*(client(n) for n in range(20)))
    t.books.paid["acme"] += 10
    await t.books.check()


async def test_the_socket_belongs_to_its_owner(t):
    """Nobody but owner and group may open it."""
    mode = stat.S_IMODE(os.stat(t.switch.path).st_mode)
    assert mode & 0o007 == 0, oct(mode)
