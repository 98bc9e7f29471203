"""Vendors are tried from the console."""

from terminal import console


async def test_a_gateway_is_tested_and_called(t):
    """From its line in the list: the form knows its name; what came of it is shown, and the form stands for another try."""
    _, carrier = await t.plain()
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("v", "Tandem  Routing gateways", "vendor")
        await c.go("t", "Test a gateway", "vendor", "count")
        await c.go(["f2"], "answered", carrier.address)
        await c.go(["esc"], "Routing gateways")
        await c.go("c", "Test call", "callee")
        await c.go(["tab", "88017", "tab", "tab", "tab", "0", "f2"], "outcome", "answered", "packets_in")
        assert carrier.legs[-1].callee == "88017"
