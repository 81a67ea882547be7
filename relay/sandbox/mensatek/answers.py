"""Mensatek's answers in every shape that was seen or documented.

`document`: an array of one object, all values strings, lists as JSON strings (doc). The others are those of sibling
functions (client, wire). `object`: a bare object with real numbers. `counts`: Destinatarios is the list, Enviados and
NoEnviados are counts, the id is spelt IdMensaje. `xml`, `txt`: as they say. Without Resp the old API's bare number is
all there is (client).
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape

import orjson

from relay.sandbox.exchange import Answer, Ask
from relay.sandbox.mensatek.fields import Fields

#: Leaves of an answer are text or numbers, its lists hold objects of text.
Value = str | int | float | list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Result:
    """What a send led to."""

    batch_id: str
    sent: tuple[tuple[str, str], ...]  # address, idMensaje
    not_sent: tuple[tuple[str, str], ...]  # name, address
    recipients: int
    duplicates: int


def refusal(ask: Ask, shape: str, res: int, error: str = "") -> Answer:
    """A Res that is not positive; HTTP 200 all the same (client)."""
    values: dict[str, Value] = {"Res": res, "Error": error} if error else {"Res": res}
    return _answer(ask, shape, values, txt=values, error=error or f"Res {res}")


def result(ask: Ask, shape: str, outcome: Result, credit: float) -> Answer:
    """What became of each recipient. Res is the number of mails (assumed: the siblings answer 1 for one)."""
    sent = [{"Email": email, "idMensaje": message_id} for email, message_id in outcome.sent]
    not_sent = [{"Nombre": name, "Email": email} for name, email in outcome.not_sent]
    values: dict[str, Value] = {"Res": len(sent), "idEnvio": int(outcome.batch_id)}
    if _form(ask, shape) in ("counts", "xml"):
        listed = [{"Email": email, "IdMensaje": message_id} for email, message_id in outcome.sent]
        values |= {"Destinatarios": listed, "Enviados": len(sent), "NoEnviados": len(not_sent)}
    else:
        values |= {"Destinatarios": outcome.recipients, "Enviados": sent, "NoEnviados": not_sent}
    values["Duplicados"] = outcome.duplicates
    return _answer(ask, shape, values, txt={"Res": len(sent), "Cred": spanish(credit)})


def credit_balance(ask: Ask, shape: str, credit: float) -> Answer:
    """GetCreditos: Cred or Saldo, decimals possibly in Spanish notation (client)."""
    txt: dict[str, Value] = {"Res": 1, "Cred": spanish(credit)}
    match _form(ask, shape):
        case "object":
            return _answer(ask, shape, {"Res": 1, "Cred": credit}, txt=txt)
        case "counts":
            return _answer(ask, shape, {"Saldo": spanish(credit)}, txt=txt)
        case "bare":
            return Answer(200, spanish(credit).encode(), "text/html")
    return _answer(ask, shape, txt, txt=txt)


def spanish(number: float) -> str:
    """Two decimals after a comma."""
    return f"{number:.2f}".replace(".", ",")


def _form(ask: Ask, shape: str) -> str:
    """The shape that this call gets: XML and TXT where it asks for them, the chosen one otherwise."""
    asked = Fields(ask.document).raw("Resp")
    if not asked:
        return "bare"
    wanted = str(asked).lower()
    return wanted if wanted in ("xml", "txt") and shape not in ("xml", "txt") else shape


def _answer(ask: Ask, shape: str, values: dict[str, Value], *, txt: dict[str, Value], error: str = "") -> Answer:
    match _form(ask, shape):
        case "bare":
            return Answer(200, str(values["Res"]).encode(), "text/html", error=error)
        case "xml":
            return Answer(200, _xml(values).encode(), "text/xml", error=error)
        case "txt":
            text = "".join(f"{name}:{value};" for name, value in txt.items())
            return Answer(200, text.encode(), "text/plain", error=error)
        case "document":
            strings = {name: _string(value) for name, value in values.items()}
            return Answer(200, orjson.dumps([strings]), "application/json", error=error)
    return Answer(200, orjson.dumps(values), "application/json", error=error)


def _string(value: Value) -> str:
    return orjson.dumps(value).decode() if isinstance(value, list) else str(value)


def _xml(values: dict[str, Value]) -> str:
    return f"<result>{''.join(_element(name, value) for name, value in values.items())}</result>"


def _element(name: str, value: Value) -> str:
    if not isinstance(value, list):
        return f"<{name}>{escape(str(value))}</{name}>"
    # <item0><EMAIL/><IDMENSAJE/></item0>: numbered items, their members in capitals (client)
    items = (
        f"<item{index}>{''.join(_element(key.upper(), text) for key, text in item.items())}</item{index}>"
        for index, item in enumerate(value)
    )
    return f"<{name}>{''.join(items)}</{name}>"
