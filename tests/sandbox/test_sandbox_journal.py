"""The journal file: what was taken is on disk before the answer leaves."""

import asyncio
import json
import os
import pathlib
import signal
import sys
import textwrap

import aiohttp
import pytest
from sandbox_caller import basic, calling, email, send

from relay.sandbox.journal import JournalFile

MANY = "envio/send_many_inline/"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_each_call_stands_in_the_file_with_its_mails(tmp_path):
    path = tmp_path / "journal"
    async with calling(journal=path) as caller:
        await caller.mensatek(email(Referenciausuario="r1", Adjuntos=[{"Nombre": "a", "Contenido": "aGk="}]))
        (line,) = lines(path)
        assert ("call", "pending", 200, ["ana@example.net"]) == (
            line["kind"],
            line["answer"],
            line["status"],
            line["recipients"],
        )
        assert [("ana@example.net", "r1", "Hello")] == [
            (m["mailbox"], m["reference"], m["subject"]) for m in line["mails"]
        ]
        assert 2 == line["document"]["Adjuntos"][0]["Contenido"]["size"]
        await caller.dmds(MANY, send(), key="secret-key")
        assert "secret-key" not in path.read_text()
        assert "demo-token" not in path.read_text()
    assert ["call", "answer", "call", "answer"] == [line["kind"] for line in lines(path)]
    assert ["sent", "sent"] == [line["answer"] for line in lines(path) if line["kind"] == "answer"]


async def test_a_second_run_appends(tmp_path):
    path = tmp_path / "journal"
    ids = []
    for _ in range(2):
        async with calling(journal=path) as caller:
            await caller.mensatek(email())
            ids.append(caller.world.mails[0].batch_id)
    assert 4 == len(lines(path))
    assert 2 == len(set(ids))


async def test_odd_bytes_do_not_break_it(tmp_path):
    path = tmp_path / "journal"
    async with calling(journal=path) as caller:
        port = int(caller.sandbox.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /dmds/%ff/v1/\xff/ HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\xfe\r\nConnection: close\r\n\r\n"
        )
        assert b"HTTP/1" in await reader.read()
        writer.close()
        status, _, _ = await caller.request("GET", f"{caller.sandbox.url}/sandbox/calls")
        assert 200 == status


async def test_everything_answered_survives_a_kill(tmp_path):
    """Kill -9 in the middle of a storm of calls: whatever a caller was told stands in the file."""
    path = tmp_path / "journal"
    program = textwrap.dedent("""
        import asyncio, sys, pathlib
        from relay.sandbox import Sandbox, SandboxOptions
        async def main():
            async with Sandbox(SandboxOptions(port=0, journal=pathlib.Path(sys.argv[1]))) as sandbox:
                print(sandbox.mensatek_url, flush=True)
                await asyncio.Event().wait()
        asyncio.run(main())
    """)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(path), stdout=asyncio.subprocess.PIPE
    )
    url = (await process.stdout.readline()).decode().strip()
    told = await _storm(url, enough=60, at_end=lambda: os.kill(process.pid, signal.SIGKILL))
    await process.wait()
    complete = path.read_bytes().rpartition(b"\n")[0].splitlines()
    taken = {mail["mailbox"] for line in map(json.loads, complete) for mail in line.get("mails", ())}
    assert len(told) >= 60
    assert told <= taken


async def _storm(url, *, enough, at_end):
    async with calling() as caller:  # only for its session
        told = set()

        async def call_on(worker):
            for number in range(1000):
                address = f"w{worker}n{number}@example.net"
                try:
                    await caller.request(
                        "POST", f"{url}/EnviarEMAIL", json=email(address), headers=basic("demo-user:demo-token")
                    )
                except (OSError, aiohttp.ClientError):
                    return
                told.add(address)
                if len(told) == enough:
                    at_end()

        await asyncio.gather(*(call_on(worker) for worker in range(8)))
        return told


async def test_many_writers_share_syncs_and_all_lines_are_there(tmp_path):
    file = JournalFile(tmp_path / "journal")
    await asyncio.gather(*(file.write({"n": number}) for number in range(200)))
    assert set(range(200)) == {line["n"] for line in lines(tmp_path / "journal")}
    file.close()


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="needs /dev/full")
async def test_when_the_disk_is_full_nobody_is_told_that_all_is_well():
    async with calling(journal=pathlib.Path("/dev/full")) as caller:
        for _ in range(2):
            url = f"{caller.sandbox.mensatek_url}/EnviarEMAIL"
            status, _, _ = await caller.request("POST", url, json=email(), headers=basic("demo-user:demo-token"))
            assert 500 == status
