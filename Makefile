# Each target sets up what it needs first; see scripts/setup.
.DEFAULT_GOAL := help
.PHONY: help demo serve test check bench web format lint types layers unit web-check clean

EXAMPLES := example-dedup example-studio example-voice example-drawings example-analysis
.PHONY: $(EXAMPLES)

RUN := .venv/bin/
PYTEST := $(RUN)python -m pytest
PORT ?= 8400
# For two cores: much of what tests do is wait, for a token to end or a client to come back.
WORKERS ?= 3
# Each on a core of its own; what one of them says stays in one piece, where make can do that.
CHECKS := $(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) lint types layers web-check

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Watch a real job in a real page
	@scripts/setup python web
	@$(RUN)headway demo --port $(PORT)

serve: ## Start a server
	@scripts/setup python web
	@$(RUN)headway serve --port $(PORT)

example-dedup: ## Find duplicate questions: Flask beside Headway, Socket.IO
example-studio: ## Paint pictures from a few words: every device in step, Socket.IO
example-voice: ## Read a book aloud: RQ on Valkey, Socket.IO
example-drawings: ## Analyse drawings: Celery on Valkey, raw WebSocket
example-analysis: ## Analyse prices: FastAPI with Headway mounted, an inbox
$(EXAMPLES): example-%:
	@scripts/setup examples
	@$(RUN)python -m examples.$* $(if $(filter command% environment,$(origin PORT)),--port $(PORT))

test: ## Run every test
	@scripts/setup python npm web browser
	@$(CHECKS)
	$(PYTEST) -n $(WORKERS) --dist loadfile -q

check: ## The fast loop: format, lint, types, layers, unit tests
	@scripts/setup python npm
	@$(CHECKS)
	@$(MAKE) --no-print-directory unit

bench: ## Measure, beside bare probes and peers
	@scripts/setup python
	$(RUN)python -m benchmarks

web: ## Build the pages
	@scripts/setup web

format: ## Format everything
	@scripts/setup python npm
	$(RUN)ruff format
	$(RUN)ruff check --fix
	scripts/npm run --silent fix

lint:
	$(RUN)ruff format --check
	$(RUN)ruff check

types:
	$(RUN)mypy

layers:
	$(RUN)lint-imports --no-logo

unit:
	$(PYTEST) -q -n 2 --dist loadfile -m "not slow and not browser"

web-check:
	scripts/npm run --silent check
	scripts/npm test --silent

clean: ## Remove what was installed and built here
	rm -rf .venv .tools web/node_modules src/headway/server/static dist
