"""Each control passes on sound facts, and fails on each fault that it is there to find."""

from dataclasses import replace

import pytest
from audit_town import AT, DOMAIN, address_of, dn, person, seen, told

from compliance.checks import b1, b2, b3, b4, g1, s2
from compliance.checks.model import Finding, Result, Status
from compliance.checks.registry import CHECKS, IDS, judge
from compliance.probes import facts as f
from compliance.texts import plain


def fate(facts: f.Facts, outcome: f.Outcome, detail: str = "", **match: str) -> f.Facts:
    """Let the probes that match come to another end."""
    probes = tuple(
        replace(probe, outcome=outcome, detail=detail)
        if all(getattr(probe, name) == value for name, value in match.items())
        else probe
        for probe in facts.arrival.probes
    )
    return replace(facts, arrival=replace(facts.arrival, probes=probes))


def stop(facts: f.Facts, name: str) -> f.Facts:
    (host,) = facts.hosts
    units = tuple(
        f.UnitState(unit.name, "inactive", "dead") if unit.name.startswith(name) else unit
        for unit in host.units
    )
    return replace(facts, hosts=(replace(host, units=units),))


def test_a_municipality_without_faults_passes_everything(facts):
    results = judge(facts, list(CHECKS))
    assert {r.control.id: r.status for r in results} == dict.fromkeys(IDS, Status.PASS)
    assert all(result.measured == result.population for result in results)
    assert results[0].population == 5, "distinct owners, not PCs"
    assert not [finding for result in results for finding in result.findings]


def test_nothing_passes_when_nothing_was_measured(facts):
    bare = f.Facts(facts.run, facts.municipality, facts.domain, AT, AT)
    for result in judge(bare, list(CHECKS)):
        assert result.status is Status.UNKNOWN, result.control.id
        assert result.findings, "it says what is missing"


@pytest.mark.parametrize("origin", ["internal", "external"])
@pytest.mark.parametrize("outcome", ["refused", "delayed", "bounced", "astray", "missing"])
def test_b1_names_the_one_who_is_not_reached_from_one_side(facts, origin, outcome):
    broken = fate(facts, outcome, "550 5.1.1", recipient=address_of("10002"), origin=origin)
    result = b1.judge(broken)
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert finding.subject == address_of("10002")
    assert "Łukasz Nowak" in finding.message.sv
    assert finding.unit == "utbildning"
    assert "5 anställda" in result.summary.sv


def test_b1_counts_the_unreached_in_their_administration(facts):
    result = b1.judge(fate(facts, "missing", recipient=address_of("10004")))
    shares = {share.unit: (share.population, share.measured, share.good) for share in result.shares}
    assert shares == {"utbildning": (2, 2, 2), "omsorg": (1, 1, 1), "samhalle": (1, 1, 0),
                      "ks": (1, 1, 1)}  # fmt: skip


def test_b1_finds_the_owner_without_mailbox_by_the_former_address(facts):
    (finding,) = b1.judge(person(facts, "10001", mailbox=None)).findings
    assert finding.subject == address_of("10001")
    assert "ingen brevlåda" in finding.message.sv
    assert "pc-10001, pc-10001-b" in finding.message.sv


def test_b1_finds_the_owner_whose_entry_is_gone(facts):
    people = tuple(item for item in facts.directory.people if item.id != "10001")
    result = b1.judge(replace(facts, directory=replace(facts.directory, people=people)))
    assert result.status is Status.FAIL
    assert (result.population, result.measured) == (5, 5)
    (finding,) = result.findings
    assert finding.subject == address_of("10001")


def test_b1_calls_an_owner_who_is_gone_and_was_protected_by_the_neutral_address(facts):
    """P1: the ledger remembers the name from before the protection."""
    directory, number = facts.directory, "10003"
    held = (
        f.Held(f"person:{number}", f"{local}@{DOMAIN}") for local in ("v.kvarn", "referens.10003")
    )
    ledger = (*(line for line in directory.ledger if line.holder != f"person:{number}"), *held)
    people = tuple(one for one in directory.people if one.id != number)
    gone = replace(facts, directory=replace(directory, people=people, ledger=ledger))
    (finding,) = b1.judge(gone).findings
    assert finding.subject == f"referens.{number}@{DOMAIN}"


def test_b1_finds_the_owner_whose_mailbox_is_closed(facts):
    closed = f.Mailbox(address_of("10001"), "individual", "closed")
    assert "closed" in told(b1.judge(person(facts, "10001", mailbox=closed)))


