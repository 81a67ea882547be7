"""What a report says to a person, in the languages that it can be had in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "es"]


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language; names in braces are filled in."""

    author: str
    subject_failed: str
    subject_delayed: str
    subject_relayed: str
    opening: str
    about: str  # with the subject
    failed: str
    delayed: str
    relayed: str
    reason: str
    no_reason: str
    address: str  # what to do about a bad address
    content: str  # ... what the provider cannot carry
    expired: str  # ... an attempt that came to nothing in time
    other: str  # ... anything else
    patience: str  # ... nothing yet
    closing: str


WORDS: Mapping[Language, Words] = {
    "en": Words(
        author="Mail Delivery System",
        subject_failed="Undelivered mail: your message did not reach everybody",
        subject_delayed="Delayed mail: your message is still waiting",
        subject_relayed="Mail sent on: your message was handed over",
        opening="This is the mail gateway {host}. It reports on the message that it took from you on {at}.",
        about='Its subject: "{subject}"',
        failed="These recipients did NOT get it, and it is not tried any more:",
        delayed="For these recipients it is still waiting, and will be tried until {until}:",
        relayed="For these recipients it was handed over to the email provider, which tells no more of it:",
        reason="Reason: {reason}",
        no_reason="Reason: it has not been tried yet.",
        address="What to do: check the address, and send the message again to the right one.",
        content="What to do: send the message again without what cannot be carried, in another form.",
        expired="What to do: send it again later. If that fails too, ask whoever runs the gateway.",
        other="What to do: ask whoever runs the gateway; the id below leads to all that is known.",
        patience="What to do: nothing. You need not send it again.",
        closing="Id of the message: {id}",
    ),
    "es": Words(
        author="Sistema de entrega de correo",
        subject_failed="Correo no entregado: su mensaje no ha llegado a todos",
        subject_delayed="Correo retrasado: su mensaje sigue en espera",
        subject_relayed="Correo enviado: su mensaje ha sido entregado al proveedor",
        opening="Esta es la pasarela de correo {host}. Informa sobre el mensaje que usted le entregó el {at}.",
        about="Su asunto: «{subject}»",
        failed="Estos destinatarios NO lo han recibido, y no se intentará más:",
        delayed="Para estos destinatarios sigue en espera, y se intentará hasta {until}:",
        relayed="Para estos destinatarios se ha entregado al proveedor de correo, que no informa de nada más:",
        reason="Motivo: {reason}",
        no_reason="Motivo: todavía no se ha intentado.",
        address="Qué hacer: revise la dirección y envíe el mensaje de nuevo a la correcta.",
        content="Qué hacer: envíe el mensaje de nuevo en otra forma, sin lo que no se puede transmitir.",
        expired="Qué hacer: envíelo de nuevo más tarde. Si vuelve a fallar, pregunte a quien administra la pasarela.",
        other="Qué hacer: pregunte a quien administra la pasarela; el identificador lleva a todo lo que se sabe.",
        patience="Qué hacer: nada. No hace falta que lo envíe de nuevo.",
        closing="Identificador del mensaje: {id}",
    ),
}
