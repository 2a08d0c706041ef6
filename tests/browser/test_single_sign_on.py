"""Single sign-on as people use it, at the OpenID provider beside the lab's Active Directory.

The provider is LemonLDAP::NG (roles/lab_openid_provider). It stands for the municipality's ADFS or
Entra ID. Here the second step is required, and the provider's several factors count as it.
"""

import json
import os
from pathlib import Path

import pytest
from person import WORDS, tab_to, used_by_everybody
from playwright.sync_api import Locator, Page, expect
from test_second_step import TEXTS as SECOND_STEP
from test_second_step import Telephone, give

LAB = Path(os.environ.get("KOMMUNPOST_LAB", Path(__file__).parents[2] / "build/lab"))
PHASES = "log_list:preflight,log_list:configure,log_list:run"
TEXTS = {
    "sv": {"button": "Logga in med kommunens konto", "log in": "Logga in",
           "again": "Logga in igen", "left": "Du är utloggad från loggningslistan",
           "leave both": "Logga ut från kommunens konto också",
           "no access": "har inte tillgång", "away": "svarar inte"},
    "en": {"button": "Log in with the municipality's account", "log in": "Log in",
           "again": "Log in again", "left": "You are logged out of the log list",
           "leave both": "Log out of the municipality's account too",
           "no access": "has no access", "away": "does not answer"},
}  # fmt: skip
in_both_languages = pytest.mark.parametrize("language", ["sv", "en"])


@pytest.fixture(scope="module")
def accounts():
    """The accounts in Active Directory, by what people type there."""
    path = LAB / "accounts.json"
    assert path.exists(), f"{path} is missing: docs/lab.md says how to build the provider"
    found = json.loads(path.read_text(encoding="utf-8"))
    return {one.get("userPrincipalName", one.get("sAMAccountName")): one for one in found}


@pytest.fixture(scope="module")
def provider(world, accounts, deploy):
    """The log list knows the provider, whose address this is; afterwards it doesn't."""
    url = world.facts["services"]["openid_provider"]["url"]
    oidc = {
        "issuer": url,
        "client_id": "loggningslistan",
        "client_secret_file": str(LAB / "secrets/lab-openid-client"),
        "mfa_counts": True,
        "ca_file": world.facts["ca_file"],
    }
    deploy(PHASES, {"log_list_oidc": oidc, "log_list_second_factor": "required"})
    yield url
    deploy(PHASES)


@pytest.fixture(scope="module")
def careful(reviewer, accounts, on_host):
    """A reviewer whom the provider asks for a code after the password."""
    account = accounts[reviewer["login"]]
    name = account["sAMAccountName"]
    on_host("ad", f"samba-tool group addmembers Flerfaktor {name}")
    yield reviewer | {"password": account["password"], "account": name}
    on_host("ad", f"samba-tool group removemembers Flerfaktor {name}")


@pytest.fixture
def trusting(world, accounts, reviewer, registrar, office, on_host):
    """A reader whom it asks for the password alone. No other test here logs in as them."""
    used = {one["login"] for one in (reviewer, registrar, office)}
    chosen = next(one for one in world.facts["log_readers"] if one["login"] not in used)
    yield chosen | {"password": accounts[chosen["login"]]["password"]}
    on_host(
        "mail",
        "KOMMUNPOST_CONFIG=/etc/kommunpost/log-list/kommunpost.yml "
        f"/opt/kommunpost/bin/kommunpost loglist forget-second-step {chosen['login']}",
    )


def by_keyboard(page: Page, wanted: Locator) -> None:
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def button(page: Page, language: str) -> Locator:
    return page.get_by_role("link", name=TEXTS[language]["button"])


def at_provider(page: Page, who: dict) -> None:
    """Log in on the provider's own page, which is in English."""
    page.get_by_placeholder("Login").fill(who["login"])
    page.get_by_placeholder("Password").fill(who["password"])
    page.keyboard.press("Enter")


def code_at_provider(page: Page, who: dict, on_host) -> None:
    """Give the code that others would get on their telephone."""
    page.get_by_placeholder("Code").wait_for()
    sent = on_host("ad", "journalctl --identifier openid-code --output cat").splitlines()
    codes = [line.split()[1] for line in sent if line.startswith(f"{who['account']} ")]
    page.get_by_placeholder("Code").fill(codes[-1])
    page.keyboard.press("Enter")