def test_b1_tells_of_a_pc_that_belongs_to_nobody(facts):
    devices = (*facts.directory.devices, f.Device("pc-lost"))
    result = b1.judge(replace(facts, directory=replace(facts.directory, devices=devices)))
    assert result.status is Status.WARNING
    assert result.findings[0].subject == "pc-lost"


def test_b1_names_a_protected_person_by_reference_alone(facts):
    address = address_of("10003")
    for broken in (
        fate(facts, "refused", f"550 5.1.1 <{address}>: unknown", recipient=address),
        person(facts, "10003", mailbox=None),
    ):
        result = b1.judge(broken)
        assert result.findings[0].subject == "Referens 10003"
        assert address not in told(result)


def test_b1_never_passes_on_a_part(facts):
    probes = tuple(p for p in facts.arrival.probes if p.recipient != address_of("10004"))
    result = b1.judge(replace(facts, arrival=replace(facts.arrival, probes=probes)))
    assert result.status is Status.UNKNOWN
    assert (result.population, result.measured) == (5, 4)


def test_b1_does_not_speak_of_others_when_all_were_among_the_first(facts):
    stopped = fate(facts, "refused", "550 5.7.1 no")
    stopped = replace(stopped, arrival=replace(stopped.arrival, stopped="550 5.7.1 no"))
    assert b1.judge(stopped).summary.sv == "5 av 5 anställda med dator i nätet nås inte med e-post."


def test_b1_is_unknown_without_a_foothold_outside(facts):
    probes = tuple(p for p in facts.arrival.probes if p.origin == "internal")
    sides = (
        facts.arrival.seen[0],
        seen("letters", "audit.external", "audit.external is not in the settings"),
    )
    result = b1.judge(replace(facts, arrival=f.ArrivalFacts(sides, probes)))
    assert result.status is Status.UNKNOWN
    assert "audit.external" in told(result)


def test_b1_is_unknown_for_a_mailbox_that_could_not_be_read(facts):
    result = b1.judge(fate(facts, "unread", "login failed", recipient=address_of("10001")))
    assert result.status is Status.UNKNOWN
    assert result.measured == 4


def test_b1_fails_when_an_address_that_nobody_has_is_accepted(facts):
    sample = replace(facts.arrival.unknown_address, outcome="arrived")
    result = b1.judge(replace(facts, arrival=replace(facts.arrival, unknown_address=sample)))
    assert result.status is Status.FAIL
    assert result.findings[0].subject == sample.recipient


def test_b1_says_why_it_fails_although_everybody_is_reached(facts):
    sample = replace(facts.arrival.unknown_address, outcome="arrived")
    result = b1.judge(replace(facts, arrival=replace(facts.arrival, unknown_address=sample)))
    assert result.status is Status.FAIL
    assert result.summary.sv.startswith("Alla 5 anställda med dator i nätet nås med e-post, men ")


def test_one_cause_is_named_once_and_first(facts):
    reason = "connect to mail[private/dovecot-lmtp]: Connection refused"
    result = b1.judge(stop(fate(facts, "delayed", reason), "dovecot"))
    assert result.status is Status.FAIL
    causes = [finding for finding in result.findings if finding.cause]
    assert list(result.findings[: len(causes)]) == causes
    assert causes[0].subject == "mail: dovecot.service"
    assert reason in causes[1].message.sv
    assert len([item for item in result.findings if not item.cause]) == 5, "and each is named"


def test_a_stopped_milter_is_named_when_the_first_probes_stop(facts):
    reason = "451 4.7.1 Service unavailable - try again later"
    broken = stop(fate(facts, "not_sent", reason), "kommunpost-milter")
    broken = fate(broken, "delayed", reason, recipient=f"kommunalrad@{DOMAIN}")
    broken = replace(broken, arrival=replace(broken.arrival, stopped=reason))
    for result in (b1.judge(broken), b2.judge(broken)):
        assert result.status is Status.FAIL
        assert result.findings[0].subject == "mail: kommunpost-milter.service"
        assert reason in told(result)
        assert "loggningen svarar inte" in told(result)


def test_a_stopped_mail_store_is_told_in_words_although_its_service_runs(facts):
    reason = "connect to mail[private/dovecot-lmtp]: Connection refused"
    broken = fate(facts, "not_sent", reason)
    for owner in ("10001", "10002", "10004"):
        broken = fate(broken, "delayed", reason, recipient=address_of(owner))
    result = b1.judge(replace(broken, arrival=replace(broken.arrival, stopped=reason)))
    assert "e-postlagret tar inte emot brev över LMTP" in result.findings[0].message.sv
    assert (result.population, result.measured) == (5, 3)
    assert result.summary.sv.startswith("Ingen av de 3 anställda")


