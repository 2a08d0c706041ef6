"""What the chief, the auditor and other programs get."""

import io
import json
import re
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pypdf
import pytest
from audit_town import address_of
from typer.testing import CliRunner

from compliance.checks.model import severity
from compliance.checks.registry import CHECKS, IDS, judge
from compliance.cli import app
from compliance.errors import UserError
from compliance.pdf import render_pdf
from compliance.probes.facts import Device, SealFacts, from_json, to_json
from compliance.report.document import render_html
from compliance.report.view import first_page
from compliance.texts import Text, written


@pytest.fixture
def broken(facts):
    """Łukasz Nowak is not reached from outside, and a protected person has no mailbox."""
    probes = tuple(
        replace(p, outcome="refused", detail="550 5.1.1 <script>alert(1)</script>")
        if p.recipient == address_of("10002") and p.origin == "external"
        else p
        for p in facts.arrival.probes
    )
    people = tuple(
        replace(item, mailbox=None) if item.id == "10003" else item
        for item in facts.directory.people
    )
    return replace(
        facts,
        arrival=replace(facts.arrival, probes=probes),
        directory=replace(facts.directory, people=people),
        web=None,
    )


def run(tmp_path, facts, *words: str):
    file = tmp_path / "facts.json"
    file.write_bytes(to_json(facts))
    return CliRunner().invoke(app, ["audit", "--facts", str(file), *words])


def test_facts_survive_being_kept(facts):
    assert from_json(to_json(facts), "here") == facts


def test_the_report_carries_what_the_log_was_sealed_with(facts):
    def told(seal):
        return render_html(replace(facts, seal=seal), judge(facts, list(CHECKS)), "sv")

    page = told(facts.seal)
    assert "förseglad till och med den 23 november 2026" in page
    assert facts.seal.sha256 in page
    assert "Ingen dag" in told(replace(facts.seal, number=None))
    away = replace(facts.seal, seen=replace(facts.seal.seen, error="away"))
    assert "försegling kunde inte läsas" in told(away)


def test_json_has_the_promised_shape(tmp_path, broken):
    done = run(tmp_path, broken, "--format", "json")
    told = json.loads(done.stdout)
    assert told["status"] == "fail"
    assert [control["id"] for control in told["controls"]] == [*IDS]
    first = told["controls"][0]
    assert {"id", "clause", "status", "population", "measured", "findings"} <= set(first)
    assert first["clause"] == "BREVLÅDOR"
    assert [item["subject"] for item in first["findings"]] == [
        address_of("10002"), "Referens 10003"]  # fmt: skip
    english = json.loads(run(tmp_path, broken, "--format", "json", "--lang", "en").stdout)
    assert "is not reached" in english["controls"][0]["findings"][0]["message"]


def test_exit_status_says_how_it_went(tmp_path, facts, broken):
    assert run(tmp_path, facts).exit_code == 0
    assert run(tmp_path, broken).exit_code == 1
    assert run(tmp_path, replace(facts, web=None)).exit_code == 3
    assert run(tmp_path, broken, "--control", "B2").exit_code == 0


def test_what_is_written_to_a_device_or_through_a_link_leaves_it_what_it_is(
    tmp_path, facts, make_device
):
    null = make_device("null", 1, 3)
    assert run(tmp_path, facts, "--format", "json", "--output", str(null)).exit_code == 0
    assert null.is_char_device()
    target, link = tmp_path / "audit.json", tmp_path / "latest.json"
    target.write_text("before", encoding="utf-8")
    link.symlink_to(target)
    assert run(tmp_path, facts, "--format", "json", "--output", str(link)).exit_code == 0
    assert link.is_symlink()
    assert json.loads(target.read_bytes())["status"] == "pass"


def test_a_report_is_its_owners_alone_whatever_was_left_beside_it(tmp_path, facts):
    (tmp_path / ".audit.json.part").touch(mode=0o644)
    assert run(tmp_path, facts, "--output", str(tmp_path / "audit.json")).exit_code == 0
    assert (tmp_path / "audit.json").stat().st_mode & 0o777 == 0o600


def test_a_folder_is_told_to_be_no_file_and_nothing_is_left_behind(tmp_path, facts):
    (tmp_path / "folder").mkdir()
    done = run(tmp_path, facts, "--output", str(tmp_path / "folder"))
    assert isinstance(done.exception, UserError)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "facts.json"}


