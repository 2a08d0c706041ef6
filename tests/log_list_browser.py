"""The log list as a browser without JavaScript meets it, over the network."""

import re
import time
from urllib.parse import urlencode, urlsplit

from named_https import NamedConnection

from lablib.letters import World


class Browser:
    """Keeps cookies, sends the form's token along, and follows no redirect by itself."""

    def __init__(self, world: World) -> None:
        service = world.facts["services"]["log_list"]
        self._host = urlsplit(service["url"]).hostname
        self._address, self._tls = service["address"], world.tls
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.text = ""

    def open(self, path: str, form: dict[str, str] | None = None) -> int:
        """Ask for a page, or send a form; return the status."""
        connection = NamedConnection(self._host, self._address, self._tls)
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items())}
        body = None
        if form is not None:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.text)
            assert token, "the page before has a form"
            body = urlencode({"csrfmiddlewaretoken": token[1], **form})
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Referer": f"https://{self._host}/",
            }
        connection.request("GET" if form is None else "POST", path, body, headers)
        answer = connection.getresponse()
        self.headers = {key.lower(): value for key, value in answer.getheaders()}
        for cookie in answer.msg.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status

    def log_in(self, login: str, password: str) -> int:
        """Log in; return the status."""
        assert self.open("/login") == 200
        return self.open("/login", {"address": login, "password": password})

    def wait_for(self, path: str, text: str, seconds: float = 60) -> None:
        """Open a page again until a text stands in it."""
        deadline = time.monotonic() + seconds
        while self.open(path) != 200 or text not in self.text:
            assert time.monotonic() < deadline, f"{text!r} did not come to {path}"
            time.sleep(0.5)  # a page tells nobody that a row has come


def reader_of(world: World, chosen) -> dict:
    """Return the first of the lab's readers that a function says yes to."""
    return next(reader for reader in world.facts["log_readers"] if chosen(reader))
