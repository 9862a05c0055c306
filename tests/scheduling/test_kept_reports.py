"""The files of frozen reports: made of a cut, kept by content, given out byte for byte."""

from __future__ import annotations

import hashlib
import html
import re
from urllib.parse import urljoin

import pytest

from events import errors
from events.entries import instant, rfc3339
from services.evidence import opening as stores
from services.evidence.upkeep import sweep
from services.scheduling.freezing import cut_at
from services.scheduling.reports import freezer
from services.settings import Settings
from tests.scheduling.conftest import BULLETIN, routine
from tests.support import scenario

MONDAY = "2017-11-20T09:00:05+08:00"
WEEK = "2017-W46"
CONTENT = b"%PDF fictional"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def frozen(office):
    """A service with one frozen bulletin of one commitment."""
    office.clock.set("2017-11-16T16:00:00+08:00")
    office.submit(list(scenario.delegated(scenario.loop("A")[:5])))
    office.at(MONDAY)
    return office


class NoViews:
    """Read models that are not there yet."""

    def snapshot(self, _name):
        """Refuse."""
        raise errors.Unavailable("projection_not_ready")


def kept(office, file) -> bytes:
    """Return a kept file from the store that the settings name."""
    store = stores.open_reports(office.service.ledger.settings)
    return b"".join(store.read(file["sha256"], start=0, end=file["size"]))


def by_hand(office, name, period, *, unit=None, edition=1, **more):
    """Freeze a report as the office does: with files of its own making."""
    head = office.service.ledger.store.head()
    last = period if edition == 1 else f"{period}~{edition}"
    stream = "/".join(filter(None, ("report", name, unit, last)))
    cut = office.issue(WEEK)["cut"]
    data = {
        "name": name,
        "period": period,
        "unit": unit,
        "edition": edition,
        "cut": {**cut, "position": head.size},
        "files": [{"format": "pdf", "sha256": DIGEST}],
    }
    data = {key: value for key, value in data.items() if value is not None}
    event = scenario.event(
        "henji.report.frozen.v1", stream, data, event_id=stream, time=office.clock.now
    )
    office.service.ledger.submit_as_operator(event)


def get(office, path, **headers):
    """GET a path, whatever the answer."""
    return office.client.get(f"/v1/frozen/{path}", headers=office.headers | headers)


def test_the_same_cut_gives_the_same_files(frozen):
    """After a crash before the event, or without read models, nothing else is made."""
    ledger = frozen.service.ledger
    store = stores.open_reports(ledger.settings)
    cut = cut_at(ledger.store, instant("2017-11-20T09:00:00+08:00"))
    before = {piece.sha256 for piece in store.kept()}
    for views in (frozen.service.views, NoViews()):
        again = freezer(ledger.store, views, store)(BULLETIN, WEEK, cut)
        assert {file["sha256"] for file in again.files} == before
    assert {piece.sha256 for piece in store.kept()} == before
    assert not list(store.staging.iterdir())


def test_no_sweep_of_evidence_takes_a_frozen_file(frozen):
    """They have no event of evidence each, and stay all the same."""
    ledger = frozen.service.ledger
    swept = sweep(
        ledger, stores.open_evidence(ledger.settings), now=2**62, older_than=0
    )
    assert (swept.orphans, swept.kept) == (0, 0)
    assert frozen.files(WEEK)


def test_frozen_reports_lie_below_evidence_wherever_that_is(tmp_path, monkeypatch):
    """In a bucket they have a prefix of their own, which evidence is not listed by."""
    opened = []
    monkeypatch.setattr(
        stores, "S3Store", lambda bucket, staging: opened.append((bucket, staging))
    )
    url = "s3://files/henji?region=x"
    stores.open_reports(Settings(data_dir=tmp_path, evidence_s3_url=url))
    ((bucket, staging),) = opened
    assert (bucket.name, bucket.prefix) == ("files", "henji/reports/")
    assert staging == tmp_path / "evidence" / "reports" / "incoming"


def test_a_file_says_what_it_is(frozen):
    """Its digest is tag and header, its cut is named, and it is shown only where safe."""
    (file,) = [f for f in frozen.issue(WEEK)["files"] if f["format"] == "html"]
    answer = frozen.get(file["href"])
    assert answer.headers["etag"] == f'"{file["sha256"]}"'
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        f'inline; filename="{BULLETIN}-{WEEK}.html"'
    )
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["henji-position"] == str(
        frozen.issue(WEEK)["cut"]["position"]
    )
    tag = {"If-None-Match": answer.headers["etag"]}
    again = get(frozen, f"{BULLETIN}.html?period={WEEK}", **tag)
    assert (again.status_code, again.content) == (304, b"")


