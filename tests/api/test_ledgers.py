"""Several ledgers in one deployment: nothing of one is seen, or written, through another."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx2
import pytest
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict
from starlette.testclient import TestClient

from events.errors import HenjiError
from services.ledgers import Ledgers
from services.running import running
from services.serving import served
from services.settings import (
    Settings,
    as_environment,
    from_environment,
    further_ledgers,
)
from services.wiring import install_postgres
from tests.api.conftest import STRUCTURED, Api
from tests.support import scenario

FILE = """
[east]
origin = "log.example/east"

[west]
origin = "log.example/west"
events_per_minute = 3
bytes_per_minute = 100000
"""


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a deployment of three ledgers."""
    path = tmp_path / "ledgers.toml"
    path.write_text(FILE)
    return from_environment(
        {
            "HENJI_DATA_DIR": str(tmp_path / "data"),
            "HENJI_ORIGIN": scenario.ORIGIN,
            "HENJI_LEDGERS": str(path),
            "HENJI_PROJECTION": "thread",
        }
    )


@pytest.fixture
def deployment(settings):
    """Yield a client of each ledger, by its name; the default one is ""."""
    with deployed(settings) as found:
        yield found


@contextmanager
def deployed(settings):
    """Serve every ledger of these settings, in process."""
    every = {"": settings, **further_ledgers(settings)}
    with ExitStack() as stack:
        services = {n: stack.enter_context(running(one)) for n, one in every.items()}
        app = Ledgers(list(services.values()))
        client = stack.enter_context(TestClient(app, raise_server_exceptions=False))
        found = {name: At(one, client, base=name) for name, one in services.items()}
        for api in found.values():
            api.headers = api.key()
            # Until the read models are there, nothing of them is "not found".
            service = api.service
            service.reach(service.ledger.store.head().size, seconds=20)
        yield found


@dataclass
class At(Api):
    """A client that asks one ledger, at its own address."""

    base: str = ""

    def at(self, path: str) -> str:
        """Return the outer address of a path of this ledger."""
        return (
            f"/v1/ledgers/{self.base}{path.removeprefix('/v1')}" if self.base else path
        )

    def get(self, path, headers=None, **query):
        """GET a path of this ledger."""
        return super().get(self.at(path), headers, **query)

    def post(self, body, kind=STRUCTURED, *, path="/v1/events", **more):
        """POST to this ledger."""
        return super().post(body, kind, path=self.at(path), **more)


def prepared(api):
    """Register the external type of the scenario and submit one event of it."""
    api.load([scenario.type_registered(), scenario.external(1)])
    return scenario.external(1)["id"]


def test_each_ledger_has_its_own_origin_keys_and_positions(deployment):
    """Three ledgers, three logs: each signs for its origin and counts from one."""
    keys = set()
    for name, api in deployment.items():
        prepared(api)
        checkpoint = api.get("/log/checkpoint").text
        expected = f"log.example/{name}" if name else scenario.ORIGIN
        assert checkpoint.splitlines()[0] == expected
        assert checkpoint.splitlines()[1] == "4"
        keys.add(api.get("/log/keys").text)
    assert len(keys) == 3


def test_a_key_of_one_ledger_is_no_key_of_another(deployment):
    """The same header is refused everywhere but in its own ledger, to read and write."""
    east, west, default = (deployment[name] for name in ("east", "west", ""))
    for other in (west, default):
        assert other.get("/v1/me", east.headers).status_code == 401
        answer = other.post(scenario.external(5), headers=east.headers)
        assert (answer.status_code, answer.json()["code"]) == (
            401,
            "credentials_invalid",
        )
    assert east.get("/v1/me").status_code == 200


def test_ledgers_share_a_database_and_a_role_but_nothing_else(settings, postgres_dsns):
    """In PostgreSQL each has its schema; ids, keys and boards of one stay its own."""
    owner, writer = postgres_dsns
    settings = replace(settings, database_url=writer)
    role = conninfo_to_dict(writer)["user"]
    for one in (settings, *further_ledgers(settings).values()):
        install_postgres(owner, schema=one.database_schema, writer_role=role)
    with deployed(settings) as found:
        east, west = found["east"], found["west"]
        inhabited(east)
        assert west.get("/v1/commitments/P-1").status_code == 404
        assert west.get("/v1/me", east.headers).status_code == 401
        assert west.get("/log/checkpoint").text.splitlines()[1] == "2"


#: What names one thing of a ledger in a path; "": the path names nothing of a ledger.
PLACES = {
    "{event_id}": "call-1",
    "{position}": "8",
    "{kind}/{key}": "commitment/P-1",
    "{key}": "P-1",
    "event-types/{name}": f"event-types/{scenario.EXTERNAL}",
    "{sha256}": hashlib.sha256(b"a picture").hexdigest(),
}


