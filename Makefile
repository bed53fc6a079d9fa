# flow: the two commands of a fresh machine are `make demo` and `make test`.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BIN      := bin
GOLANGCI := v2.15.0

.PHONY: all build demo servers servers-clean test test-fast lint fmt docs oracle parquet bench bench-write pgo clean help

all: build

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## build bin/flow
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/flow ./cmd/flow

demo: build ## run config.example.hcl on an embedded broker, no server needed
	rm -rf demo && mkdir -p demo
	$(GO) run ./bench/orders/genorders -n 1000000 -bad 25 -o demo/orders.jsonl
	$(BIN)/flow run config.example.hcl
	@echo; echo "The results are in demo/:"; ls -l demo/*.jsonl | awk '{print "  " $$9 "  " $$5 " bytes"}'

servers: ## fetch the real servers of the tests into ~/.cache/flow-servers
	@$(GO) run ./internal/servers/fetch

servers-clean: ## remove the fetched servers
	@$(GO) run ./internal/servers/fetch -clean

test: servers ## all tests with the race detector
	$(GO) test -race -timeout 25m ./...

test-fast: ## tests without real servers and the long crash and overload loops
	$(GO) test -race -short -timeout 10m ./...

lint: $(BIN)/golangci-lint-$(GOLANGCI) ## gofmt, go vet and golangci-lint
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run: make fmt"; exit 1; }
	$(GO) vet ./...
	$(BIN)/golangci-lint-$(GOLANGCI) run ./...

$(BIN)/golangci-lint-$(GOLANGCI):
	GOBIN=$(CURDIR)/$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(BIN)/golangci-lint $@

fmt: ## gofmt everything
	gofmt -w .

docs: ## regenerate what is generated under docs/
	$(GO) test ./dsl ./dsl/expr/funcs ./cmd/flow -run 'Docs|Reference' -update

oracle: ## make the cases of testdata/oracle and have Kafka's and Avro's own Java answer them
	$(GO) run ./internal/oracle/regen

parquet: ## make the files of testdata/parquet: Apache Arrow writes some, and reads what flow has written
	$(GO) test ./connections/parquetfile -run ReadByArrow -update || true # it fails until Arrow has read the new file
	python3 -m venv $(BIN)/arrow && $(BIN)/arrow/bin/pip install -q pyarrow==26.0.1
	$(BIN)/arrow/bin/python testdata/parquet/make.py
	$(GO) test ./connections/parquetfile -run Arrow

bench: build ## compare flow with bare loops on this machine
	$(GO) run ./bench

bench-write: build ## the same, and write BENCHMARKS.md
	$(GO) run ./bench -write BENCHMARKS.md

pgo: build ## renew the profile that the compiler optimises cmd/flow by
	$(GO) run ./bench -runs 2 -profile cmd/flow/default.pgo

clean: ## remove what was built
	rm -rf $(BIN) demo .flow