@pytest.mark.parametrize("recipient", [f"kommunalrad@{DOMAIN}", address_of("10005")])
def test_b2_fails_when_post_or_holder_is_not_reached(facts, recipient):
    result = b2.judge(fate(facts, "missing", recipient=recipient, origin="external"))
    assert result.status is Status.FAIL
    assert result.findings[0].subject == recipient


def test_b2_fails_without_position_holder_or_mailbox(facts):
    (post,) = facts.directory.positions
    for positions in ((), (replace(post, occupants=()),), (replace(post, mailbox=None),),
                      (replace(post, occupants=(dn("99"),)),)):  # fmt: skip
        broken = replace(facts, directory=replace(facts.directory, positions=positions))
        assert b2.judge(broken).status is Status.FAIL


def test_b2_names_a_protected_commissioner_by_reference_alone(facts):
    address = address_of("10005")
    broken = person(facts, "10005", name="Referens 10005", reference="Referens 10005")
    broken = fate(broken, "refused", f"550 5.1.1 <{address}>: unknown", recipient=address)
    result = b2.judge(broken)
    assert result.findings[0].subject == "Referens 10005"
    assert address not in told(result)


def test_b2_does_not_mind_that_others_are_not_reached(facts):
    assert b2.judge(fate(facts, "missing", recipient=address_of("10001"))).status is Status.PASS


@pytest.mark.parametrize("kind", ["units", "positions", "people", "system"])
def test_b3_finds_each_kind_of_mailbox_that_is_missing(facts, kind):
    first, *rest = getattr(facts.directory, kind)
    directory = replace(facts.directory, **{kind: (replace(first, mailbox=None), *rest)})
    result = b3.judge(replace(facts, directory=directory))
    assert result.status is Status.FAIL
    assert len(result.findings) == 1


def test_b3_finds_what_only_the_municipalitys_lists_know(facts):
    line = f.Pending("create", f"miljo@{DOMAIN}", "function", "unit:miljo", "new in the sources")
    result = b3.judge(replace(facts, plan=replace(facts.plan, pending=(line,))))
    assert result.status is Status.FAIL
    assert result.findings[0].subject == f"miljo@{DOMAIN}"


def test_b3_counts_a_mailbox_that_lists_and_ldap_both_miss_once(facts):
    broken = person(facts, "10001", mailbox=None)
    line = f.Pending("create", address_of("10001"), "individual", "person:10001", "was missing")
    result = b3.judge(replace(broken, plan=replace(facts.plan, pending=(line,))))
    assert len(result.findings) == 1


def test_b3_is_unknown_when_the_lists_were_not_compared(facts):
    assert b3.judge(replace(facts, plan=None)).status is Status.UNKNOWN
    failed = f.PlanFacts(seen("plan", "people.csv", "this is no CSV"))
    assert "this is no CSV" in told(b3.judge(replace(facts, plan=failed)))


def test_b3_does_not_miss_those_who_have_left(facts):
    closed = f.Mailbox(address_of("10001"), "individual", "closed")
    assert b3.judge(person(facts, "10001", mailbox=closed)).status is Status.PASS


@pytest.mark.parametrize("kind", ["unit", "nämnd", ""])
def test_b3_judges_a_unit_although_the_directory_does_not_know_of_what_kind_it_is(facts, kind):
    without = tuple(
        replace(unit, kind=kind, mailbox=None) if unit.id == "plan" else unit
        for unit in facts.directory.units
    )
    result = b3.judge(replace(facts, directory=replace(facts.directory, units=without)))
    (finding,) = result.findings
    assert finding.message.sv.startswith("Enheten Planavdelningen har ingen funktionsbrevlåda")


def test_b4_finds_an_address_that_was_handed_to_a_second_person(facts):
    taken = f"slutade.for-lange-sedan@{DOMAIN}"
    box = f.Mailbox(address_of("10004"), "individual", "active", (address_of("10004"), taken))
    result = b4.judge(person(facts, "10004", mailbox=box))
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert (finding.subject, finding.unit) == (taken, "plan")
    assert "tillhör någon annan" in finding.message.sv