def test_an_id_of_another_ledger_is_not_found_on_any_route(deployment):
    """Every documented route that names a thing answers 404 for another ledger's."""
    east, west = deployment["east"], deployment["west"]
    inhabited(east)
    asked = set()
    for path, verbs in east.get("/openapi.json").json()["paths"].items():
        filled = path
        for place, value in PLACES.items():
            filled = filled.replace(place, value)
        if "get" not in verbs or filled == path or "{" in filled:
            continue
        asked.add(path)
        found = east.get(filled)
        assert found.status_code == 200, (path, found.text)
        answer = west.get(filled)
        if path.endswith("/uses"):  # any digest may be asked for, stored or not
            assert (answer.json()["status"], answer.json()["data"]) == ("unknown", [])
            continue
        assert answer.status_code == 404, (path, answer.text)
        assert answer.json()["code"] != "route_not_found", path
    assert len(asked) >= 10, asked


def inhabited(api):
    """Fill a ledger with one of each thing that a path can name."""
    key = api.key(
        roles=["office", "headquarters"], unit="hq", scopes=scenario.ALL_SCOPES
    )
    api.load([*map(scenario.unit_created, scenario.UNITS), scenario.type_registered()])
    api.load([scenario.external(1)])
    promise = scenario.commitment("registered", "P-1", scenario.registered())
    posted = api.post(promise, headers=key)
    assert posted.status_code == 201, posted.text
    evidence = api.client.put(
        api.at("/v1/evidence"),
        content=b"a picture",
        headers=api.key(scopes=["evidence:write"]) | {"Content-Type": "image/png"},
    )
    assert evidence.status_code == 201, evidence.text
    head = evidence.json()["position"]
    assert api.get("/v1/commitments/P-1", min_position=head).status_code == 200


def test_the_same_event_counts_in_each_ledger_for_itself(deployment):
    """(source, id) is unique in a ledger, not in a deployment."""
    answers = []
    for api in deployment.values():
        api.load([scenario.type_registered()])
        answers.append(api.post(scenario.external(1)))
    assert [answer.status_code for answer in answers] == [201, 201, 201]


def test_addresses_in_answers_lead_back_into_the_same_ledger(deployment):
    """Location, links to next pages and hrefs in bodies can be followed as they stand."""
    east = deployment["east"]
    east.load([scenario.type_registered()])
    posted = east.post(scenario.external(1))
    where = posted.headers["location"]
    assert where.startswith("/v1/ledgers/east/events/")
    assert east.client.get(where, headers=east.headers).json()["id"]
    page = east.get("/v1/events", limit=1)
    following = page.headers["link"].partition(">")[0].removeprefix("<")
    assert east.client.get(following, headers=east.headers).status_code == 200
    reports = east.get("/v1/reports").json()["data"]
    href = reports[0]["href"].replace("{format}", "json")
    assert href.startswith("/v1/ledgers/east/reports/")
    assert east.client.get(href, headers=east.headers).status_code == 200


def test_a_problem_names_the_address_that_was_asked(deployment):
    """`instance` is the client's path; an unknown ledger is 404 with its own code."""
    east = deployment["east"]
    missing = east.get("/v1/events/nothing").json()
    assert missing["instance"] == "/v1/ledgers/east/events/nothing"
    for path in ("/v1/ledgers/north/events", "/v1/ledgers/", "/v1/ledgers/east"):
        answer = east.client.get(path, headers=east.headers)
        assert answer.status_code == 404, path
    unknown = east.client.get("/v1/ledgers/north/events")
    assert unknown.json()["code"] == "ledger_unknown"


def test_a_ledger_takes_no_more_than_its_quota(deployment):
    """The fourth event of a minute is 429 and says when; the neighbours go on."""
    east, west = deployment["east"], deployment["west"]
    for api in (east, west):
        api.load([scenario.type_registered()])
    first = west.post(scenario.external(1))
    assert "r=1;t=" in first.headers["ratelimit"]
    assert '"events";q=3;w=60' in first.headers["ratelimit-policy"]
    assert west.post(scenario.external(2)).status_code == 201
    over = west.post(scenario.external(3))
    assert (over.status_code, over.json()["code"]) == (429, "quota_exceeded")
    assert int(over.headers["retry-after"]) >= 1
    assert west.get("/v1/events/" + scenario.external(3)["id"]).status_code == 404
    for number in range(1, 9):
        assert east.post(scenario.external(number)).status_code == 201
    assert "ratelimit" not in east.post(scenario.external(9)).headers


def test_a_quota_of_bytes_counts_bodies(settings, start):
    """Bytes are counted as they were sent, whatever is decided about them."""
    api = start(bytes_per_minute=2_000)
    api.load([scenario.type_registered()])
    large = scenario.external(1) | {"note": "x" * 1_500}
    assert api.post(large).status_code == 429
    assert api.post(scenario.external(2)).status_code == 201


