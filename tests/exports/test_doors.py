"""The doors: HTTP with its headers and refusals, and the command line."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from types import SimpleNamespace

import anyio
import pytest
import typer
from starlette.testclient import TestClient
from typer.testing import CliRunner

from events import errors
from events.merkle import root_of
from events.store import Selection
from services.api import exports
from services.app import create_app
from services.exports import command, formats
from services.keyring import KeySpec, create_key
from services.running import running
from services.settings import Settings
from tests.exports.conftest import small_events
from tests.support import scenario

BATCH = "application/cloudevents-batch+json"


def key(service, **spec):
    """Create a key; return the headers that present it."""
    given = {"name": "test", "roles": ["adapter"], "scopes": scenario.ALL_SCOPES}
    spec = KeySpec(**{**given, **spec})
    _, shown = create_key(service.ledger, spec, random_bytes=secrets.token_bytes)
    return {"Authorization": f"Bearer {shown}"}


@pytest.fixture
def door(tmp_path):
    """A service on the small log: its client, a key's headers, its data folder."""
    settings = Settings(data_dir=tmp_path / "ledger", origin=scenario.ORIGIN)
    with (
        running(settings) as service,
        TestClient(create_app(service), raise_server_exceptions=False) as client,
    ):
        for event in scenario.groundwork():
            service.ledger.submit_as_operator(event)
        headers = key(service)
        body = json.dumps(small_events()).encode()
        answer = client.post(
            "/v1/events", content=body, headers=headers | {"Content-Type": BATCH}
        )
        assert answer.status_code == 201, answer.text
        client.headers.update(headers)
        yield SimpleNamespace(service=service, client=client, folder=settings.data_dir)


@pytest.mark.parametrize("name", sorted(formats.FORMATS))
def test_each_format_is_served_with_its_cut(door, name):
    """Headers name position and root; the same position gives the same bytes."""
    store = door.service.ledger.store
    answer = door.client.get(f"/v1/exports/{name}")
    assert answer.status_code == 200, answer.text
    size = store.head().size
    assert answer.headers["Henji-Position"] == str(size)
    root = root_of(store.leaves(start=0, end=size))
    assert answer.headers["Henji-Root"] == root.hex()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"].startswith(
        formats.find(name).media.split(";")[0]
    )
    disposition = answer.headers["Content-Disposition"]
    assert disposition == (
        f'attachment; filename="henji-{size}{formats.find(name).suffix}"'
    )
    note = door.client.get(answer.headers["Link"].split(">")[0][1:]).text
    assert note.splitlines()[1] == str(size)
    later = door.service.ledger.submit_as_operator(scenario.unit_created("later"))
    assert later.position == size + 1
    again = door.client.get(f"/v1/exports/{name}", params={"as_of": str(size)})
    assert again.content == answer.content
    assert again.headers["Henji-Root"] == root.hex()


