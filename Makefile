# One command each. `make run` needs Go and nothing else.

SHELL    := bash
FUZZTIME ?= 10s
BENCH    ?=
ROUNDS   ?= 10
MINUTES  ?= 5
RUN      ?=
# Tests of one package run beside those of another; two cores bear two at once.
PARALLEL ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

.PHONY: run build test bench chaos fuzz lint dev assets generate ci

run: build  ## build and serve on LISTEN with the files in DATA
	$(if $(DATA),DATA_DIR=$(DATA)) exec ./lobstead serve

build:  ## one static binary
	bin/build lobstead

# These drive sandboxes, the built program or a browser from outside: one at a time, and no race detector in the driver.
OUTSIDE := ./engine/sandbox/process ./app/browsertest ./app/chaostest
GALLERIES := $(addprefix ./,$(wildcard views/*/gallery))

# The race detector slows SQLite, which is Go here, tenfold, and compiles everything a second time: it watches what shares
# memory between goroutines, what lives in the database on Postgres, and of the edge the tests of streams.
RACED := ./kit/... ./engine/llm/... ./engine/agent/... ./engine/provision/... ./engine/billing ./engine/outbox ./jobs/... ./models
LIVELY := Live|Stream|Leav|Shutdown|Burst
# `go vet` looks at everything once, so that `go test` need not again; and a test's binary is no place for a debugger.
TEST := go test -vet=off -ldflags=-w -timeout 30m

# One phase that fails does not hide the next. What drives sandboxes is linked as the product is: without a C library,
# because some of them have none inside.
test:  ## everything on SQLite, then what keeps rows on Postgres and Redis, then browsers; says what it left out
	CGO_ENABLED=0 go vet ./...
	bin/services bash -c 'status=0; \
	  CGO_ENABLED=0 $(TEST) -p $(PARALLEL) $$(go list ./... | grep -vE "/(process|browsertest|chaostest|gallery)$$") || status=1; \
	  LOBSTEAD_TEST_PAIR=postgres CGO_ENABLED=1 $(TEST) -race -p $(PARALLEL) $(RACED) || status=1; \
	  CGO_ENABLED=1 $(TEST) -race -run "$(LIVELY)" ./app || status=1; \
	  LOBSTEAD_TEST_PAIR=postgres CGO_ENABLED=0 $(TEST) -p $(PARALLEL) ./app ./engine/automate ./engine/files || status=1; \
	  CGO_ENABLED=0 $(TEST) -p 1 $(OUTSIDE) || status=1; \
	  CGO_ENABLED=0 $(TEST) -p $(PARALLEL) $(GALLERIES) || status=1; \
	  exit $$status'

bench:  ## beside its peers on this machine, into docs/benchmarks.md; BENCH=expression runs Go benchmarks instead
	$(if $(BENCH),bin/services go test -run '^$$' -bench '$(BENCH)' -benchmem -p 1 ./...,bin/services go run ./docs/bench)

chaos:  ## kills, freezes, floods: ROUNDS times what the suite does, the automations for MINUTES; RUN=Automations for these alone
	CGO_ENABLED=0 CHAOS_ROUNDS=$(ROUNDS) CHAOS_MINUTES=$(MINUTES) bin/services go test -vet=off -count 1 -timeout 3h -v -run '$(RUN)' ./app/chaostest

fuzz:  ## each fuzz target for FUZZTIME
	bin/fuzz $(FUZZTIME)

lint:  ## the linters, where they can be had
	bin/lint

dev:  ## serve, and build again when a source changes
	bin/dev

assets:  ## vendored scripts and the built CSS
	bin/assets

generate:  ## Go from the templ files
	go tool templ generate

ci:  ## every gate
	bin/ci
