# fieldgate: what there is to run. `make` alone lists it.
#
# make's own exit status is 0 when the target succeeded and 2 when it did not.

.DEFAULT_GOAL := help
.PHONY: help demo bench test mysql soak soak-fuzz soak-queue soak-drain soak-faults soak-standby soak-power soak-galera \
	lint deb firmware field-test setup

release := $(or $(CARGO_TARGET_DIR),target)/release
mysql_folder := $(or $(CARGO_TARGET_DIR),target)/rigs/mysql-server
galera_folder := $(or $(CARGO_TARGET_DIR),target)/rigs/galera
firmware_folder := $(or $(CARGO_TARGET_DIR),target)/mailbox

help:
	@echo "make demo         build, then watch readings survive broken parts; ARGS=--keep-open leaves everything running"
	@echo "make bench        measure queue, drain and MQTT beside the plainest thing that does the same; ONLY=queue|drain|mqtt"
	@echo "make test         every test, against a real MariaDB and a real mosquitto, and MySQL where it is at hand"
	@echo "make mysql        fetch a MySQL server for the tests into the build folder (400 MB); MYSQLD=PATH names another one"
	@echo "make soak         fuzz: 6 minutes of changed bytes; queue, drain: 10 million readings that wait; faults: 500 random"
	@echo "                  sequences of faults of servers and gateway, 100 in which gateways promote, 50 promotions of lagging"
	@echo "                  replicas; standby: two gateways broken in every way (their power cuts take root), and a million random"
	@echo "                  sequences of them in a model; power, which takes root: 1000 power cuts, 2000 kills, 3000 damaged files,"
	@echo "                  full disks;"
	@echo "                  ONLY=fuzz|queue|drain|faults|standby|power"
	@echo "                  ONLY=galera, no part of a plain soak as it fetches packages (5 MB) into the build folder: three"
	@echo "                  members of a Galera cluster that die and come back"
	@echo "make lint         format, clippy and the dependency policy (deny.toml)"
	@echo "make firmware     the mailbox between two gateways: build its firmware, and test it on a simulated board; takes a"
	@echo "                  compiler for AVR (22 MB to fetch)"
	@echo "make deb          the Debian package for this machine's architecture"
	@echo "make field-test   that package installed in booted Debian 12 and 13; takes root"
	@echo
	@echo "All but lint first install with apt what they need and do not find, after naming it;"
	@echo "with NO_INSTALL=1 they name it and stop."

demo: setup
	@echo "demo: building the release programs"
	@cargo build --locked --release --package fieldgate --package fieldgate-tests --bins
	@echo "demo: $(release)/demo $(ARGS)"
	@exec $(release)/demo $(ARGS)

bench: setup
	@echo "bench: building the release programs"
	@cargo build --locked --release --package fieldgate --package fieldgate-tests --bins
	@echo "bench: $(release)/bench $(if $(ONLY),--only $(ONLY))"
	@exec $(release)/bench $(if $(ONLY),--only $(ONLY))

# The tests start the programs themselves, and a test does not build another package's program: so they are built first.
# nextest does not run the examples in the documentation; cargo does.
test: setup
	@echo "test: building the programs that the tests start"
	@cargo build --locked --package fieldgate --package fieldgate-tests --bins
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo "test: cargo nextest, then the examples in the documentation"; \
		cargo nextest run --locked --workspace && cargo test --locked --workspace --doc --quiet; \
	else \
		echo "test: cargo test (cargo-nextest is not installed)"; \
		cargo test --locked --workspace; \
	fi
	@echo "test: passed"
	@echo "not in this run:"
	@sh tests/mysql.sh find $(mysql_folder) >/dev/null || \
		echo "    MySQL servers: none is at hand; make mysql fetches one, MYSQLD=PATH names one"
	@{ command -v avr-gcc && [ -e /usr/include/simavr/sim_avr.h ]; } >/dev/null || \
		echo "    the mailbox's firmware on a simulated board: no compiler or simulator for AVR is at hand; make firmware installs them"
	@[ "$$(id -u)" -eq 0 ] || echo "    power cuts and full disks: they mount file systems, which takes root"
	@grep -rHo --include='*.rs' '#\[ignore = "[^"]*"' config sensors queue gateway tests \
		| sed 's/^\(.*\):#\[ignore = "\(.*\)"$$/    a test in \1: \2/'

