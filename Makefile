# The only entries a person needs. Everything slow is cached outside the checkout, below $(CACHE).

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/haengine
export CARGO_TARGET_DIR ?= $(CACHE)/target
export HAENGINE_CACHE := $(CACHE)
export CARGO_TERM_COLOR ?= auto
# Set by the person who runs haengine, not by the tests.
unexport HAENGINE_STATE_DIR HAENGINE_LOG

# A suite that is piped fails as a whole.
SHELL := bash
.SHELLFLAGS := -o pipefail -c

SAY = printf '\n==> %s\n'

# The tests are two queues, side by side where two clusters find room: one waits for its hosts while the other works.
QUEUES ?= $(shell awk '/^MemTotal/ { print ($$2 > 7000000) ? 2 : 1 }' /proc/meminfo)
ASIDE := balancer laws members
SUITES := $(basename $(notdir $(wildcard */tests/*.rs engine/*/tests/*.rs))) \
  $(notdir $(patsubst %/main.rs,%,$(wildcard */tests/*/main.rs engine/*/tests/*/main.rs)))
# The generated calls are the same each time; others are looked for by `make test-long`.
TEST := HAENGINE_SEED=$${HAENGINE_SEED:-7} cargo test --locked --workspace $(if $(CI),--no-fail-fast)

LONG := cargo test --locked --workspace --no-fail-fast

# What each queue said, from which what failed is told once more at the end, where it is seen.
LOGS := $(CARGO_TARGET_DIR)/test-logs
KEPT = (trap '' INT; exec tee "$(LOGS)/$@.log")
BESIDE = (trap '' INT; exec sed -u 's/^/aside: /')
TOLD = { awk -f tests/failures.awk "$(LOGS)"/*.log; exit 1; }

.PHONY: help demo demo-down test queue-1 queue-2 test-long long-1 long-2 lint bench build tools clean

help:
	@printf '%s\n' \
	  'make demo        a second master in a real cluster, on hosts that it makes on this machine (as root)' \
	  'make demo-down   these hosts are gone' \
	  'make test        everything that proves it, on real hosts that it makes on this machine (as root)' \
	  'make test-long   the rarer layouts of clusters, every crash and mishap, drills, and many generated calls; fuzzing (as root)' \
	  'make build       the haengine binary, optimised' \
	  'make lint        format, clippy, documentation, scripts, and what it is built from' \
	  'make bench       our times beside those of pyinfra, Ansible, OpenSSH and a shell script; drills (as root)'

demo: tools
	@$(SAY) 'build (the first time: some minutes)'
	@$(MAKE) --no-print-directory build
	@sh tests/demo/run.sh "$(CARGO_TARGET_DIR)/release/haengine" up

demo-down:
	@sh tests/demo/run.sh "$(CARGO_TARGET_DIR)/release/haengine" down

build:
	cargo build --release --locked -p haengine
	@echo "built $(CARGO_TARGET_DIR)/release/haengine"

tools:
	@$(SAY) 'tools that the tests need'
	@sh tests/tools.sh

test: tools
	@$(SAY) 'build'
	cargo build --locked --workspace --all-targets
	@$(SAY) 'hosts to test on (the first time: about two minutes)'
	@sh tests/hosts.sh "$(CARGO_TARGET_DIR)/debug/haengine"
	@$(SAY) 'tests, $(QUEUES) suites at once (QUEUES=1: one after the other)'
	@rm -rf "$(LOGS)" && mkdir -p "$(LOGS)"
	@$(MAKE) --no-print-directory $(if $(CI),-k) -j$(QUEUES) queue-1 queue-2 || $(TOLD)
	$(TEST) --doc -- --test-threads=2
	@$(SAY) 'all tests passed'

queue-1:
	$(TEST) --lib --bins $(addprefix --test ,$(sort $(filter-out $(ASIDE),$(SUITES)))) -- --test-threads=2 2>&1 | $(KEPT)

# After Ctrl-C the hosts are still taken down, and that is told.
queue-2:
	$(TEST) $(addprefix --test ,$(ASIDE)) -- --test-threads=2 2>&1 | $(KEPT) | $(BESIDE)

test-long: tools
	@$(SAY) 'build'
	cargo build --locked --workspace --all-targets
	@$(SAY) 'hosts to test on (the first time: about two minutes)'
	@sh tests/hosts.sh "$(CARGO_TARGET_DIR)/debug/haengine"
	@$(SAY) 'long tests, $(QUEUES) queues at once (QUEUES=1: one after the other)'
	@rm -rf "$(LOGS)" && mkdir -p "$(LOGS)"
	@$(MAKE) --no-print-directory -k -j$(QUEUES) long-1 long-2 || $(TOLD)
	@$(SAY) 'all long tests passed'

# Crashes of add_master take the time of all the others. What fails does not keep what follows from being played, but
# Ctrl-C does: a suite that takes its hosts down first ends like one that failed.
long-1:
	{ trap 'exit 130' INT; failed=0; \
	  $(LONG) --test crash -- --ignored add_master:: || failed=1; \
	  $(LONG) --test cluster --test world --test members -- --ignored || failed=1; \
	  exit $$failed; } 2>&1 | $(KEPT)

long-2:
	{ trap 'exit 130' INT; failed=0; \
	  $(LONG) --test crash -- --ignored --skip add_master:: || failed=1; \
	  $(LONG) --test balancer -- --ignored || failed=1; \
	  HAENGINE_LAWS=long $(LONG) --test laws -- ::password || failed=1; \
	  HAENGINE_LAWS=long $(LONG) --test laws -- ::broken || failed=1; \
	  HAENGINE_LAWS=long $(LONG) --test laws -- ::old || failed=1; \
	  HAENGINE_CASES=25 $(LONG) --test laws -- generated || failed=1; \
	  HAENGINE_STRANGERS=200 $(LONG) --test laws -- stranger || failed=1; \
	  $(LONG) --test laws -- --ignored guard || failed=1; \
	  HAENGINE_MUTATIONS=1000 $(LONG) --test hostile || failed=1; \
	  sh tests/fuzz/run.sh "$(CACHE)" 60 || failed=1; \
	  exit $$failed; } 2>&1 | $(KEPT) | $(BESIDE)

lint: tools
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' cargo doc --locked --workspace --no-deps --document-private-items
	sh tests/shellcheck.sh
	sh tests/deny.sh "$(CACHE)"

bench: tools build
	@$(SAY) 'bench'
	@sh tests/bench/run.sh
	@$(SAY) 'what a client sees while a balancer, keepalived or an API server fails'
	cargo test --locked --workspace --test balancer drill

clean:
	rm -rf "$(CARGO_TARGET_DIR)"
