"""The page of network and ports, before a hostd of our own beside the switch's socket."""

import os

from fake import Fake
from terminal import console


async def test_a_change_is_made_confirmed_and_undone(t):
    rows = [{"key": "ssh_port", "value": "2222", "before": None, "state": "in force", "undone_in_s": 0, "help": "SSH"},
            {"key": "dns", "value": "192.0.2.1", "before": None, "state": "in force", "undone_in_s": 0, "help": "Names"}]
    asked = []

    def change(params):
        asked.append(params)
        if params.get("ssh_port") == "1":
            return ValueError("bad_value", "ssh_port", "1 is no port for it", "2222")
        rows[0].update(value=params["ssh_port"], before="2222", state="in force, waiting to be confirmed", undone_in_s=88)
        return {"state": rows[0]["state"], "undone_in_s": 90}

    def settle(params):
        rows[0].update(before=None, state="in force", undone_in_s=0)
        return {"state": "in force", "undone_in_s": 0}
    answers = {"machine.settings": lambda _: rows, "machine.change": change, "machine.confirm": settle,
               "machine.undo": settle}
    async with console(t) as c, Fake(os.path.join(os.path.dirname(t.switch.path), "host.sock"), answers):
        await c.see("Tandem  Console")
        await c.go("2", "Tandem  Network and ports", "ssh_port", "2222")
        await c.go(["enter"], "Unless you confirm within 90 seconds")
        await c.go([*["down"] * 5, "clear", "1", "f2"], "! 1 is no port for it")
        await c.go(["clear", "2022", "f2"], "waiting to be confirmed", "2022")
        assert asked[-1] == {"ssh_port": "2022"}, asked
        await c.go("c", "the change stays")
        await c.go(["enter", *["down"] * 5, "clear", "2023", *["up"], "clear", "f2"], "waiting to be confirmed", "2023")
        assert asked[-1] == {"ssh_port": "2023", "dns": ""}, asked
        await c.go("x", "Put network and ports back")
        await c.go(["tab", "enter"], "all is put back")
