"""Campaigns of the customers, each with an APIKEY if it is of type API."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

API = "api"  # doc: the type of campaigns that have an APIKEY
_IDS_FROM = 900_000  # `id` is another number than `numid` (doc names both)


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign of a customer."""

    dmdsid: str
    number: int  # numid, campana_id
    name: str = ""
    kind: str = API  # tipo

    @property
    def id(self) -> int:
        """The longer number."""
        return _IDS_FROM + self.number


class Campaigns:
    """All campaigns and their keys."""

    def __init__(self, keys: Mapping[str, str], *, new_key: Callable[[], str]) -> None:
        """Begin with campaigns given as "<dmdsid>-<number>" and key."""
        self._new_key = new_key
        self._campaigns: dict[tuple[str, int], Campaign] = {}
        self._keys: dict[tuple[str, int], str] = {}
        for name, key in keys.items():
            dmdsid, _, number = name.rpartition("-")
            campaign = Campaign(dmdsid, int(number), f"Campaign {int(number)}")
            self._campaigns[dmdsid, campaign.number] = campaign
            self._keys[dmdsid, campaign.number] = key

    def of_key(self, dmdsid: str, apikey: str) -> Campaign | None:
        """The customer's campaign that this APIKEY belongs to."""
        given = apikey.encode("utf-8", "replace")
        for (owner, number), key in self._keys.items():
            if owner == dmdsid and hmac.compare_digest(key.encode(), given):
                return self._campaigns[owner, number]
        return None

    def all(self, dmdsid: str) -> list[Campaign]:
        """A customer's campaigns."""
        return [campaign for (owner, _), campaign in self._campaigns.items() if owner == dmdsid]

    def everybodys(self) -> list[Campaign]:
        """The campaigns of all customers."""
        return list(self._campaigns.values())

    def find(self, dmdsid: str, number: int) -> Campaign | None:
        """One campaign of a customer by its short number."""
        return self._campaigns.get((dmdsid, number))

    def create(self, dmdsid: str, name: str, kind: str) -> Campaign:
        """Make a campaign; one of type API gets a key."""
        number = max((campaign.number for campaign in self.all(dmdsid)), default=0) + 1
        campaign = Campaign(dmdsid, number, name, kind)
        self._campaigns[dmdsid, number] = campaign
        if kind == API:
            self.set_key(campaign)
        return campaign

    def key_of(self, campaign: Campaign) -> str:
        """A campaign's APIKEY; empty: it has none."""
        return self._keys.get((campaign.dmdsid, campaign.number), "")

    def set_key(self, campaign: Campaign, apikey: str = "") -> str:
        """Give a campaign another APIKEY, made here where none is given; the one before is wrong from now on."""
        key = apikey or self._new_key()
        self._keys[campaign.dmdsid, campaign.number] = key
        return key
