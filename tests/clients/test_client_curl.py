"""curl with a mail as big as scanners and reports make them."""

from mailing import SENDER, SUBJECT, assert_attached, mail, run


def test_a_mail_of_ten_megabytes_arrives_whole(gateway, certificate, logins, sandbox, unique, tmp_path):
    to, data, login = f"{unique}@inbox.example", bytes(range(256)) * (40 * 1024), logins["kept-mensatek"]
    message = mail([to])
    message.get_payload()[1].set_content(data, maintype="image", subtype="x-scan", filename="scan.bin")
    (tmp_path / "big.eml").write_bytes(message.as_bytes())

    run(
        *("curl", "--silent", "--show-error", "--url", f"smtp://127.0.0.1:{gateway.port('starttls')}", "--ssl-reqd"),
        *("--cacert", certificate.authority, "--user", f"{login.user}:{login.password}"),
        *("--mail-from", SENDER, "--mail-rcpt", to, "--upload-file", tmp_path / "big.eml"),
    )

    assert_attached(sandbox.wait_for(to), "scan.bin", data)
    assert SUBJECT == sandbox.mails(to)[0].subject
