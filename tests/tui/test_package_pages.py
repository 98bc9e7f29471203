"""Packages, a key of the page of rates, and who has ordered them."""

from harness.watch import poll
from terminal import console


async def test_packages_and_their_orders(t):
    await t.account("acme", "10")
    await t.ctl.ask("package.add", name="talk", price="1", free_time=100)
    await t.ctl.ask("package-order.add", account="acme", package="talk")

    async def active():
        return (await t.ctl.ask("package-order.show", key="acme/talk"))["state"] == "active"
    await poll(active, "the period")
    t.books.paid["acme"] -= 1
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("t", "Rate groups")
        await c.go("p", "Tandem  Packages", "talk", "month")
        await c.go("o", "Orders of packages", "acme", "active", "100")
        await c.go("x", "delete it?")
        await c.go(["tab", "enter"], "There is nothing here yet")
    assert not await t.ctl.ask("package-order.list")
