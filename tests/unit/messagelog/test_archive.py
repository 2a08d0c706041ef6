"""An archived copy is known by what our own Postfix wrote above it, and by nothing else."""

from datetime import date

import pytest

from compliance.messagelog.archive import folders_for, is_copy_of, recipient_on

HOST = "mail.sjovalla.example"
DELIVERY = (
    b"Return-Path: <medborgare@omvarlden.example>\r\nDelivered-To: archive@archive.invalid\r\n"
    b"Received: from mail.sjovalla.example\r\n\tby mail.sjovalla.example with LMTP\r\n"
    b"\tid kK4UFGZ; Tue, 24 Nov 2026 09:05:00 +0000\r\n"
)
OWN = (
    b"Received: from mx.omvarlden.example (mx.omvarlden.example [192.0.2.20])\r\n"
    b"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
    b"\tby mail.sjovalla.example (Postfix) with ESMTPS id 4ZrX2b0Yk1z1\r\n"
    b"\tfor <ks@sjovalla.example>; Tue, 24 Nov 2026 09:05:00 +0000 (UTC)\r\n"
)
LOCAL = (
    b"Received: by mail.sjovalla.example (Postfix, from userid 0)\r\n"
    b"\tid 4ZrX2b0Yk1z1; Tue, 24 Nov 2026 09:05:00 +0000 (UTC)\r\n"
)
REST = b"Subject: Hej\r\n\r\nHej!\r\n"


@pytest.mark.parametrize("received", [OWN, LOCAL])
def test_the_queue_id_of_our_own_host_names_the_copy(received):
    raw = DELIVERY + received + REST
    assert is_copy_of(raw, HOST, "4ZrX2b0Yk1z1")
    assert not is_copy_of(raw, HOST, "4ZrX2b0Yk1z2")
    assert not is_copy_of(raw, "mx2.sjovalla.example", "4ZrX2b0Yk1z1")


def test_a_stranger_cannot_pass_a_message_off_as_another():
    forged = OWN.replace(b"4ZrX2b0Yk1z1", b"4ZrX2b0Yk9z9")
    assert not is_copy_of(DELIVERY + OWN + forged + REST, HOST, "4ZrX2b0Yk9z9")
    assert not is_copy_of(REST + OWN, HOST, "4ZrX2b0Yk1z1")


def test_a_copy_lies_with_its_day_or_the_one_before():
    assert recipient_on(date(2026, 11, 24)) == "archive+2026-11-24@archive.invalid"
    assert folders_for(date(2026, 12, 1)) == ["2026-12-01", "2026-11-30"]
