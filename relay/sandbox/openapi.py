"""The OpenAPI description of both APIs as the sandbox speaks them, at `/sandbox/openapi.json`."""

from typing import Any

from relay.sandbox.dmds import openapi as dmds
from relay.sandbox.mensatek import openapi as mensatek
from relay.sandbox.world import World


def description(world: World) -> dict[str, Any]:
    """Describe the APIs; the customers of DMDS are those that the sandbox has."""
    customers = sorted({campaign.dmdsid for campaign in world.campaigns.everybodys()})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mensatek EnviarEMAIL 7.0 and DMDS API REST 1.5, as the sandbox speaks them",
            "version": "7.0, 1.5",
            "description": "What is assumed or unknown of the real APIs is remarked on in /sandbox/calls.",
        },
        "paths": {**mensatek.paths(), **dmds.paths(customers)},
        "components": {
            "securitySchemes": {
                mensatek.SECURITY: {"type": "http", "scheme": "basic", "description": "API User and API Token"},
                dmds.SECURITY: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "the bare APIKEY of a campaign",
                },
            }
        },
    }
