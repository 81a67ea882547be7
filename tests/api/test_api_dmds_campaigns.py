"""Campaigns with their keys, groups, filters and variables, by the client, on the sandbox."""

import pytest
from pydantic import SecretStr

from relay.errors import ApiRefused
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.sends import Person
from relay.providers.dmds.api.values import Group, Variable


async def test_campaigns_list(dmds):
    (campaign,) = await dmds.campaigns.list()
    assert (12345, "api", "Campaign 12345", None) == (campaign.number, campaign.kind, campaign.name, campaign.apikey)
    assert campaign.id not in {"", "12345"}
    assert (campaign,) == await dmds.campaigns.list(kind="api", number=12345)
    assert () == await dmds.campaigns.list(kind="web")
    assert () == await dmds.campaigns.list(number=7)  # another customer's


async def test_campaigns_create(dmds, settings):
    made = await dmds.campaigns.create("Invoices")
    assert made.apikey is not None
    async with DmdsClient("demo", made.apikey, settings) as other:
        await other.sends.one_inline(made.number, Person("ana@example.net"), "<p>Hola</p>")
    assert ["Campaign 12345", "Invoices"] == [each.name for each in await dmds.campaigns.list()]
    assert (await dmds.campaigns.create("News", kind="web")).apikey is None


async def test_campaigns_key(dmds):
    assert SecretStr("demo-apikey") == await dmds.campaigns.key(12345)
    with pytest.raises(ApiRefused, match="invalid numid"):
        await dmds.campaigns.key(7)


async def test_campaigns_set_key(dmds, settings):
    """The key before is wrong from then on."""
    made = await dmds.campaigns.create("Invoices")
    fresh = await dmds.campaigns.set_key(made.number)
    assert fresh not in {made.apikey, SecretStr("")}
    assert SecretStr("chosen-by-us") == await dmds.campaigns.set_key(made.number, SecretStr("chosen-by-us"))
    for key, is_right in ((made.apikey, False), (fresh, False), (SecretStr("chosen-by-us"), True)):
        async with DmdsClient("demo", key, settings) as other:
            if is_right:
                assert await other.version()
            else:
                with pytest.raises(ApiRefused, match=r"the credentials are refused \(403\)"):
                    await other.version()


async def test_groups_create(dmds, world):
    assert Group(1, "clientes") == await dmds.groups.create("clientes")
    assert Group(2, "prensa") == await dmds.groups.create("prensa")
    assert {"clientes": 1, "prensa": 2} == world.panel.groups("demo")


async def test_filters_list(dmds):
    assert ["Active", "Never opened"] == [each.name for each in await dmds.filters.list()]


async def test_variables_list(dmds):
    assert () == await dmds.variables.list()
    await dmds.variables.create("iva", "21")
    await dmds.variables.create("pie", "© 2026")
    assert (Variable("iva", "21"), Variable("pie", "© 2026")) == await dmds.variables.list()


async def test_variables_create(dmds):
    await dmds.variables.create("iva", "21")
    await dmds.variables.create("iva", "10.5")
    assert (Variable("iva", "10.5"),) == await dmds.variables.list()


async def test_variables_delete(dmds):
    await dmds.variables.create("iva", "21")
    await dmds.variables.delete("iva")
    assert () == await dmds.variables.list()
    with pytest.raises(ApiRefused, match="unknown variable"):
        await dmds.variables.delete("iva")


async def test_customers_do_not_see_each_others_panels(dmds, settings):
    await dmds.variables.create("iva", "21")
    async with DmdsClient("acme", "acme-apikey", settings) as other:
        assert () == await other.variables.list()