def test_filters_are_those_of_lists(door):
    """Each entry of a filtered list, and no other, verbatim."""
    query = {"type": "henji.issue.*", "occurred_at[gte]": "2017-11-15T00:00:00Z"}
    listed = door.client.get("/v1/events", params=query | {"order": "asc"}).json()
    export = door.client.get("/v1/exports/ndjson", params=query)
    told = [json.loads(line) for line in export.content.splitlines()]
    assert told == [one["entry"] for one in listed["data"]]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/exports/docx", 404, "export_format_unknown"),
        ("/v1/exports/csv?as_of=999999", 400, "position_ahead"),
        ("/v1/exports/csv?as_of=yesterday", 400, "invalid_parameter"),
        ("/v1/exports/csv?tpye=x", 400, "invalid_parameter"),
        ("/v1/exports/csv?limit=5", 400, "invalid_parameter"),
        ("/v1/exports/csv?raw=maybe", 400, "invalid_parameter"),
        ("/v1/exports/oscal-poam?type=henji.*", 400, "export_filter_unfit"),
        ("/v1/exports/oscal-poam?as_of=1", 404, "export_nothing"),
        ("/open311/v2/requests.csv", 400, "invalid_parameter"),
        ("/open311/v2/requests.json?status=done", 400, "invalid_parameter"),
        ("/open311/v2/requests.json?start_date=then", 400, "invalid_parameter"),
        ("/open311/v2/requests/W-9.json", 404, "open311_request_unknown"),
    ],
)
def test_what_cannot_be_given_is_a_problem(door, path, status, code):
    """A problem document with its code, before any byte of an export."""
    answer = door.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_missing_extra_is_not_implemented(door, monkeypatch):
    """501 with the name of the extra."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = door.client.get("/v1/exports/parquet")
    assert answer.status_code == 501
    assert answer.json()["code"] == "export_extra_missing"
    assert answer.json()["status"] == 501


@pytest.mark.parametrize(
    "path",
    ["/v1/exports/csv", "/open311/v2/services.xml", "/open311/v2/requests.json"],
)
def test_a_key_that_may_read_is_needed(door, path):
    """Without one, and with one that may only write, nothing is shown."""
    door.client.headers.pop("Authorization")
    assert door.client.get(path).status_code == 401
    writer = key(door.service, scopes=["events:write"])
    assert door.client.get(path, headers=writer).status_code == 403


def test_an_export_is_on_record(door):
    """The security log says who took which cut."""
    door.client.get("/v1/exports/csv", params={"as_of": "7"})
    lines = (door.folder / "security.log").read_text("ascii").splitlines()
    told = [json.loads(line) for line in lines]
    (exported,) = [line for line in told if line["event"] == "log_exported"]
    assert (exported["format"], exported["position"]) == ("csv", 7)
    assert exported["key"]


@pytest.mark.parametrize("stops", [True, False])
def test_who_is_not_served_to_the_end_leaves_nothing(stops):
    """A service that stops breaks off, a client may leave: the export is closed."""
    closed = []

    def content():
        try:
            yield from (b"2", b"3")
        finally:
            closed.append(True)

    async def serve():
        stopping = anyio.Event()
        desk = SimpleNamespace(stopping=stopping)
        running_export = content()
        first = next(running_export)
        sent = exports._sent(desk, first, running_export)
        assert await anext(sent) == b"2"
        if stops:
            stopping.set()
            with pytest.raises(errors.Unavailable) as caught:
                await anext(sent)
            assert caught.value.code == "export_broken_off"
        else:
            assert await anext(sent) == b"3"
            await sent.aclose()
        # Held until here: it was closed on purpose, not for want of a reference.
        assert closed == [True]
        return running_export

    anyio.run(serve)


@pytest.mark.parametrize("name", ["ocel-sqlite", "xes"])
def test_a_service_that_stops_does_not_begin_an_export(door, name):
    """Also where a format works long before its first byte."""
    stopping = SimpleNamespace(is_set=lambda: True)
    desk = SimpleNamespace(ledger=door.service.ledger, stopping=stopping)
    job = exports._job(desk, Selection(), None)
    with pytest.raises(errors.Unavailable) as caught:
        list(formats.find(name).write(job))
    assert caught.value.code == "export_broken_off"


def test_requests_over_http(door):
    """Both notations, by id, by date; one date alone spans ninety days."""
    path = "/open311/v2/requests"
    found = door.client.get(f"{path}.json")
    assert [one["service_request_id"] for one in found.json()] == ["W-3", "W-2", "W-1"]
    assert found.headers["Henji-Position"]
    one = door.client.get(f"{path}/W-1.json").json()
    assert [record["status"] for record in one] == ["open"]
    assert door.client.get(f"{path}.xml").content.startswith(b"<?xml")
    for query, ids in (
        ({"service_request_id": "W-1,W-2"}, ["W-2", "W-1"]),
        ({"start_date": "2017-11-16T07:00:00Z"}, ["W-3", "W-2"]),
        ({"start_date": "2017-08-15T00:00:00Z"}, []),
        ({"end_date": "2017-11-16T07:00:00Z"}, ["W-2", "W-1"]),
        ({"end_date": "2018-06-01T00:00:00Z"}, []),
        ({"service_code": "road_dust,open_burning"}, ["W-2"]),
        ({"status": "closed"}, []),
        ({"jurisdiction_id": "example.org"}, ["W-3", "W-2", "W-1"]),
    ):
        told = door.client.get(f"{path}.json", params=query).json()
        assert [record["service_request_id"] for record in told] == ids, query


def test_services_over_http(door):
    """The categories, in the language asked for."""
    told = door.client.get(
        "/open311/v2/services.json", headers={"Accept-Language": "zh"}
    ).json()
    assert told[0]["service_name"] == "裸露土方未覆盖"
    assert b"<service_code>" in door.client.get("/open311/v2/services.xml").content


@pytest.fixture
def henji():
    """Return what runs the command; other commands are not needed here."""
    app = typer.Typer()
    command.register(app)
    app.command("nothing")(lambda: None)
    return lambda *given: CliRunner().invoke(app, ["export-log", *map(str, given)])


def test_the_command_writes_one_file(door, henji, tmp_path):
    """The bytes of the same cut as over HTTP; what was written is told as JSON."""
    output = tmp_path / "log.xes"
    size = door.service.ledger.store.head().size
    told = henji("xes", "-o", output, "--as-of", size, "--data-dir", door.folder)
    assert told.exit_code == 0, told.output
    written = json.loads(told.stdout)
    content = output.read_bytes()
    assert content == door.client.get(f"/v1/exports/xes?as_of={size}").content
    assert written["sha256"] == hashlib.sha256(content).hexdigest()
    assert (written["size"], written["position"]) == (len(content), size)


def test_the_command_names_every_format(henji):
    """Its help lists what there is."""
    told = " ".join(henji("--help").output.replace("│", " ").split())
    assert all(name in told for name in formats.FORMATS)


def test_a_command_that_fails_leaves_no_file(door, henji, tmp_path):
    """Neither the file nor half of it; the error is ours."""
    output = tmp_path / "out" / "plan.json"
    output.parent.mkdir()
    given = ("-o", output, "--data-dir", door.folder)
    for name, extra, code in (
        ("oscal-poam", ("--as-of", 1), "export_nothing"),
        ("oscal-poam", ("--type", "henji.*"), "export_filter_unfit"),
        ("docx", (), "export_format_unknown"),
    ):
        told = henji(name, *given, *extra)
        assert isinstance(told.exception, errors.HenjiError)
        assert told.exception.code == code
    assert list(output.parent.iterdir()) == []