@in_both_languages
def test_a_reviewer_comes_in_by_the_municipalitys_account_and_leaves_it(
    visit, site, provider, careful, on_host, language
):
    """By keyboard alone. The provider has asked for a code, so that we ask for none."""
    texts, out = TEXTS[language], WORDS[language]["log out"]
    wanted = f"{site}/units/{careful['reviews'][0]}/review/"
    with visit(language, also=provider) as page:
        page.goto(wanted)
        used_by_everybody(page, by_keyboard=language == "sv")
        by_keyboard(page, button(page, language))
        at_provider(page, careful)
        code_at_provider(page, careful, on_host)
        expect(page).to_have_url(wanted)
        expect(page.get_by_text(careful["name"])).to_be_visible()
        by_keyboard(page, page.get_by_role("button", name=out))
        expect(page.get_by_role("heading", level=1)).to_have_text(texts["left"])
        used_by_everybody(page, by_keyboard=language == "sv")
        page.get_by_role("link", name=texts["again"]).click()
        button(page, language).click()
        page.get_by_role("button", name=out).click()  # they were in, and nobody had asked them
        by_keyboard(page, page.get_by_role("link", name=texts["leave both"]))
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(texts["log in"])
        button(page, language).click()
        expect(page.get_by_placeholder("Password")).to_be_visible()


@in_both_languages
def test_whom_the_provider_asks_for_a_password_alone_we_ask_for_a_code(
    visit, provider, trusting, language
):
    words, out = SECOND_STEP[language], WORDS[language]["log out"]
    with visit(language, also=provider) as page:
        page.goto("/login")
        button(page, language).click()
        at_provider(page, trusting)
        expect(page.get_by_role("img")).to_be_visible()
        used_by_everybody(page, by_keyboard=language == "sv")
        telephone = Telephone(page.locator("code").inner_text().replace(" ", ""))
        give(page, telephone.code(), words, words["on"])
        expect(page.get_by_role("button", name=out)).to_be_visible()
    with visit(language, also=provider) as page:
        page.goto("/login")
        button(page, language).click()
        at_provider(page, trusting)
        expect(page.get_by_label(words["code"])).to_be_visible()
        used_by_everybody(page, by_keyboard=language == "sv")
        give(page, telephone.code(), words, WORDS[language]["log in"])
        expect(page.get_by_role("button", name=out)).to_be_visible()


@in_both_languages
def test_whom_the_directory_does_not_know_is_told_as_whom_they_came(
    visit, provider, accounts, language
):
    """An account of Active Directory that is nobody's in ours."""
    stranger = {"login": "p000", "password": accounts["p000"]["password"]}
    with visit(language, also=provider) as page:
        page.goto("/login")
        button(page, language).click()
        at_provider(page, stranger)
        told = page.get_by_role("alert")
        expect(told).to_contain_text(TEXTS[language]["no access"])
        expect(told).to_contain_text("p000@ad.sjovalla.example")
        used_by_everybody(page, by_keyboard=language == "sv")
        page.goto("/overview/")
        expect(page.get_by_role("heading", level=1)).to_have_text(TEXTS[language]["log in"])


@in_both_languages
def test_when_the_provider_is_away_people_are_told_and_the_password_still_counts(
    visit, provider, reviewer, on_host, language
):
    on_host("ad", "systemctl stop lemonldap-ng-fastcgi-server.service")
    # It has asked the provider where its pages are, and remembers that for an hour.
    on_host("mail", "systemctl restart kommunpost-log-list.service")
    try:
        with visit(language) as page:
            page.goto("/login")
            button(page, language).click()
            expect(page.get_by_role("alert")).to_contain_text(TEXTS[language]["away"])
            used_by_everybody(page, by_keyboard=language == "sv")
            page.get_by_label(WORDS[language]["address"]).fill(reviewer["login"])
            page.get_by_label(WORDS[language]["password"]).fill(reviewer["password"])
            page.get_by_role("button", name=WORDS[language]["log in"]).click()
            expect(page.get_by_label(SECOND_STEP[language]["code"])).to_be_visible()
    finally:
        on_host("ad", "systemctl start lemonldap-ng-fastcgi-server.service")
