"""Where each page of the log list is, by its name in compliance/loglist/urls.py.

Whoever adds a page writes it here: tests/unit/loglist/test_every_page.py sees that none is missing,
test_every_page.py that each can be used by everybody.
"""

# What stands in braces, test_every_page.py fills in.
OPEN = {
    "login": "/login",
    "password": "/password",
    "password-first": "/password/first",
    "password-done": "/password/done",
    "accessibility": "/accessibility",
}
LOGGED_IN = {
    "second-step": "/second-step",
    "list": "/units/{unit}/?q={word}",
    "entry": "{entry}",
    "absence": "{own}/absence",
    "absences": "/units/{own_unit}/absences/",
    "conversation": "{entry}/conversation",
    "message": "{entry}/message",
    "review": "/units/{unit}/review/",
    "doubts": "/units/{unit}/doubts/",
    "questions": "/questions/",
    "question": "{question}",
    "periods": "/units/{unit}/periods/",
    "diary": "/units/{unit}/diary/",
    "overview-of": "/units/{unit}/overview/",
    "overview": "/overview/",
    "disclosures": "/units/{unit}/disclosures/",
    "disclosure-new": "/units/{unit}/disclosures/new",
    "disclosure": "{request}",
    "disclosure-select": "{request}select?q={word}",
    "disclosure-rows": "{request}rows",
    "disclosure-preview": "{request}preview",
    "disclosure-hand-out": "{request}hand-out",
    "trail": "/trail/",
    "trail-of": "/trail/{unit}/",
}
# Pages that only some people see at some time, and where they are tried.
NOT_ALWAYS = {
    "code": "test_second_step.py",
    "logged-out": "who came in by single sign-on: test_single_sign_on.py",
    "second-step-first": "where the second step is required: test_single_sign_on.py",
}
# What a button or a link asks for: it leads on to a page, or is a file.
NO_PAGES = {
    "start", "logout", "language", "health", "decide-entry", "take", "disclosure-end",
    "disclosure-appeal", "export", "eml", "package", "forward", "attachment", "protocol",
    "disclosure-file", "disclosure-refusal", "single-sign-on", "single-sign-on-back",
}  # fmt: skip
EVERY = {*OPEN, *LOGGED_IN, *NOT_ALWAYS, *NO_PAGES}
