# Kesu's way in. `make demo` and `make test` need Go and make, and nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

GO       ?= go
BIN      := bin
FUZZTIME ?= 2m

# What the functions are built with, here and for Lambda: static, small, and the same bytes for the same commit.
FUNCTION_FLAGS := -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w'

# The race detector needs a C compiler. A machine with only Go has none; the tests then run without it and say so.
RACE := $(shell command -v "$$($(GO) env CC)" >/dev/null 2>&1 && echo -race)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-zA-Z_-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## do the main job once, on gateways of this machine, and check every result
	@$(BIN)/kesu demo

.PHONY: test
test: ## run every test
	@command -v moto_server >/dev/null 2>&1 || echo "left out: the DynamoDB ledger against moto_server, which is not installed (pip install 'moto[server]')"
	@test -n "$(RACE)" || echo "left out: the race detector, which needs a C compiler"
	$(GO) test $(RACE) -timeout 15m ./...

.PHONY: run
run: build ## serve both functions on http://127.0.0.1:3000, with gateways of this machine behind them
	@$(BIN)/kesu run

.PHONY: build
build: ## build the functions and the kesu command into bin/
	@mkdir -p $(BIN)/functions
	CGO_ENABLED=0 $(GO) build $(FUNCTION_FLAGS) -o $(BIN)/functions/ ./functions/reply ./functions/complete
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/kesu ./cmd/kesu

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
simulate: ## a million commands with faults in three of ten steps (about five minutes)
	$(GO) test ./internal/simulation -run '^TestMillion$$' -count=1 -timeout 30m -v

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN) coverage.out .aws-sam
