# One command each. `make run` needs Go and nothing else.

SHELL    := bash
FUZZTIME ?= 10s
BENCH    ?=
ROUNDS   ?= 10
# Tests of one package run beside those of another; two cores bear two at once.
PARALLEL ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

.PHONY: run build test bench chaos fuzz lint dev assets generate ci

run: build  ## build and serve on LISTEN with the files in DATA
	$(if $(DATA),DATA_DIR=$(DATA)) exec ./lobstead serve

build:  ## one static binary
	bin/build lobstead

# What keeps rows or queues is tested again on the second pair of services.
PAIRED := ./engine/agent/... ./engine/provision/... ./engine/billing ./engine/outbox ./engine/llm/door ./jobs/... ./app
# These drive sandboxes, the built program or a browser from outside: one at a time, and no race detector in the driver.
OUTSIDE := ./engine/sandbox/process ./app/browsertest ./app/chaostest $(addprefix ./,$(wildcard views/*/gallery))

# The race detector slows SQLite, which is Go here, tenfold: what lives in the database is watched on Postgres, and of the
# edge the tests of streams; the rest of its tests are one request after the other.
LIVELY := Live|Stream|Leav|Shutdown|Burst

# One phase that fails does not hide the next. What drives sandboxes is linked as the product is: without a C library,
# because some of them have none inside.
test:  ## everything on SQLite, then what keeps rows on Postgres and Redis, then browsers; says what it left out
	CGO_ENABLED=0 go vet ./...
	bin/services bash -c 'status=0; \
	  CGO_ENABLED=1 go test -race -p $(PARALLEL) -timeout 30m $$(go list ./... | grep -vE "/(models|app|process|browsertest|chaostest|gallery)$$") || status=1; \
	  CGO_ENABLED=1 go test -race -timeout 30m -run "$(LIVELY)" ./app || status=1; \
	  LOBSTEAD_TEST_PAIR=postgres CGO_ENABLED=1 go test -race -timeout 30m ./models || status=1; \
	  LOBSTEAD_TEST_PAIR=postgres CGO_ENABLED=0 go test -p $(PARALLEL) -timeout 30m $(PAIRED) || status=1; \
	  CGO_ENABLED=0 go test -p 1 -timeout 30m ./models ./app $(OUTSIDE) || status=1; \
	  exit $$status'

bench:  ## beside its peers on this machine, into docs/benchmarks.md; BENCH=expression runs Go benchmarks instead
	$(if $(BENCH),bin/services go test -run '^$$' -bench '$(BENCH)' -benchmem -p 1 ./...,bin/services go run ./docs/bench)

chaos:  ## kills, freezes, floods: ROUNDS times what the suite does
	CHAOS_ROUNDS=$(ROUNDS) bin/services go test -count 1 -timeout 2h -v ./app/chaostest

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
