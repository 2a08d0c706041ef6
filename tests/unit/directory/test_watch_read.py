"""What a watch depends on is read without the rest of the directory, from a real slapd."""

from local_directory import BASE

from compliance.directory.held import read_held, read_watch
from compliance.directory.ldap import connect
from compliance.watch.keepers import watched


def test_the_little_that_is_read_tells_the_same_keepers_as_all_of_it(directory):
    with connect(directory, "reader") as connection:
        little, whole = read_watch(connection, BASE), read_held(connection, BASE)
    boxes = list(watched(little, BASE))
    assert boxes == list(watched(whole.entries, BASE))
    assert any(box.is_kept for box in boxes)
    assert set(little) < set(whole.entries)
