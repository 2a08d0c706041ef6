"""Settings that cannot be right are told with file and place, and none is taken for another."""

import pytest

from compliance.errors import UserError
from compliance.settings import load, read_secret

SOUND = "municipality: {name: Sjövalla kommun, domain: sjovalla.example}\n"
DIRECTORY = "directory: {uri: x, base: y, reader_dn: z, reader_password_file: /x, "


def told(tmp_path, text: str) -> str:
    path = tmp_path / "kommunpost.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_sound_settings_are_read(tmp_path):
    (tmp_path / "kommunpost.yml").write_text(SOUND, encoding="utf-8")
    assert load(tmp_path / "kommunpost.yml").municipality.domain == "sjovalla.example"


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("municipality: {name: Annan kommun, domain: annan.example}\n", "kommunpost.yml:2"),
        ("log:\n  dsn: a\n  dsn: b\n", "kommunpost.yml:4"),
    ],
)
def test_a_key_that_stands_twice_is_told_and_neither_is_taken(tmp_path, more, where):
    said = told(tmp_path, SOUND + more)
    assert said.startswith(f"{where}: ")
    assert "stands twice" in said


@pytest.mark.parametrize(
    ("domain", "remedy"),
    [
        ("sjovalla", "write it in lower case, without @ and spaces, e.g. sjovalla.example"),
        ("@sjovalla.se", "without @"),
        ("ks@sjovalla.se", "without @"),
        (" sjovalla .se", "spaces"),
        ("Sjovalla.se", "lower case"),
        ("sjovalla.se.", "e.g. sjovalla.example"),
        ("-sjovalla.se", "e.g. sjovalla.example"),
        ("", "e.g. sjovalla.example"),
        ("sjövalla.se", "write it as DNS has it, xn--sjvalla-b1a.se"),
        ("@sjövalla.se", "without @"),
        ("ö..se", "e.g. sjovalla.example"),
    ],
)
def test_a_mail_domain_that_is_none_is_told_with_what_to_write(tmp_path, domain, remedy):
    said = told(tmp_path, f"municipality: {{name: Sjövalla kommun, domain: '{domain}'}}\n")
    assert said.startswith("kommunpost.yml: municipality.domain: ")
    assert f"{domain!r} is no mail domain" in said
    assert remedy in said


def test_a_domain_of_swedish_letters_is_taken_as_dns_has_it(tmp_path):
    text = "municipality: {name: Sjövalla kommun, domain: xn--sjvalla-b1a.se}\n"
    (tmp_path / "kommunpost.yml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "kommunpost.yml").municipality.domain == "xn--sjvalla-b1a.se"


@pytest.mark.parametrize("text", ["", "- one\n", "# nothing yet\n", "text"])
def test_a_file_without_any_key_is_told_in_words(tmp_path, text):
    said = told(tmp_path, text)
    assert said.startswith("kommunpost.yml: the file must hold ")
    assert "Settings" not in said


def test_yaml_that_is_nested_without_end_is_told(tmp_path):
    said = told(tmp_path, f"{SOUND}log: {'[' * 5000}{']' * 5000}\n")
    assert said.startswith("kommunpost.yml: the YAML is nested too deeply")


@pytest.mark.parametrize(
    "more",
    [
        f"{DIRECTORY} answer_days: 99999999}}",
        "sender: {host: h, port: 99999, address: a@b, login: a, password_file: /x}",
        "sender: {host: h, port: 0, address: a@b, login: a, password_file: /x}",
        "audit: {probe_key_file: /x, imap: {host: h, port: -1, master_login: a, "
        "master_password_file: /x}}",
    ],
)
def test_a_number_that_nothing_can_be_done_with_is_told(tmp_path, more):
    assert "should be" in told(tmp_path, SOUND + more)


@pytest.mark.parametrize(
    "written", [b"hemligt\r\n", b"\xef\xbb\xbfhemligt\r\n", b"hemligt", b"hemligt\n\n"]
)
def test_a_secret_is_its_line_whatever_wrote_the_file(tmp_path, written):
    """Windows ends lines in another way, and its Notepad marks what is UTF-8."""
    (tmp_path / "secret").write_bytes(written)
    assert read_secret(tmp_path / "secret") == "hemligt"
