# make demo   build, start five daemons on loopback, run a real job, check everything, clean up
# make test   set up, check the house rules, run every test
# See README.md.

SWIFT ?= swift
RELEASE := -c release --static-swift-stdlib

.PHONY: all build release demo test tidy bench install clean

all: build

build:
	@bash scripts/setup.sh
	$(SWIFT) build

release:
	@bash scripts/setup.sh
	$(SWIFT) build $(RELEASE) --product tallyd
	$(SWIFT) build $(RELEASE) --product tally

demo: release
	@"$$($(SWIFT) build $(RELEASE) --show-bin-path)/tally" demo $(DEMO)

test:
	@bash scripts/test.sh

tidy:
	@bash scripts/tidy.sh

bench:
	$(SWIFT) run -c release tally-bench

clean:
	rm -rf .build
