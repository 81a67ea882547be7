"""`relay queue` as an operator uses it: on a store that no gateway has open."""

import asyncio
import json
import re
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import RELAY

from relay.cli import main
from relay.config.settings import StoreSettings
from relay.message import Envelope, EnvelopeRecipient, Message, Recipient, Role, new_message_id
from relay.queue.contract import NewMessage, Pause, RecipientEntry, State
from relay.queue.sqlite import SqliteQueue

BODY = b"Subject: a secret matter\r\n\r\nnobody's business\r\n"


def mail(*addresses, states=(), account="erp", sender="app@example.org", age=0.0, reason=""):
    now = time.time() - age
    envelope = Envelope(sender, tuple(map(EnvelopeRecipient, addresses)))
    message = Message(new_message_id(), account, envelope, BODY, now, "192.0.2.1")
    entries = tuple(
        RecipientEntry(position, Recipient(address, Role.TO), State(states[position] if states else "queued"))
        for position, address in enumerate(addresses)
    )
    entries = tuple(replace(entry, reason=reason) for entry in entries)
    return NewMessage(message, entries, "queue", now, now + 86400)


class Desk:
    """A store with its configuration, and the command line before it."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "relay.toml"
        self.config.write_text(
            f'store.path = "{folder}/relay.db"\n[account.erp]\nprovider = "mensatek"\nuser = "me"\ntoken = "t"\n'
        )

    def fill(self, *mails, pauses=()):
        async def put():
            settings = StoreSettings(path=self.folder / "relay.db", min_free_bytes=0)
            queue = await SqliteQueue.open(settings, clock=time.time)
            for one in mails:
                await queue.put(one)
            for pause in pauses:
                await queue.pause(pause)
            await queue.close()

        asyncio.run(put())
        return [one.message.id for one in mails]

    def run(self, *arguments, stdin=""):
        return CliRunner().invoke(
            main, ["queue", *arguments, "--config", str(self.config)], input=stdin, prog_name="relay"
        )

    def listed(self, *arguments):
        done = self.run("list", "--json", *arguments)
        assert done.exit_code == 0, done.output
        return [(message["id"], [entry["state"] for entry in message["entries"]]) for message in _messages(done)]


def _messages(done):
    return json.loads(done.stdout)["messages"]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_list_shows_who_waits_for_what_and_never_a_subject(desk):
    (message_id,) = desk.fill(mail("ana@example.net", "b@example.net", "c@example.net", age=7400, reason="busy"))
    done = desk.run("list")

    assert done.exit_code == 0
    assert message_id in done.stdout
    assert "2h 3m" in done.stdout
    assert "ana@example.net, b@example.net and 1 more" in done.stdout
    assert "busy" in done.stdout
    assert "secret" not in done.output + desk.run("list", "--json").output + desk.run("show", message_id).output


def test_a_list_is_filtered_and_goes_on_where_it_ended(desk):
    ids = desk.fill(*(mail(f"{name}@example.net", age=age) for name, age in (("a", 900), ("b", 60), ("c", 30))))

    assert [ids[0]] == [message_id for message_id, _ in desk.listed("--older", "10m")]
    assert ids[1:] == [message_id for message_id, _ in desk.listed("--younger", "10m")]
    assert [ids[1]] == [message_id for message_id, _ in desk.listed("--recipient", "b@example.net")]
    first = json.loads(desk.run("list", "--json", "--limit", "2").stdout)
    assert ids[2:] == [message_id for message_id, _ in desk.listed("--after", first["after"])]
    assert re.search(r"--after \S+$", desk.run("list", "--limit", "2").stdout.strip())


def test_moments_are_iso_8601_for_programs(desk):
    desk.fill(mail("ana@example.net"))
    (message,) = _messages(desk.run("list", "--json"))

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", message["received_at"])


def test_show_tells_all_of_one_message(desk):
    (message_id,) = desk.fill(
        mail("ana@example.net", "b@example.net", states=["held", "accepted"], reason="why"),
        pauses=[Pause("erp", time.time() + 600, "no credits", 1)],
    )
    desk.run("release", message_id)
    done = desk.run("show", message_id.lower())

    assert done.exit_code == 0
    for word in (message_id, "ana@example.net", "accepted", "192.0.2.1", "no credits", "release", "app@example.org"):
        assert word in done.stdout
    assert "erp" == json.loads(desk.run("show", message_id, "--json").stdout)["kept"]["account"]


def test_who_is_not_there_cannot_be_shown(desk):
    desk.fill(mail("ana@example.net"))
    done = desk.run("show", "01ARZ3NDEKTSV4RRFFQ69G5FAV")

    assert done.exit_code == 1
    assert "no message" in done.stderr


def test_stats_count_and_tell_of_each_account(desk):
    desk.fill(
        mail("a@example.net", "b@example.net", states=["queued", "held"], age=100),
        pauses=[Pause("erp", time.time() + 600, "no credits", 1)],
    )
    done = desk.run("stats")
    told = json.loads(desk.run("stats", "--json").stdout)

    assert re.search(r"recipients held +1\n", done.stdout)
    assert "no credits" in done.stdout
    assert (1, 1, len(BODY)) == (told["messages_open"], told["by_state"]["queued"], told["bytes_kept"])
    assert [("erp", 1)] == [(each["account"], each["messages"]) for each in told["backlogs"]]


def test_hold_release_and_retry_by_id_ask_nothing(desk):
    first, second = desk.fill(mail("a@example.net"), mail("b@example.net"))

    assert "hold: 1 recipient of 1 message\n" == desk.run("hold", first).stdout
    assert [(first, ["held"]), (second, ["queued"])] == desk.listed()
    assert 0 == desk.run("release", first).exit_code
    assert "retry: 2 recipients of 2 messages\n" == desk.run("retry", first, second).stdout
    assert [(first, ["queued"]), (second, ["queued"])] == desk.listed()


def test_whoever_may_get_a_second_copy_is_asked_about(desk):
    (message_id,) = desk.fill(mail("a@example.net", states=["unconfirmed"]))
    refused = desk.run("retry", message_id, stdin="n\n")

    assert refused.exit_code == 1
    assert "1 recipient may have got it already, and may get a second copy. Retry?" in refused.stderr
    assert [(message_id, ["unconfirmed"])] == desk.listed()

    done = desk.run("retry", message_id, stdin="y\n")
    assert "1 recipient of these may get a second copy" in done.stdout
    assert [(message_id, ["queued"])] == desk.listed()


def test_a_drop_of_many_is_asked_about_and_yes_answers(desk):
    ids = desk.fill(*(mail(f"{number}@example.net") for number in range(3)))

    assert 1 == desk.run("drop", "--recipient", "@example.net", stdin="").exit_code
    assert 3 == len(desk.listed())
    assert "drop: 3 recipients of 3 messages\n" == desk.run("drop", "--recipient", "@example.net", "--yes").stdout
    assert [] == desk.listed()
    assert ids == [message_id for message_id, _ in desk.listed("--state", "dropped")]


def test_a_drop_by_filter_leaves_the_others_of_the_message(desk):
    (message_id,) = desk.fill(mail("a@example.net", "b@example.org"))
    desk.run("drop", "--recipient", "@example.net")

    assert [(message_id, ["dropped", "queued"])] == desk.listed()


def test_a_dry_run_does_nothing(desk):
    (message_id,) = desk.fill(mail("a@example.net"))

    assert "would drop: 1 recipient of 1 message\n" == desk.run("drop", message_id, "--dry-run").stdout
    assert [(message_id, ["queued"])] == desk.listed()


def test_everything_must_be_said_in_so_many_words(desk):
    desk.fill(mail("a@example.net"))
    done = desk.run("hold")

    assert done.exit_code == 2
    assert "--all" in done.stderr
    assert 0 == desk.run("hold", "--all").exit_code


def test_where_nothing_matches_it_is_said_with_what_would(desk):
    (message_id,) = desk.fill(mail("a@example.net"))
    done = desk.run("release", message_id)

    assert done.exit_code == 1
    assert "nothing matches that release concerns: held" in done.stdout
    assert "nothing matches\n" == desk.run("list", "--account", "none").stdout


def test_programs_get_counts(desk):
    desk.fill(mail("a@example.net"))
    told = json.loads(desk.run("hold", "--all", "--json").stdout)

    assert {"messages": 1, "recipients": 1, "noted": 0, "doubtful": 0} == told


def test_export_writes_what_was_received(desk, tmp_path):
    first, second = desk.fill(mail("a@example.net"), mail("b@example.net"))
    done = desk.run("export", "--recipient", "@example.net", "--to", str(tmp_path / "out"))

    assert "wrote 2 messages" in done.stdout
    assert {f"{first}.eml", f"{second}.eml"} == {path.name for path in (tmp_path / "out").iterdir()}
    assert BODY == (tmp_path / "out" / f"{first}.eml").read_bytes()
    assert 0o600 == (tmp_path / "out" / f"{first}.eml").stat().st_mode & 0o777
    assert BODY == desk.run("export", first).stdout_bytes
    assert 2 == desk.run("export", "--account", "erp").exit_code


def test_one_damaged_body_keeps_nobody_from_the_others(desk, tmp_path):
    large = mail("a@example.net")
    large = replace(large, message=replace(large.message, data=BODY + b"x" * 200_000))
    damaged, sound = desk.fill(large, mail("b@example.net"))
    (file,) = (desk.folder / "relay.db.bodies").iterdir()
    file.write_bytes(b"not what was written")
    done = desk.run("export", damaged, sound, "--to", str(tmp_path / "out"))

    assert done.exit_code == 1
    assert "wrote 1 message to" in done.stdout
    assert damaged in done.stderr
    assert BODY == (tmp_path / "out" / f"{sound}.eml").read_bytes()


def test_what_has_gone_cannot_be_exported(desk):
    (message_id,) = desk.fill(mail("a@example.net"))
    desk.run("drop", message_id)
    done = desk.run("export", message_id)

    assert done.exit_code == 1
    assert "still kept" in done.stderr


def test_a_store_that_is_not_there_is_not_made(desk):
    done = desk.run("list")

    assert done.exit_code == 69
    assert "nothing has been kept there yet" in done.stderr
    assert not (desk.folder / "relay.db").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [("CREATE TABLE x (y)", "another program's"), ("CREATE TABLE migration (number, applied_at)", "another program's")],
)
def test_a_store_of_another_kind_is_left_alone(desk, content, why):
    import sqlite3  # noqa: PLC0415

    connection = sqlite3.connect(desk.folder / "relay.db")
    connection.execute(content)
    connection.commit()
    connection.close()
    done = desk.run("list")

    assert done.exit_code == 69
    assert why in done.stderr


def test_a_duration_that_is_none_is_refused_with_what_would_be_one(desk):
    desk.fill(mail("a@example.net"))
    done = desk.run("list", "--older", "yesterday")

    assert done.exit_code == 2
    assert '"2h"' in done.stderr


@pytest.mark.parametrize("name", ["ana", ""])
def test_an_act_is_written_down_with_who_did_it(desk, monkeypatch, name):
    (message_id,) = desk.fill(mail("a@example.net"))
    monkeypatch.setenv("SUDO_USER", name)
    desk.run("hold", message_id)
    (done,) = json.loads(desk.run("show", message_id, "--json").stdout)["acts"]

    assert done["who"]
    assert done["who"] == (name or done["who"])


def test_the_commands_of_the_document_work_as_they_stand_there(desk):
    text = (Path(__file__).parents[2] / "docs" / "queue.md").read_text(encoding="utf-8")
    (message_id, *_) = desk.fill(mail("ana@example.net", age=9000), mail("b@example.net", age=9000))
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["bash", "-e", "-c", "".join(blocks)],
        env={"PATH": f"{RELAY.parent}:/usr/bin:/bin", "RELAY_CONFIG": str(desk.config), "ID": message_id},
        cwd=desk.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert 2 == len(blocks)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert BODY == (desk.folder / "mail.eml").read_bytes()
    assert 2 == len(list((desk.folder / "mails").iterdir()))
    assert {"dropped"} == {state for _, states in desk.listed("--state", "dropped") for state in states}
