"""Who may read which log list, from what the directory holds."""

from compliance.directory import log_readers

BASE = "dc=sjovalla,dc=example"
UNITS = {
    "ks": ("Kommunstyrelsen", "", ()),
    "ksk": ("Kommunstyrelsekontoret", "ks", ("executive-office",)),
    "bun": ("Barn- och utbildningsnämnden", "", ()),
    "buf": ("Barn- och utbildningsförvaltningen", "bun", ()),
    "skola": ("Skolavdelningen", "buf", ()),
    "ring1": ("Ring 1", "ring2", ()),
    "ring2": ("Ring 2", "ring1", ()),
}


class Directory:
    """Answers searches as ldap3 does."""

    def __init__(self, *reviews, heads=(), person=None):
        self._reviews = reviews
        self._heads = heads
        told = {"kommunpostHolder": "person:1", "cn": "Åsa Ek", **(person or {})}
        self._person = {name: [value.encode()] for name, value in told.items()}
        self.filters = []

    def search(self, base, text, attributes):
        self.filters.append(text)
        branch = base.split(",")[0]
        if branch == "ou=people":
            self.response = [{"dn": f"uid=1,{base}", "raw_attributes": self._person}]
        elif branch == "ou=groups":
            self.response = [
                {"dn": "x", "raw_attributes": {"kommunpostHolder": [f"unit:{unit}".encode()]}}
                for unit in self._reviews
            ]
        elif branch == "ou=positions":
            self.response = [
                {"dn": "x", "raw_attributes": {"kommunpostUnit": [unit.encode()]}}
                for unit in self._heads
            ]
        else:
            self.response = [
                {
                    "dn": "x",
                    "raw_attributes": {
                        "ou": [unit.encode()],
                        "description": [name.encode()],
                        "kommunpostUnitKind": [b"department" if parent else b"authority"],
                        "kommunpostParent": [parent.encode()] if parent else [],
                        "kommunpostDuty": [one.encode() for one in duty],
                    },
                }
                for unit, (name, parent, duty) in UNITS.items()
            ]


def find(directory):
    return log_readers.find(directory, BASE, "asa.ek@sjovalla.example")


def test_a_reviewer_reads_the_unit_and_all_below_it():
    found = find(Directory("bun"))
    assert set(found.units) == {"bun", "buf", "skola"}
    assert (found.id, found.name, found.everything) == ("person:1", "Åsa Ek", False)
    assert set(find(Directory("skola")).units) == {"skola"}


def test_a_head_reads_and_does_not_review():
    found = find(Directory(heads=["buf"]))
    assert set(found.units) == {"buf", "skola"}
    assert found.reviews == set()
    both = find(Directory("ksk", heads=["buf"]))
    assert both.everything
    assert both.reviews == {"ksk"}


def test_whoever_reviews_for_the_executive_office_reads_everything():
    found = find(Directory("ksk"))
    assert found.everything
    assert set(found.units) == set(UNITS)
    assert not find(Directory("ring1")).everything


def test_whoever_reviews_nothing_reads_nothing():
    assert find(Directory()).units == {}
    assert find(Directory("gone")).units == {}


def test_units_that_stand_in_a_ring_end():
    assert set(find(Directory("ring1")).units) == {"ring1", "ring2"}


def test_a_protected_identity_is_a_reference():
    found = find(Directory("ks", person={"kommunpostReference": "Referens 7"}))
    assert found.name == "Referens 7"


def test_an_address_is_no_filter():
    directory = Directory("ks")
    log_readers.find(directory, BASE, "*)(uid=*")
    assert "*)(" not in directory.filters[0].replace("(mail=", "")


def test_a_unit_belongs_to_the_authority_above_it():
    assert log_readers.authorities(Directory(), BASE) == {
        "ks": "ks", "ksk": "ks", "bun": "bun", "buf": "bun", "skola": "bun",
        "ring1": "ring1", "ring2": "ring2",
    }  # fmt: skip
