"""No page is left out where they are tried in a browser."""

import places


def test_each_page_is_tried_in_a_browser(installation):
    from compliance.loglist.urls import urlpatterns

    names = {pattern.name for pattern in urlpatterns}
    assert names == places.EVERY, "write it in tests/browser/places.py"
