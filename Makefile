# make            builds build/hinomi (dependencies must be there; `make run` and `make check` install them)
# make run        installs, builds and starts the demo
# make check      installs, builds and tests everything (at most 25 minutes on two cores)
# make check-full the long campaigns: crashes, faults, fuzzing (resumable; docs/campaigns.md)
BUILD ?= build

all: web
	@tools/configure $(BUILD)
	@ninja -C $(BUILD) --quiet

deps:
	@tools/install_dependencies build

test-deps:
	@tools/install_dependencies tests

web/dist/index.html: $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)
	@cd web && npm ci --silent --no-audit --no-fund && npm run --silent build

web: web/dist/index.html

run: deps all
	@exec $(BUILD)/hinomi demo

check: test-deps all
	@cd tests/browser && npm ci --silent --no-audit --no-fund
	@python3 tests/check.py --build $(BUILD)

check-full: test-deps all
	@python3 tests/check.py --build $(BUILD) --full

asan: web
	@tools/configure build-asan -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-asan --quiet
	@python3 tests/check.py --build build-asan --unit

tsan: web
	@tools/configure build-tsan -Db_sanitize=thread -Db_lundef=false
	@ninja -C build-tsan --quiet
	@python3 tests/check.py --build build-tsan --unit

fuzz: web
	@CC=clang CXX=clang++ tools/configure build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-fuzz --quiet
	@python3 tests/fuzz/run.py --build build-fuzz --seconds $${SECONDS_EACH:-60}

bench: all
	@python3 bench/run.py --build $(BUILD)
	@python3 bench/detect.py --build $(BUILD)
	@python3 bench/decode.py --build $(BUILD)

tidy:
	@clang-format --dry-run -Werror $(shell git ls-files 'src/*.c' 'src/*.h' 'tests/*.c')

analyze: all
	@tools/analyze $(BUILD)

clean:
	rm -rf build build-asan build-tsan build-fuzz web/dist

.PHONY: all deps test-deps web run check check-full asan tsan fuzz bench tidy analyze clean