def test_the_table_names_what_is_wrong(tmp_path, broken):
    table = run(tmp_path, broken).stdout
    assert "✗ Brister" in table
    assert address_of("10002") in table


def test_what_a_server_answers_steers_no_terminal(tmp_path, facts):
    probes = tuple(
        replace(probe, outcome="refused", detail="550 \x1b]0;x\x07\x1b[2Jno\u202e")
        for probe in facts.arrival.probes
    )
    told = run(tmp_path, replace(facts, arrival=replace(facts.arrival, probes=probes)), "--lang=en")
    assert "(550 [U+001B]]0;x[U+0007][U+001B][2Jno[U+202E])" in told.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(told.stdout)


def test_the_first_page_has_sentences_and_a_picture_to_be_heard(facts, broken):
    page = render_html(broken, judge(broken, list(CHECKS)), "sv")
    first = page.split('class="clauses"')[0]
    assert first.count("<li>") == 5
    assert "Sjövalla kommun följer inte sin e-\u2060poststrategi" in first
    assert "Utbildningsförvaltningen: 1 av 2 nås." in first.split("aria-label=")[1]
    sound = render_html(facts, judge(facts, list(CHECKS)), "en")
    assert "follows its e-mail strategy on every point tried" in sound.split("<h1>")[1]
    assert "24 November 2026" in sound


def test_the_page_is_whole_in_itself_and_says_its_language(broken):
    page = render_html(broken, judge(broken, list(CHECKS)), "sv")
    assert '<html lang="sv">' in page
    assert not re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?https?:', page)
    assert "<script" not in page, "what a server answers is text"
    headings = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert page.count("<th ") == page.count('scope="')


def test_clauses_without_controls_are_told_as_not_tried(facts):
    page = render_html(facts, judge(facts, list(CHECKS)), "sv")
    untried = page.split("<h2>Avsnitt som inte prövas</h2>")[1].split("<h2>")[0]
    assert "Strategi" in untried
    assert "Bevakning" not in untried
    assert "Prövas inte" in untried
    assert "Uppfyllt" not in untried


def test_the_pdf_can_be_read_aloud(broken):
    pdf = render_pdf(render_html(broken, judge(broken, list(CHECKS)), "sv"))
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    catalog = reader.trailer["/Root"]
    assert catalog["/Lang"] == "sv"
    assert catalog["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalog
    assert "/Metadata" not in catalog, "no claim of PDF/UA that nobody has validated"
    assert reader.metadata.title == (
        "Tillsynsrapport om elektronisk post – Sjövalla kommun, 24 november 2026"
    )
    assert "Łukasz Nowak" in "".join(page.extract_text() for page in reader.pages)


def test_the_first_page_holds_sentences_and_picture_together(facts):
    """As many administrations and boards as a municipality has, and its longest sentences."""
    unit = facts.directory.units[3]
    units = [replace(unit, id=f"f{n}", name=f"Förvaltning {n} med långt namn") for n in range(16)]
    people = [
        replace(facts.directory.people[0], dn=f"uid={n},ou=people,x", unit=f"f{n}")
        for n in range(16)
    ]
    devices = [Device(f"pc{n}", (f"uid={n},ou=people,x",), f"f{n}") for n in range(16)]
    directory = replace(
        facts.directory,
        units=(*facts.directory.units, *units),
        people=(*facts.directory.people, *people),
        devices=tuple(devices),
    )
    town = replace(facts, directory=directory)
    pdf = render_pdf(render_html(town, judge(town, list(CHECKS)), "sv"))
    first, second = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages[:2])
    assert "Förvaltning 15" in first
    assert second.startswith("Avsnitt för avsnitt")


