# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Thin front of meson; `make help` lists what it knows.

BUILD ?= build
GUEST ?= testpmd
TIME ?= 10
# Mebibytes of 2 MiB hugepages that a demo or test run reserves while it runs.
HUGE_MIB ?= 1536
MESON_ARGS ?=
TEST_ARGS ?=

hugepages = config/with-hugepages.sh $(HUGE_MIB)

.PHONY: all deps demo test bench figures fuzz install clean format help

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "meson is missing: run 'make deps' first"; exit 1; }
	meson setup $(BUILD) $(MESON_ARGS)

deps:
	@config/install-packages.sh

# These are recipes, not prerequisites, so that nothing is built before it can be.
demo: deps
	@$(MAKE) --no-print-directory all
	@$(hugepages) test/demo/run --build $(BUILD) --guest $(GUEST) --time $(TIME)

test: deps
	@$(hugepages) test/run $(TEST_ARGS)

bench: deps
	@$(MAKE) --no-print-directory all
	@$(hugepages) test/bench/run --build $(BUILD)

# The figures, tables and plots of doc/performance.md.
figures: deps
	@$(MAKE) --no-print-directory all
	@$(hugepages) doc/plots/run --build $(BUILD)

# A minute a target, FUZZ_SECONDS=N for longer.
fuzz: deps
	@test/fuzz/run

install: all
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) build-test build-fuzz

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

help:
	@echo "make            build into $(BUILD)/ (MESON_ARGS='-Dprefix=/usr ...' for the first time)"
	@echo "make deps       install the Debian packages of config/packages.txt that are missing"
	@echo "make demo       relay traffic of a testpmd guest for TIME=10 seconds, with a summary"
	@echo "make demo GUEST=qemu   the same with a booted Linux guest that pings through a tap"
	@echo "make test       all tests; ends with 'N passed, N failed, N skipped'"
	@echo "                TEST_ARGS='gcc format' runs only those parts, see test/run --help"
	@echo "make bench      benchmarks"
	@echo "make figures    the benchmarks, and doc/performance.md with their figures and plots"
	@echo "make fuzz       fuzz relay and vDPA driver with libFuzzer under ASan and UBSan, a minute a"
	@echo "                target (FUZZ_SECONDS=60); finds and how to repeat them: doc/testing.md"
	@echo "make install    install what was built (DESTDIR=dir is honoured)"
	@echo "make format     lay out all C files with clang-format"
	@echo "make clean      remove what the above have built"
	@echo "deps, demo, test, bench and figures work as root from a clean clone; all but deps reserve"
	@echo "HUGE_MIB=$(HUGE_MIB) MiB of hugepages if too few are free, and give them back at the end."
