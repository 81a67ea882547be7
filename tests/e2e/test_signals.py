"""What the running program does when it is told something by a signal."""

import shutil
import signal
import smtplib
import ssl

from certificates import make_certificate
from running import until


def test_sighup_takes_a_renewed_certificate_without_dropping_a_connection(
    start_gateway, base_config, certificate, tmp_path
):
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    shutil.copy(certificate.chain, chain)
    shutil.copy(certificate.key, key)
    door = f'\n[listener.a]\naddress = "127.0.0.1:0"\ntls = "starttls"\ncertificate = "{chain}"\nkey = "{key}"\n'
    gateway = start_gateway(base_config + door)
    with smtplib.SMTP("127.0.0.1", gateway.port("a"), timeout=30) as before:
        before.ehlo()
        (tmp_path / "new").mkdir()
        renewed = make_certificate(tmp_path / "new")
        shutil.copy(renewed.chain, chain)
        shutil.copy(renewed.key, key)
        gateway.tell(signal.SIGHUP)
        gateway.wait_for_event("certificate_renewed")
        assert before.noop()[0] == 250
    with smtplib.SMTP("127.0.0.1", gateway.port("a"), timeout=30) as after:
        after.starttls(context=ssl.create_default_context(cafile=str(renewed.authority)))
        assert after.noop()[0] == 250


def test_a_bad_certificate_is_told_of_and_the_old_one_stays(start_gateway, base_config, certificate, tmp_path):
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    shutil.copy(certificate.chain, chain)
    shutil.copy(certificate.key, key)
    door = f'\n[listener.a]\naddress = "127.0.0.1:0"\ntls = "implicit"\ncertificate = "{chain}"\nkey = "{key}"\n'
    gateway = start_gateway(base_config + door)
    chain.write_text("not a certificate")
    gateway.tell(signal.SIGHUP)
    gateway.wait_for_event("certificate_refused")
    context = ssl.create_default_context(cafile=str(certificate.authority))
    with smtplib.SMTP_SSL("127.0.0.1", gateway.port("a"), timeout=30, context=context) as smtp:
        assert smtp.noop()[0] == 250
    until(lambda: gateway.is_running, 1, "it stopped")
