"""Which address shows what."""

from django.urls import path
from django.views.i18n import set_language

from compliance.loglist.views import (
    absence,
    account,
    diary,
    disclosure,
    entries,
    faults,
    handout,
    masking,
    message,
    overview,
    password,
    periods,
    questions,
    review,
    second_factor,
    single_sign_on,
)

_ENTRY = "units/<slug:unit>/<uuid:outbox>/<int:sequence>"
_DESK = "units/<slug:unit>/disclosures/"
_REQUEST = f"{_DESK}<int:number>/"

handler400 = faults.bad_request
handler500 = faults.broken
urlpatterns = [
    path("", account.start, name="start"),
    path("login", account.login, name="login"),
    path("login/code", second_factor.code, name="code"),
    path("login/second-step", second_factor.set_up_first, name="second-step-first"),
    path("login/single-sign-on", single_sign_on.begin, name="single-sign-on"),
    path("login/single-sign-on/back", single_sign_on.back, name="single-sign-on-back"),
    path("logged-out", single_sign_on.logged_out, name="logged-out"),
    path("second-step", second_factor.own, name="second-step"),
    path("password", password.change, name="password"),
    path("password/first", password.first, name="password-first"),
    path("password/done", password.done, name="password-done"),
    path("logout", account.logout, name="logout"),
    path("language", set_language, name="language"),
    path("health", account.health, name="health"),
    path("accessibility", account.accessibility, name="accessibility"),
    path("units/<slug:unit>/", entries.log_list, name="list"),
    path(_ENTRY, entries.entry, name="entry"),
    path(f"{_ENTRY}/conversation", entries.conversation, name="conversation"),
    path(f"{_ENTRY}/message", message.message, name="message"),
    path(f"{_ENTRY}/message.eml", message.eml, name="eml"),
    path(f"{_ENTRY}/message.zip", message.package, name="package"),
    path(f"{_ENTRY}/message/forward.eml", message.forward, name="forward"),
    path(f"{_ENTRY}/message/<int:number>", message.attachment, name="attachment"),
    path(f"{_ENTRY}/absence", absence.of_entry, name="absence"),
    path("units/<slug:unit>/absences/", absence.of_unit, name="absences"),
    path(f"{_ENTRY}/decide", review.decide_entry, name="decide-entry"),
    path("units/<slug:unit>/review/", review.to_review, name="review"),
    path("units/<slug:unit>/doubts/", review.doubts, name="doubts"),
    path("questions/", questions.own, name="questions"),
    path("questions/<int:number>", questions.one, name="question"),
    path("units/<slug:unit>/periods/", periods.periods, name="periods"),
    path("units/<slug:unit>/periods/<int:number>.pdf", periods.protocol, name="protocol"),
    path("units/<slug:unit>/diary/", diary.diary, name="diary"),
    path("units/<slug:unit>/diary/take", diary.take_suggestion, name="take"),
    path("units/<slug:unit>/overview/", overview.of_unit, name="overview-of"),
    path("overview/", overview.of_all, name="overview"),
    path("units/<slug:unit>/export.<slug:form>", entries.export, name="export"),
    path(_DESK, disclosure.requests, name="disclosures"),
    path(f"{_DESK}new", disclosure.new, name="disclosure-new"),
    path(_REQUEST, disclosure.one, name="disclosure"),
    path(f"{_REQUEST}select", disclosure.select, name="disclosure-select"),
    path(f"{_REQUEST}rows", masking.rows, name="disclosure-rows"),
    path(f"{_REQUEST}preview", masking.preview, name="disclosure-preview"),
    path(f"{_REQUEST}hand-out", handout.hand_out, name="disclosure-hand-out"),
    path(f"{_REQUEST}file.zip", handout.file, name="disclosure-file"),
    path(f"{_REQUEST}refusal.txt", handout.refusal, name="disclosure-refusal"),
    path(f"{_REQUEST}end", disclosure.end, name="disclosure-end"),
    path(f"{_REQUEST}appeal", disclosure.appeal, name="disclosure-appeal"),
    path("trail/", entries.trail, name="trail"),
    path("trail/<slug:unit>/", entries.trail, name="trail-of"),
]
