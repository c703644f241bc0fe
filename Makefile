# Kesu's way in. `make demo` and `make test` need Go and make, and nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

GO       ?= go
BIN      := bin
FUZZTIME ?= 2m

# What the functions are built with, here and for Lambda: static, small, and the same bytes for the same commit.
FUNCTION_FLAGS = -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w $(VERSION_FLAG)'

# The commit that is built, for the first line of the functions' log, User-Agent and kesu --version.
VERSION      = $(shell git -C '$(dir $(abspath $(firstword $(MAKEFILE_LIST))))' describe --tags --always --dirty --abbrev=12 2>/dev/null)
VERSION_FLAG = -X github.com/kesu-go/kesu/internal/version.commit=$(VERSION)

# The race detector needs a C compiler. A machine with only Go has none; the tests then run without it and say so.
RACE := $(shell command -v "$$($(GO) env CC)" >/dev/null 2>&1 && echo -race)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-zA-Z_-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## do the main job once, on gateways of this machine, and check every result
	@$(BIN)/kesu demo

# Never from Go's cache: the tests that drive the compiled functions build them in a process of their own, so the cache
# does not see that a function has changed.
.PHONY: test
test: ## run every test
	@command -v moto_server >/dev/null 2>&1 || echo "left out: DynamoDB and SQS as moto_server plays them, which is not installed (pip install 'moto[server]')"
	@command -v chromium >/dev/null 2>&1 || echo "left out: the console in a browser, which needs Chromium (make test-browser)"
	@command -v dynalite >/dev/null 2>&1 || echo "left out: sixteen processes that race for keys on dynalite, which is not installed (npm install --global dynalite)"
	@test -n "$(RACE)" || echo "left out: the race detector, which needs a C compiler"
	$(GO) test $(RACE) -count=1 -timeout 40m ./...

.PHONY: run
run: build ## serve the functions on http://127.0.0.1:3000, with gateways of this machine behind them
	@$(BIN)/kesu run

.PHONY: build
build: ## build the functions and the kesu command into bin/
	@mkdir -p $(BIN)/functions
	CGO_ENABLED=0 $(GO) build $(FUNCTION_FLAGS) -o $(BIN)/functions/ ./functions/reply ./functions/complete ./functions/watch
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(VERSION_FLAG)' -o $(BIN)/kesu ./cmd/kesu

.PHONY: lint
lint: ## gofmt, vet and staticcheck; prints nothing when all is well
	@unformatted="$$(gofmt -l $$(git ls-files '*.go'))"; test -z "$$unformatted" || { echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; }
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...
	@$(GO) mod tidy -diff

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (2m) each
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "== $$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzzminimizetime 20x -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

.PHONY: cover
cover: ## measure the statement coverage of pkg/, and fail below 90 %
	@$(GO) test -coverprofile=coverage.out ./pkg/... >/dev/null
	@$(GO) tool cover -func=coverage.out | awk '/^total:/ { sub("%", "", $$3); print "pkg/: " $$3 " % of statements"; exit $$3 < 90 }'

.PHONY: simulate
COMMANDS ?= 400000
simulate: ## 400,000 commands with faults in three of ten steps (under five minutes on two cores); COMMANDS=1000000 for a million
	$(GO) test ./internal/simulation -run '^TestSimulation$$' -count=1 -timeout 30m -v -args -commands=$(COMMANDS)

# axe-core looks at the console as a screen reader would. It serves the tests only.
AXE := .cache/axe

$(AXE)/stamp: internal/console/testdata/axe/package-lock.json
	@mkdir -p $(AXE)
	@cp internal/console/testdata/axe/package.json internal/console/testdata/axe/package-lock.json $(AXE)/
	@npm ci --prefix $(AXE) --no-audit --no-fund --ignore-scripts --silent
	@touch $@

.PHONY: test-browser
test-browser: $(AXE)/stamp ## drive the console in a real Chromium, which must be installed; needs npm for axe-core. PICTURES=1 makes docs/images anew
	KESU_REQUIRE_BROWSER=1 KESU_REQUIRE_AXE=1 $(if $(PICTURES),KESU_SCREENSHOTS='$(abspath docs/images)') $(GO) test ./internal/console -run Browser -count=1 -timeout 10m

