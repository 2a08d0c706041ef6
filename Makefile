# Every command of the project. `make help` lists them.
LAB ?= lab
SUBNET ?= 10.77.0.0/24
export LAB SUBNET

BIN := .venv/bin
BUILD := build/$(LAB)
LABARGS := --name $(LAB) --subnet $(SUBNET)

.PHONY: help setup setup-test demo lab lab-down lab-reset test test-unit prove pictures bench-directory bench-message-log bench-diary bench-reconcile bench-verify bench-log-list bench-log-list-load bench-ship lint format lock

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: ## install what this machine needs (apt and .venv)
	@bin/setup

demo: setup ## boot, deploy, send mail, audit: the whole way
	@$(BIN)/python bin/steps demo $(LABARGS)

lab: setup ## the lab up and deployed (LAB=name SUBNET=10.77.2.0/24 for a second one)
	@$(BIN)/python bin/steps lab $(LABARGS)

lab-down: ## everything of the lab gone
	@bin/lab down $(LABARGS)

lab-reset: ## back to the state right after deployment, in seconds
	@bin/lab reset $(LABARGS)

setup-test:
	@bin/setup test

test: setup-test ## all tests, against a lab that it starts
	@$(BIN)/python bin/steps test $(LABARGS)

test-unit: setup-test ## the tests that need no lab
	@$(BIN)/pytest -q --numprocesses=auto tests/unit tests/roles

prove: setup-test ## what takes long to prove, against a lab: apply killed fifty times, the milter a hundred
	@$(BIN)/python bin/steps prove $(LABARGS)

pictures: setup-test lab ## the handbook's pictures anew, from a lab that nobody has used yet
	@KOMMUNPOST_LAB=$(BUILD) KOMMUNPOST_CONFIG=$(BUILD)/kommunpost.yml $(BIN)/pytest -q tests/browser/pictures.py

bench-directory: setup-test ## plan and apply for 1,000, 10,000 and 100,000 people
	@$(BIN)/python benchmarks/directory.py

bench-reconcile: setup-test ## how long a day of 100,000 messages takes to reconcile
	@$(BIN)/python benchmarks/reconcile.py

bench-diary: setup ## how well letters are matched to a diary (SEED=1 COUNT=20000)
	@$(BIN)/python benchmarks/diary_match --seed $(or $(SEED),1) --count $(or $(COUNT),20000)

bench-verify: setup-test ## how many log entries a second are verified, and how soon a unit's day
	@$(BIN)/python benchmarks/verify.py

bench-log-list: setup-test ## how fast the log list's questions are answered on 10 million entries
	@$(BIN)/python benchmarks/log_list.py

bench-log-list-load: setup-test ## how 200 reviewers at once are answered, on 10 million entries
	@$(BIN)/python benchmarks/log_list_load.py

bench-ship: setup-test ## how many entries a second are shipped, and how soon each
	@$(BIN)/python benchmarks/ship.py

bench-message-log: lab ## what logging costs a message, beside what others do
	@$(BIN)/python -m benchmarks.message_log $(BUILD)

lint: setup ## every linter, no warnings
	@$(BIN)/ruff check . bin/lab bin/steps
	@$(BIN)/ruff format --check . bin/lab bin/steps
	@$(BIN)/mypy
	@$(BIN)/yamllint --strict .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline -q
	@$(BIN)/djlint --check --lint --quiet templates
	@$(BIN)/djlint --check --lint --quiet --profile django --indent 2 compliance/loglist/templates
	@! git grep -nE '^(<{7}|>{7}) ' # what a merge left behind

format: setup ## let the formatters write
	@$(BIN)/ruff check --fix -q . bin/lab bin/steps
	@$(BIN)/ruff format -q . bin/lab bin/steps

lock: setup ## resolve the Python environment anew (see requirements/)
	@for name in uv control; do \
	  $(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
	    --no-annotate -c requirements/debian13.txt $$([ $$name = control ] && echo pyproject.toml) \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