# Never by itself: a stranger's make test installs what Debian stable has, and no more.
mysql:
	@sh tests/mysql.sh fetch $(mysql_folder)

# Part by part, the short one first. Only power mounts file systems. Galera fetches packages, so it runs on request only.
soak:
	@case "$(ONLY)" in ""|fuzz|queue|drain|faults|standby|power|galera) ;; \
		*) echo "soak: no part $(ONLY); there are: fuzz, queue, drain, faults, standby, power, galera" >&2; exit 2 ;; esac
	@case "$(ONLY)" in fuzz|queue|drain|faults|standby|galera) ;; \
		*) [ "$$(id -u)" -eq 0 ] || { echo "soak: power mounts file systems: start it as root" >&2; exit 1; } ;; esac
	@sh tests/setup.sh $(if $(filter fuzz queue,$(ONLY)),build,tests)
	@echo "soak: building the release programs"
	@cargo build --locked --release --package fieldgate --package fieldgate-tests --bins
	@set -e; for part in $(or $(ONLY),fuzz queue drain faults standby power); do $(MAKE) --no-print-directory soak-$$part; done
	@[ -n "$(ONLY)" ] || echo "soak: not in this run: galera, which fetches packages: make soak ONLY=galera"

soak-fuzz:
	@echo "soak: fuzz, 6 minutes of changed bytes"
	@cargo test --locked --release --quiet --package fieldgate-tests --test fuzz -- --ignored --nocapture for_minutes

soak-queue:
	@echo "soak: $(release)/bench --only queue --soak"
	@$(release)/bench --only queue --soak

soak-faults:
	@echo "soak: 500 random sequences of faults of servers and gateway"
	@cargo test --locked --release --quiet --package fieldgate-tests --test random_faults -- --ignored --nocapture five_hundred
	@echo "soak: 50 promotions of lagging replicas, and 100 random sequences in which gateways promote and commands are killed"
	@cargo test --locked --release --quiet --package fieldgate-tests --test promotion -- --ignored --nocapture

soak-standby:
	@echo "soak: two gateways that are killed, frozen, starved and cut off, with their servers"
	@cargo test --locked --release --quiet --package fieldgate-tests --test standby -- --ignored --nocapture --test-threads 1
	@echo "soak: every order of more steps of two gateways, and a million random sequences, in a model"
	@cargo test --locked --release --quiet --package fieldgate-tests --test standby_model -- --ignored --nocapture --test-threads 1

soak-drain:
	@echo "soak: $(release)/bench --only drain --soak"
	@$(release)/bench --only drain --soak

soak-galera:
	@sh tests/galera.sh fetch $(galera_folder)
	@echo "soak: a Galera cluster whose members die and come back"
	@cargo test --locked --release --quiet --package fieldgate-tests --test galera -- --ignored --nocapture --test-threads 1

soak-power:
	@echo "soak: power cuts, kills, damaged files and full disks"
	@cargo test --locked --release --quiet --package fieldgate-tests --test storage -- --ignored --nocapture the_whole_table

lint:
	@echo "lint: format"
	@cargo fmt --all --check
	@echo "lint: clippy"
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then \
		echo "lint: dependency policy, cargo deny"; \
		cargo deny --locked check; \
	else \
		echo "lint: dependency policy, our own test (cargo-deny is not installed: advisories are not looked up)"; \
		cargo test --locked --quiet --package fieldgate-tests --test dependencies; \
	fi
	@echo "lint: clean"

deb:
	@sh tests/setup.sh deb
	@sh packaging/deb.sh

# Never by itself: the compiler is large, and few need it.
firmware:
	@sh tests/setup.sh firmware
	@$(MAKE) --no-print-directory -C packaging/firmware/mailbox BUILD=$(abspath $(firmware_folder))
	@cargo test --locked --quiet --package fieldgate-tests --test firmware -- --nocapture

# Boots machines, which takes root, so it is no part of `test`.
field-test:
	@sh packaging/test/install.sh

setup:
	@sh tests/setup.sh