@pytest.mark.parametrize(
    "name",
    [
        "Planförvaltningen",
        "Arbetsmarknads- och vuxenutbildningsförvaltningen",
        "Kultur-, fritids-, utbildnings- och arbetsmarknadsförvaltningen för de södra tätorterna",
    ],
)
def test_no_bar_covers_the_name_that_it_belongs_to(facts, name):
    units = tuple(
        replace(unit, name=name) if unit.id == "utbildning" else unit
        for unit in facts.directory.units
    )
    town = replace(facts, directory=replace(facts.directory, units=units))
    page = render_html(town, judge(town, list(CHECKS)), "sv")
    bars = re.findall(
        r'<text x="0"[^>]*>([^<]*)</text>\s*<rect x="([\d.]+)"[^>]* width="([\d.]+)"', page
    )
    assert any(name.startswith(told.rstrip("…")) for told, _, _ in bars)
    for told, left, width in bars:
        assert len(told) * 6.6 <= float(left), "as wide as Lato is on the average, at 14 px"
        assert float(left) + float(width) <= 580, "the figures stand beside it"
    assert f"{name}: 2 av 2 nås." in page, "read aloud it is whole"


def test_the_footer_shows_the_name_as_it_is_written(facts):
    name = 'Å & Ö "kommun" \\ <b>'
    pdf = render_pdf(render_html(replace(facts, municipality=name), [], "sv"))
    text = pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert f"{name} · Tillsynsrapport om elektronisk post" in text


def test_the_first_page_has_five_sentences_and_leaves_out_nothing_bad(facts, broken):
    for town in (facts, broken):
        results = judge(town, list(CHECKS))
        assert len(results) > 5
        chosen = first_page(results)
        assert len(chosen) == 5
        worst = max(severity(result.status) for result in chosen)
        left_out = [result for result in results if result not in chosen]
        assert all(severity(result.status) >= worst for result in left_out)
    assert "Läget i fem meningar" in render_html(facts, judge(facts, list(CHECKS)), "sv")


def test_what_is_no_facts_is_told_without_traceback(tmp_path):
    (tmp_path / "x.json").write_text('{"run": 1}', encoding="utf-8")
    done = CliRunner().invoke(app, ["audit", "--facts", str(tmp_path / "x.json")])
    assert "these are not recorded facts" in str(done.exception)
    done = CliRunner().invoke(app, ["audit", "--facts", str(tmp_path / "none.json")])
    assert "cannot be read" in str(done.exception)


def test_a_time_without_its_zone_is_told_as_no_fact(tmp_path, facts):
    file = tmp_path / "facts.json"
    told = json.loads(to_json(facts))
    told["backups"][0]["copied"] = "2026-11-24T03:30:00"
    file.write_text(json.dumps(told), encoding="utf-8")
    result = CliRunner().invoke(app, ["audit", "--facts", str(file)])
    assert isinstance(result.exception, UserError)
    assert "backups.0.copied" in str(result.exception)


def test_of_one_it_is_told_in_the_singular(facts):
    """A small municipality has one mail host, one shared PC and, at night, one message."""
    (owner, *_), (host,) = facts.directory.devices, facts.hosts
    shared = Device("pc-disk", (), "omsorg")
    probes = tuple(
        replace(probe, seconds=1.2)
        for probe in facts.arrival.probes
        if probe.recipient == address_of("10001")
    )
    town = replace(
        facts,
        directory=replace(facts.directory, devices=(owner, shared)),
        arrival=replace(facts.arrival, probes=probes),
        hosts=(replace(host, accepted=host.accepted[1:2]),),
        backups=facts.backups[:1],
        seal=SealFacts(facts.directory.seen, 1, date(2026, 11, 23), 1, "ab"),
    )
    results = judge(town, list(CHECKS))
    swedish, english = (render_html(town, results, language) for language in ("sv", "en"))
    for told in (
        "Den enda anställda med dator i nätet nås med e-post",
        "det långsammaste tog 1 sekund.",
        "En dator delas av en enhet och har ingen egen ägare; den räknas inte",
        "Det enda meddelande som e-postservern har tagit emot finns i loggen",
        "mail: 1 meddelande togs emot",
        "Den enda servern med uppgifter har en färsk säkerhetskopia",
        "omfattar 1 rad den dagen",
    ):
        assert told in swedish
    assert not re.search(r"(?i)\ball 1\b|\b1 (?:seconds|messages|PCs|hosts|servers|rows)", english)


def test_numbers_and_dates_follow_the_language():
    assert written(1080, "sv") == "1\u00a0080"
    assert written(1080, "en") == "1,080"
    assert Text("{n} brev", "{n} letters").fill(n=1080).en == "1,080 letters"