def test_b4_finds_two_with_one_address_even_where_the_ledger_knows_one(facts):
    box = f.Mailbox(address_of("10001"), "individual", "active")
    result = b4.judge(person(facts, "10004", mailbox=box))
    assert result.status is Status.FAIL
    assert [item.subject for item in result.findings] == [address_of("10001")]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"per.klint@{DOMAIN}", "finns inte i registret"),
        (f"Per.Klint.@{DOMAIN}".lower(), "en form som namnreglerna inte ger"),
        ("per.klint@omvarlden.example", "en form som namnreglerna inte ger"),
    ],
)
def test_b4_finds_an_address_that_the_rules_do_not_give(facts, address, words):
    broken = person(facts, "10004", mailbox=f.Mailbox(address, "individual", "active"))
    if "registret" not in words:
        ledger = (*facts.directory.ledger, f.Held("person:10004", address))
        broken = replace(broken, directory=replace(broken.directory, ledger=ledger))
    result = b4.judge(broken)
    assert result.status is Status.FAIL
    assert words in told(result)


def test_b4_names_whoever_the_rules_would_give_another_address(facts):
    line = f.Pending("rename", f"per.klint@{DOMAIN}", "individual", "person:10004", "the name")
    result = b4.judge(replace(facts, plan=replace(facts.plan, pending=(line,))))
    assert result.status is Status.FAIL
    assert f"per.klint@{DOMAIN}" in told(result)
    assert b4.judge(replace(facts, plan=None)).status is Status.UNKNOWN


def test_b4_calls_a_protected_identity_by_the_reference_alone(facts):
    secret = f"silverstolt@{DOMAIN}"
    box = f.Mailbox(secret, "individual", "active", (secret,))
    result = b4.judge(person(facts, "10003", mailbox=box))
    assert result.status is Status.FAIL
    assert [item.subject for item in result.findings] == ["Referens 10003"]
    assert "silverstolt" not in told(result)


def test_g1_names_the_message_that_has_no_row(facts):
    rows = tuple(row for row in facts.log.rows if row.queue_id != "4DBBB")
    result = g1.judge(replace(facts, log=replace(facts.log, rows=rows)))
    assert result.status is Status.FAIL
    assert [finding.subject for finding in result.findings] == ["4DBBB"]


def test_g1_finds_the_recipient_who_has_no_row(facts):
    rows = tuple(row for row in facts.log.rows if row.recipient != address_of("10001"))
    result = g1.judge(replace(facts, log=replace(facts.log, rows=rows)))
    assert [finding.subject for finding in result.findings] == ["4DAAA"]


@pytest.mark.parametrize("unit", ["kommunpost-milter", "kommunpost-shipper", "postgresql"])
def test_g1_fails_when_a_part_of_the_chain_stands_still_or_is_not_there(facts, unit):
    result = g1.judge(stop(facts, unit))
    assert result.status is Status.FAIL
    assert unit in told(result)
    (host,) = facts.hosts
    units = tuple(item for item in host.units if not item.name.startswith(unit))
    assert g1.judge(replace(facts, hosts=(replace(host, units=units),))).status is Status.FAIL


def test_g1_is_unknown_when_journal_or_log_cannot_be_read(facts):
    (host,) = facts.hosts
    mute = replace(host, seen=seen("journal", "mail", "no route"), units=(), accepted=())
    assert g1.judge(replace(facts, hosts=(mute,))).status is Status.UNKNOWN
    locked = f.LogFacts(seen("rows", "postgresql", "password refused"))
    result = g1.judge(replace(facts, log=locked))
    assert result.status is Status.UNKNOWN
    assert "password refused" in told(result)


@pytest.mark.parametrize(
    "change",
    [
        {"status": 404},
        {"sha256": "cd" * 32},
        {"adopted": None},
        {"seen": seen("page", "www", "Connection refused"), "status": None, "sha256": None},
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_s2_fails_when_one_page_is_wrong(facts, change, place):
    pages = list(facts.web.pages)
    pages[place] = replace(pages[place], **change)
    result = s2.judge(replace(facts, web=f.WebFacts(tuple(pages))))
    assert result.status is Status.FAIL
    assert pages[place].url in result.findings[0].subject


def test_a_result_cannot_claim_more_than_it_measured():
    control = b1.CONTROL
    gap = Result(control, 5, 4, (), plain(""))
    assert gap.status is Status.UNKNOWN
    assert Result(control, 0, 0, (), plain("")).status is Status.UNKNOWN
    assert Result(control, 5, 5, (Finding("x", plain("y")),), plain("")).status is Status.FAIL
    with pytest.raises(ValueError, match="6 of 5"):
        Result(control, 5, 6, (), plain(""))