def test_the_log_of_a_named_ledger_is_verified_at_its_address(settings):
    """`henji verify URL/v1/ledgers/east/log` recomputes that log over TCP."""
    every = [settings, *further_ledgers(settings).values()]
    with ExitStack() as stack:
        services = [stack.enter_context(running(one)) for one in every]
        url = stack.enter_context(served(*services, host="127.0.0.1"))
        client = stack.enter_context(httpx2.Client(base_url=url))
        east = Api(services[1], client)
        east.headers = east.key()
        answer = east.post(scenario.type_registered(), path="/v1/ledgers/east/events")
        assert answer.status_code == 201
        vkey = services[1].ledger.keys.vkeys[0]
        target = f"{url}/v1/ledgers/east/log"
        command = ["verify", target, "--vkey", vkey, "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "services", *command],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert '"size": 3' in done.stdout


def test_a_command_works_on_the_ledger_that_is_named(settings):
    """HENJI_LEDGER chooses; a child process of that ledger chooses no other."""
    environment = {
        "HENJI_DATA_DIR": str(settings.data_dir),
        "HENJI_LEDGERS": settings.ledgers,
        "HENJI_LEDGER": "east",
    }
    east = from_environment(environment)
    assert east.origin == "log.example/east"
    assert east.data_dir == settings.data_dir / "ledgers" / "east"
    assert east.database_schema == "henji_east"
    assert east.kafka_topic == "henji.events.east"
    child = from_environment(as_environment(east))
    assert (child.data_dir, child.origin) == (east.data_dir, east.origin)
    with pytest.raises(HenjiError) as refusal:
        from_environment(environment | {"HENJI_LEDGER": "north"})
    assert refusal.value.code == "ledger_unknown"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("[east]", "origin"),
        ('["East"]\norigin = "a"', "[East]"),
        ('[east]\norigin = "a"\nport = 1', "port"),
        ('[east]\norigin = "a"\n[west]\norigin = "a"', "origin"),
        (
            '[a]\norigin = "a"\ndata_dir = "x"\n[b]\norigin = "b"\ndata_dir = "x"',
            "data_dir",
        ),
        ('[east]\norigin = "a"\nmax_events = "many"', "max_events"),
        ("[east", "Expected"),
    ],
    ids=["no-origin", "name", "shared", "same-origin", "same-folder", "type", "toml"],
)
def test_a_file_of_ledgers_that_would_mix_them_is_refused(tmp_path, text, detail):
    """Each mistake is told by the table and the setting that has it."""
    path = tmp_path / "ledgers.toml"
    path.write_text(text)
    with pytest.raises(HenjiError) as refusal:
        further_ledgers(Settings(ledgers=str(path)))
    assert refusal.value.code == "ledgers_invalid"
    assert detail in refusal.value.detail


def test_evidence_of_two_ledgers_never_shares_a_folder(tmp_path):
    """Where the deployment names a folder of evidence, each ledger must name its own."""
    path = tmp_path / "ledgers.toml"
    path.write_text('[east]\norigin = "a"\n')
    with pytest.raises(HenjiError) as refusal:
        further_ledgers(Settings(ledgers=str(path), evidence_dir="/srv/evidence"))
    assert "evidence_dir" in refusal.value.detail


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('[views]\norigin = "a"\n', "database_schema"),
        ('[east]\norigin = "a"\ndatabase_schema = "henji"\n', "database_schema"),
        ('[position]\norigin = "a"\n', "kafka_topic"),
        ('[east]\norigin = "a"\nkafka_topic = "henji.events"\n', "kafka_topic"),
        ('[east]\norigin = "a"\nevidence_dir = "henji-data"\n', "evidence_dir"),
    ],
    ids=["schema-of-read-models", "schema", "topic-of-positions", "topic", "folder"],
)
def test_two_ledgers_never_share_a_place(tmp_path, text, setting):
    """Neither by a setting of their own nor by a name that is made of their name."""
    path = tmp_path / "ledgers.toml"
    path.write_text(text)
    url = "postgresql://db/henji"
    shared = Settings(ledgers=str(path), database_url=url, kafka="broker:9092")
    with pytest.raises(HenjiError) as refusal:
        further_ledgers(shared)
    assert refusal.value.code == "ledgers_invalid"
    assert setting in refusal.value.detail


def test_the_same_schema_in_two_databases_is_two_places(tmp_path):
    """Names collide only where they are in the same database."""
    path = tmp_path / "ledgers.toml"
    own = 'database_url = "postgresql://other/henji"\ndatabase_schema = "henji"\n'
    path.write_text(f'[east]\norigin = "a"\n{own}')
    shared = Settings(ledgers=str(path), database_url="postgresql://db/henji")
    assert further_ledgers(shared)["east"].database_schema == "henji"
