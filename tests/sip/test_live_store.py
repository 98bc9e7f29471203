"""The live parameters of the store, as test_live.py has the others."""

import os
import sqlite3

from harness.scene import live, scene
from test_store import alarmed, quiet_again


@live("SERVER_ALARM_DATABASE_IGNORE_ERROR_CODE")
@scene(idle=True, within=120)
async def test_errors_that_raise_no_alarm(t):
    """The alarm names SQLite's number; a number that is listed raises none, another one does again."""
    await t.plain()
    lock = sqlite3.connect(os.path.join(t.switch.data, "ledger.db"), timeout=30, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    await alarmed(t)
    (alarm,) = [a for a in await t.ctl.ask("alarm.list") if a["type"] == "database"]
    assert "(error 5: " in alarm["info"], alarm
    await t.set("SERVER_ALARM_DATABASE_IGNORE_ERROR_CODE", "13,5")
    await quiet_again(t)
    await t.set("SERVER_ALARM_DATABASE_IGNORE_ERROR_CODE", "13,10")
    await alarmed(t)
    lock.execute("ROLLBACK")
    lock.close()
    await quiet_again(t)