def test_a_damaged_file_is_never_given_out(frozen):
    """What does not have the digest is an error, not a report."""
    (file,) = [f for f in frozen.issue(WEEK)["files"] if f["format"] == "pdf"]
    folder = frozen.service.ledger.settings.data_dir / "evidence" / "reports"
    (path,) = folder.rglob(file["sha256"])
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = get(frozen, f"{BULLETIN}.pdf?period={WEEK}")
    assert answer.status_code >= 500
    assert answer.json()["code"] == "evidence_damaged"


def test_what_was_frozen_by_hand_is_found_where_it_was_uploaded(frozen):
    """Without its bytes the log has a digest alone; as evidence they are given out."""
    by_hand(frozen, "countdown", "2017-11-20")
    path = "countdown.pdf?period=2017-11-20"
    answer = get(frozen, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "report_file_not_kept")
    spec = {"scopes": ["events:read", "evidence:write"], "roles": ["office"]}
    done = frozen.client.put(
        f"/v1/evidence/{DIGEST}",
        content=CONTENT,
        headers=frozen.key(**spec) | {"Content-Type": "application/pdf"},
    )
    assert done.status_code == 201, done.text
    answer = get(frozen, path)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-disposition"].startswith("attachment")


def test_the_newest_edition_is_the_one_that_is_given_out(frozen):
    """An edition that takes another's place is found first; the first stays."""
    by_hand(frozen, BULLETIN, WEEK, edition=2)
    newest = get(frozen, f"{BULLETIN}.pdf?period={WEEK}")
    assert newest.json()["code"] == "report_file_not_kept"
    first = get(frozen, f"{BULLETIN}.pdf?period={WEEK}&edition=1")
    assert first.status_code == 200
    size = frozen.service.ledger.store.head().size
    path = f"/v1/frozen/{BULLETIN}"
    page = frozen.get(path, as_of=size, limit=1).json()
    assert [row["edition"] for row in page["data"]] == [2]
    assert page["has_more"]
    rest = frozen.get(path, as_of=size, before=page["data"][-1]["position"]).json()
    assert [row["edition"] for row in rest["data"]] == [1]
    then = frozen.get(path, as_of=page["data"][0]["position"] - 1).json()
    assert [row["edition"] for row in then["data"]] == [1]


def test_a_unit_meets_what_it_owes_by_its_own_report(frozen):
    """The brief of its office meets what it owes; that of the zone, or another's, does not."""
    frozen.service.ledger.submit_as_operator(routine(first_day="2017-11-21"))
    frozen.at("2017-11-21T12:00:00+08:00")
    obligation = "obligation/daily_brief/gouzhao/2017-11-21"
    state = frozen.service.ledger.state_of
    for unit in (None, "hq"):
        by_hand(frozen, "daily_brief", "2017-11-21", unit=unit)
        frozen.at("2017-11-21T12:01:00+08:00")
        assert state(obligation).status == "scheduled"
    frozen.clock.set("2017-11-21T13:00:00+08:00")
    by_hand(frozen, "daily_brief", "2017-11-21", unit="gouzhao")
    frozen.at("2017-11-21T20:00:00+08:00")
    assert state(obligation).status == "met"
    assert rfc3339(state(obligation).met_at) == "2017-11-21T05:00:00.000000Z"


@pytest.mark.parametrize("place", ["reports", "frozen"])
def test_the_links_of_a_page_lead_to_events_wherever_it_is_read(frozen, place):
    """Frozen or made anew, the same page opens its figures to the events behind them."""
    cut = frozen.issue(WEEK)["cut"]
    when = {"as_of": cut["position"], "as_at": cut["instant"], "at": cut["instant"]}
    asked = when | {"lang": "zh"} if place == "reports" else {}
    path = f"/v1/{place}/{BULLETIN}.html"
    page = frozen.get(path, period=WEEK, **asked).text
    links = [html.unescape(link) for link in re.findall('href="([^"#]+)"', page)]
    assert len(links) > 3
    for link in links[:3]:
        assert frozen.get(urljoin(path, link)).json()["count"] > 0
