"""LDAP's entries become facts: what has a mailbox, who is gone, who is protected."""

from audit_town import BASE, seen

from compliance.probes.collect import recipients
from compliance.probes.ldap import from_entries

MAILBOX = {"kommunpostKind": ["individual"], "kommunpostStatus": ["active"]}


def test_entries_are_sorted_by_branch():
    read = from_entries(
        seen("all", "ldap"),
        BASE,
        [
            (BASE, {"dc": ["sjovalla"]}),
            (f"ou=people,{BASE}", {"ou": ["people"]}),
            (f"uid=1,ou=people,{BASE}", {"uid": ["1"], "cn": ["A"], "mail": ["Asa@x"], **MAILBOX}),
            (f"uid=2,ou=people,{BASE}", {"uid": ["2"], "cn": ["Per"], "mail": ["per@x"]}),
            (
                f"uid=3,ou=people,{BASE}",
                {"uid": ["3"], "cn": ["Referens 3"], "kommunpostReference": ["Referens 3"],
                 "MAIL": ["r3@x"], **MAILBOX},
            ),
            (f"ou=ks,ou=units,{BASE}", {"ou": ["ks"], "kommunpostUnitKind": ["authority"],
                 "kommunpostWatcher": [f"uid=1,ou=people,{BASE}"]}),
            (
                f"cn=kr,ou=positions,{BASE}",
                {"cn": ["kr"], "kommunpostDuty": ["commissioner"],
                 "roleOccupant": [f"uid=1,ou=people,{BASE}"]},
            ),
            (
                f"cn=pc1,ou=devices,{BASE}",
                {"cn": ["pc1"], "owner": [f"uid=3,ou=people,{BASE}", f"uid=9,ou=people,{BASE}"]},
            ),
            (f"cn=abuse,ou=system,{BASE}", {"cn": ["abuse"]}),
            (
                f"kommunpostAddress=per@x,ou=addresses,{BASE}",
                {"kommunpostAddress": ["per@x"], "kommunpostHolder": ["person:2"]},
            ),
        ],
    )  # fmt: skip
    assert [(p.id, p.mailbox and p.mailbox.address) for p in read.people] == [
        ("1", "asa@x"), ("2", None), ("3", "r3@x")]  # fmt: skip
    assert read.people[2].reference == "Referens 3"
    assert read.units[0].kind == "authority"
    assert read.units[0].watchers == (f"uid=1,ou=people,{BASE}",)
    assert read.units[0].deputies == (), "asked for, and there is none"
    assert read.devices[0].owners[1].startswith("uid=9,"), "an owner who is gone stays visible"
    assert read.ledger[0].holder == "person:2"
    assert read.system[0].mailbox is None
    assert recipients(read, frozenset({"pc-owners", "commissioner"})) == ["asa@x", "r3@x"]
    assert recipients(read, frozenset({"commissioner"})) == ["asa@x"]
    assert recipients(read, frozenset({"pc-owners"})) == ["r3@x"]
