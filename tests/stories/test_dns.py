"""The outside world finds the municipality by DNS."""

import dns.resolver
import pytest


@pytest.fixture
def ask(world):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = world.facts["dns"]

    def lookup(name: str, kind: str) -> list[str]:
        return [str(record) for record in resolver.resolve(name, kind)]

    return lookup


def test_mail_for_each_side_goes_to_its_own_host(world, ask):
    for domain, host in ((world.domain, "mail"), (world.facts["outside_domain"], "outside")):
        facts = world.facts["hosts"][host]
        (record,) = ask(domain, "MX")
        assert record.split()[1].rstrip(".") == facts["fqdn"]
        assert ask(facts["fqdn"], "A") == [facts["address"]]


def test_the_mail_host_has_a_name_both_ways(world, ask):
    facts = world.facts["hosts"]["mail"]
    reverse = dns.reversename.from_address(facts["address"])
    assert [name.rstrip(".") for name in ask(str(reverse), "PTR")] == [facts["fqdn"]]


def test_only_the_mail_host_may_send_for_the_municipality(world, ask):
    (record,) = [text for text in ask(world.domain, "TXT") if "v=spf1" in text]
    assert record.strip('"').endswith("-all")