.PHONY: bench
bench: ## measure every figure beside its yardstick, and write docs/performance.md (about five minutes)
	$(GO) run ./internal/bench/cmd

.PHONY: bench-peers
bench-peers: ## the same completion by Kesu and by two other libraries
	cd bench/peers && $(GO) test -bench . -benchmem -run '^Test' .

# What the clients of peers/ need is installed into .cache/peers, anew when a version changes.
PEERS := .cache/peers

$(PEERS)/stamp: scripts/peers-install peers/node/package-lock.json peers/python/requirements.txt peers/java/pom.xml
	@scripts/peers-install $(PEERS)
	@touch $@

.PHONY: peers
peers: $(PEERS)/stamp ## let other people's clients use the sandbox, and write the table of docs/sandbox.md; needs Node, Python, Java, Maven and PHP
	cd peers && $(GO) run . -tools "$(abspath $(PEERS))" -docs ../docs

# What the examples need is installed into .cache/examples, anew when a version changes.
EXAMPLES := .cache/examples

$(EXAMPLES)/stamp: scripts/examples-install examples/node/package-lock.json examples/python/requirements.txt examples/java/pom.xml
	@scripts/examples-install $(EXAMPLES)
	@touch $@

.PHONY: examples
examples: $(EXAMPLES)/stamp ## run each program of examples/ against the local gateway; needs Node, Python, Java, Maven, PHP with AsyncAws, and moto
	KESU_EXAMPLES="$(abspath $(EXAMPLES))" $(GO) test -count=1 ./internal/examples

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN) coverage.out .aws-sam

# --- Deployment (AWS SAM). The tools come from PyPI into .venv, which python3 and the network are needed for once.

VENV := .venv

$(VENV)/stamp: scripts/requirements.txt
	@scripts/install-sam $(VENV)

.PHONY: validate
validate: $(VENV)/stamp ## check template.yaml, api/ and events/ with every linter and test; prints nothing but the tests' result when all is well
	@PATH="$(abspath $(VENV))/bin:$$PATH" scripts/validate
	@KESU_REQUIRE_SAM=1 KESU_SAM_PYTHON="$(abspath $(VENV))/bin/python" $(GO) test -count=1 -timeout 20m ./api ./internal/template/...

ENV ?= default

.PHONY: deploy
deploy: $(VENV)/stamp build ## deploy the stack ENV of samconfig.toml (default) after showing what changes; PARAMETERS="A=x B=y"; DRY=1 into moto on this machine
	@PATH="$(abspath $(VENV))/bin:$$PATH" scripts/deploy --config-env $(ENV) $(if $(DRY),--dry) $(if $(YES),--yes) $(PARAMETERS)

.PHONY: sam-build
sam-build: $(VENV)/stamp ## build the functions for Lambda into .aws-sam/build (ARCHITECTURE=x86_64 for the other processor)
	@PATH="$(abspath $(VENV))/bin:$$PATH" scripts/sam-build $(ARCHITECTURE)

.PHONY: sam-package
sam-package: $(VENV)/stamp ## build twice, compare the bytes, and measure the zips
	@PATH="$(abspath $(VENV))/bin:$$PATH" scripts/sam-package $(ARCHITECTURE)

.PHONY: sam-local
sam-local: build ## run events/, both routes and notifications through sam local and compare with the local gateway; needs Docker
	@scripts/sam-local $(VENV)

# sam build calls these, with ARTIFACTS_DIR set, in the folder that template.yaml names for the Architecture: its goarch.mk
# says what to build for.
-include goarch.mk
GOARCH ?= arm64
ROOT   := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))

.PHONY: build-ReplyFunction build-CompleteFunction build-WatchFunction
build-ReplyFunction:
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) $(GO) build -C $(ROOT) $(FUNCTION_FLAGS) -o $(ARTIFACTS_DIR)/bootstrap ./functions/reply
build-CompleteFunction:
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) $(GO) build -C $(ROOT) $(FUNCTION_FLAGS) -o $(ARTIFACTS_DIR)/bootstrap ./functions/complete
build-WatchFunction:
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) $(GO) build -C $(ROOT) $(FUNCTION_FLAGS) -o $(ARTIFACTS_DIR)/bootstrap ./functions/watch
