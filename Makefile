# SPDX-License-Identifier: MIT
# gatepass: "make help" lists the targets. Everything that is built goes to $(B).

VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
LIBDIR32 ?= $(PREFIX)/lib/i386-linux-gnu
LIBEXECDIR ?= $(PREFIX)/libexec/gatepass
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
SYSTEMDUSERUNITDIR ?= $(PREFIX)/lib/systemd/user
INSTALL ?= install
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3

# SAN=address|thread|undefined builds and tests an instrumented copy beside the plain one.
SAN ?=
B := build$(if $(SAN),-$(SAN))
Q := $(if $(V),,@)

AGENT_PACKAGES := gio-unix-2.0 libsecret-1 libcrypto
# Only headers: the library is loaded when it is needed, if it is there.
AGENT_HEADERS := $(AGENT_PACKAGES) krb5-gssapi
CLI_PACKAGES := gio-unix-2.0

FLAGS := -std=c17 -D_GNU_SOURCE -Iinclude -DGP_VERSION='"$(VERSION)"' -fPIC -fvisibility=hidden \
	-Wall -Wextra -Wshadow -Wformat=2 -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough \
	$(if $(DEVELOPER)$(CI),-Werror) -MMD -MP
# clang before 16 wants a second option for the third.
HARDEN := -fstack-protector-strong -fstack-clash-protection \
	$(shell $(CC) -ftrivial-auto-var-init=zero -xc -E /dev/null >/dev/null 2>&1 && echo -ftrivial-auto-var-init=zero) \
	$(if $(filter x86_64 i386,$(shell uname -m)),-fcf-protection=full) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer $(if $(filter undefined,$(SAN)),-fno-sanitize-recover=all),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
LINK := -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(if $(SAN),-fsanitize=$(SAN))
CFLAGS ?= -O2 -g
compile = $(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(HARDEN) $(1) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
link = $(Q)$(CC) $(CFLAGS) $(LINK) $(1) $(LDFLAGS) -o $@

objects = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c))
CORE := $(call objects,shim/core)
PRELOAD := $(call objects,shim/preload)
AGENT := $(call objects,shim/agent) $(if $(filter thread,$(SAN)),$(B)/obj/test-apps/tsan.o)
CLI := $(call objects,shim/cli)
UNIT := $(patsubst test-apps/unit/%.c,$(B)/unit/%,$(wildcard test-apps/unit/test_*.c))
AGENT_UNIT := $(patsubst test-apps/unit/%.c,$(B)/unit/%,$(wildcard test-apps/unit/agent_*.c))
DRIVERS := $(patsubst test-apps/drivers/%.c,$(B)/drivers/%,$(wildcard test-apps/drivers/*.c))
# What some victims are made with. Where it is missing they are left out, and their tests skipped.
LIBRARY_fetch_event := libevent
LIBRARY_fetch_gio := gio-2.0
LIBRARY_fetch_uv := libuv
can_build = $(if $(LIBRARY_$(1)),$(shell $(PKG_CONFIG) --exists $(LIBRARY_$(1)) && echo yes),yes)
APPS := $(foreach app,$(patsubst test-apps/apps/%.c,%,$(wildcard test-apps/apps/*.c)),$(if $(call can_build,$(app)),$(B)/apps/$(app))) \
	$(addprefix $(B)/apps/,connecting-fortified faults-fortified faults-early.so loop-fortified)
FUZZ := $(patsubst test-apps/fuzz/%.c,$(B)/fuzz/%,$(wildcard test-apps/fuzz/*.c))
BENCH := $(patsubst test-apps/bench/%.c,$(B)/bench/%,$(wildcard test-apps/bench/*.c)) $(B)/bench/empty.so
PROGRAMS := $(addprefix $(B)/,libgatepass.so gatepass-agent gatepassctl gatepass)
# In build/32 the library once more for 32-bit programs, where the compiler can (gcc-multilib),
# and some victims for it. Nothing of it is instrumented.
ifeq ($(SAN)$(shell uname -m),x86_64)
HAS_32 := $(shell $(CC) -m32 -shared -include sys/socket.h -xc /dev/null -o /dev/null 2>/dev/null && echo yes)
endif
PROGRAMS32 := $(if $(HAS_32),$(addprefix $(B)/32/,libgatepass.so gatepass-agent))
APPS32 := $(if $(HAS_32),$(addprefix $(B)/32/apps/,connecting echo_client faults loop names passage \
	$(foreach kind,fortified time64,connecting-$(kind) faults-$(kind) loop-$(kind))))
export CI SAN V
export GATEPASS_BUILD := $(abspath $(B))

.PHONY: all programs tests bench-programs deps demo check check-unit check-symbols check-layers check-headers check-docs \
	check-e2e check-fuzz check-foreign check-format fuzz soak bench install uninstall clean dist format lint top help
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

all: programs ## the library and the programs, usable as they are in build/
programs: $(PROGRAMS) $(PROGRAMS32)
tests: $(UNIT) $(AGENT_UNIT) $(DRIVERS) $(APPS) $(APPS32) $(FUZZ) $(B)/simproxy
bench-programs: $(BENCH) $(B)/simproxy

# Every program pays for the library's segments: without one for the code alone, loading costs a
# fifth less (33 instead of 41 microseconds where an empty library costs 24).
LINK_LIBRARY := -shared -Wl,--version-script=shim/preload/exports.map -Wl,-soname=libgatepass.so -Wl,-z,noseparate-code
$(B)/libgatepass.so: $(PRELOAD) $(CORE) shim/preload/exports.map
	$(call link,$(LINK_LIBRARY)) $(filter %.o,$^)
$(B)/32/libgatepass.so: $(patsubst $(B)/%,$(B)/32/%,$(PRELOAD) $(CORE)) shim/preload/exports.map
	$(call link,-m32 $(LINK_LIBRARY)) $(filter %.o,$^)
# Where that library looks for it.
$(B)/32/gatepass-agent: | $(B)/gatepass-agent
	$(Q)mkdir -p $(@D) && ln -sf ../gatepass-agent $@
$(B)/gatepass-agent: $(AGENT) $(CORE)
	$(call link,-pie) $^ $$($(PKG_CONFIG) --libs $(AGENT_PACKAGES))
$(B)/gatepassctl: $(CLI) $(CORE)
	$(call link,-pie) $^ $$($(PKG_CONFIG) --libs $(CLI_PACKAGES))
$(B)/gatepass: shim/cli/gatepass.sh Makefile
	$(Q)mkdir -p $(@D) && sed 's|@LIBDIR@|$(LIBDIR)|; s|@LIBEXECDIR@|$(LIBEXECDIR)|; s|@VERSION@|$(VERSION)|' $< > $@ && chmod 755 $@

# The library must not be compiled with 64-bit file offsets or times: its fcntl would become
# fcntl64, and its select __select64.
COMPILE_LIBRARY := -ftls-model=initial-exec -DGP_LIBEXECDIR='"$(LIBEXECDIR)"'
$(B)/obj/shim/preload/%.o: shim/preload/%.c Makefile
	$(call compile,$(COMPILE_LIBRARY))
$(B)/32/obj/shim/preload/%.o: shim/preload/%.c Makefile
	$(call compile,-m32 $(COMPILE_LIBRARY))
$(B)/obj/shim/core/%.o: shim/core/%.c Makefile
	$(call compile)
$(B)/32/obj/shim/core/%.o: shim/core/%.c Makefile
	$(call compile,-m32)
$(B)/obj/shim/agent/%.o: shim/agent/%.c Makefile | $(B)/packages
	$(call compile,$$($(PKG_CONFIG) --cflags $(AGENT_HEADERS)))
$(B)/obj/shim/cli/%.o: shim/cli/%.c Makefile | $(B)/packages
	$(call compile,$$($(PKG_CONFIG) --cflags $(CLI_PACKAGES)) -DGP_LIBEXECDIR='"$(LIBEXECDIR)"')
$(B)/obj/test-apps/%.o: test-apps/%.c Makefile
	$(call compile)
$(B)/packages:
	$(Q)$(PKG_CONFIG) --exists --print-errors '$(AGENT_HEADERS)' || { echo "Missing libraries: run 'make deps' (Debian, Ubuntu), or install their development files." >&2; exit 1; }
	$(Q)mkdir -p $(@D) && touch $@

$(B)/simproxy: $(call objects,test-apps/simproxy)
	$(call link,-pie) $^
$(B)/unit/test_%: test-apps/unit/test_%.c $(CORE) Makefile
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(HARDEN) $(CPPFLAGS) $(CFLAGS) $(LINK) -o $@ $< $(CORE) -lcmocka
$(B)/unit/agent_%: test-apps/unit/agent_%.c $(AGENT) $(CORE) Makefile
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(HARDEN) -Ishim/agent $$($(PKG_CONFIG) --cflags $(AGENT_HEADERS)) $(CPPFLAGS) $(CFLAGS) $(LINK) \
		-o $@ $< $(filter-out %/main.o,$(AGENT)) $(CORE) -lcmocka $$($(PKG_CONFIG) --libs $(AGENT_PACKAGES))
# Parts of the agent by themselves, for end-to-end tests.
$(B)/drivers/%: test-apps/drivers/%.c $(AGENT) $(CORE) Makefile
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(HARDEN) -Ishim/agent $$($(PKG_CONFIG) --cflags $(AGENT_HEADERS)) $(CPPFLAGS) $(CFLAGS) $(LINK) \
		-o $@ $< $(filter-out %/main.o,$(AGENT)) $(CORE) $$($(PKG_CONFIG) --libs $(AGENT_PACKAGES))
# The victims, and what is measured with us, are other people's programs: no flags of ours, no
# sanitizer. Some victims also in ways that make a program call libc by other names.
comma := ,
victim = $(Q)mkdir -p $(@D) && $(CC) -std=gnu17 -Wall -Wextra -O1 -g -MMD -MP -o $@ $< $(1) -lpthread
FORTIFIED := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
$(B)/apps/%: test-apps/apps/%.c Makefile
	$(call victim,$(if $(LIBRARY_$*),$$($(PKG_CONFIG) --cflags --libs $(LIBRARY_$*))))
$(B)/apps/%-fortified: test-apps/apps/%.c Makefile
	$(call victim,$(FORTIFIED))
# What is in LD_PRELOAD beside us, and begins before us.
$(B)/apps/%-early.so: test-apps/apps/%.c Makefile
	$(call victim,-DEARLY -fPIC -shared -Wl$(comma)-z$(comma)initfirst)
$(B)/32/apps/%: test-apps/apps/%.c Makefile
	$(call victim,-m32)
$(B)/32/apps/%-fortified: test-apps/apps/%.c Makefile
	$(call victim,-m32 $(FORTIFIED))
$(B)/32/apps/%-time64: test-apps/apps/%.c Makefile
	$(call victim,-m32 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64)
$(B)/bench/%: test-apps/bench/%.c Makefile
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -g -MMD -MP -o $@ $<
$(B)/bench/empty.so: Makefile
	$(Q)mkdir -p $(@D) && $(CC) -shared -fPIC -o $@ -x c /dev/null
$(B)/fuzz/%: test-apps/fuzz/%.c $(CORE) Makefile
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(HARDEN) $(CPPFLAGS) $(CFLAGS) $(LINK) -o $@ $< $(CORE)
$(B)/fuzz/agent_%: test-apps/fuzz/agent_%.c $(AGENT) $(CORE) Makefile
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) $(HARDEN) -Ishim/agent $$($(PKG_CONFIG) --cflags $(AGENT_HEADERS)) $(CPPFLAGS) $(CFLAGS) $(LINK) \
		-o $@ $< $(filter-out %/main.o,$(AGENT)) $(CORE) $$($(PKG_CONFIG) --libs $(AGENT_PACKAGES))
-include $(shell find $(B) -name '*.d' 2>/dev/null)

deps: ## install what building and testing need (apt; DEPS=build: building only, DEPS=lint: for lint)
	shim/packaging/deps $(DEPS)

demo: ## a local proxy that answers 407, a real keyring, and wget getting through
	@shim/packaging/deps --quiet
	@$(MAKE) --no-print-directory programs
	@PYTHONDONTWRITEBYTECODE=1 test-apps/e2e/demo

check: ## every test; ends with "N passed, N failed, N skipped"
	@shim/packaging/deps --quiet
	@$(MAKE) --no-print-directory programs tests
	@test-apps/run $(foreach part,symbols layers headers docs unit fuzz e2e,$(part))
check-unit check-symbols check-layers check-headers check-docs check-e2e check-fuzz: programs tests ## a part of it
	@test-apps/run $(@:check-%=%) $(TESTS)

check-foreign: programs tests ## other people's tests with the library and without (SUITES=names: a part of them)
	@PYTHONDONTWRITEBYTECODE=1 test-apps/foreign/foreign $(SUITES)

fuzz: ## fuzz each parser with libFuzzer for FUZZ_TIME seconds (clang)
	@test-apps/fuzz/fuzz $(or $(FUZZ_TIME),60)

soak: ## a storm of threads for SECONDS (600), then COUNT (200000) connections, all with flat memory
	@shim/packaging/deps --quiet
	@$(MAKE) --no-print-directory programs tests
	@SOAK_SECONDS=$(SECONDS) SOAK_COUNT=$(COUNT) PYTHONDONTWRITEBYTECODE=1 test-apps/e2e/soak

bench: ## our speed against its bars, beside what does without us (ROWS=names: a part of it)
	@shim/packaging/deps --quiet
	@$(MAKE) --no-print-directory programs bench-programs
	@PYTHONDONTWRITEBYTECODE=1 test-apps/bench/bench $(ROWS)

install: programs ## into $(DESTDIR)$(PREFIX)
	$(INSTALL) -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR) $(LIBEXECDIR) $(SYSTEMDUSERUNITDIR) \
		$(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man8 $(DATADIR)/bash-completion/completions $(DATADIR)/zsh/site-functions)
	$(INSTALL) -m 755 $(B)/gatepass $(B)/gatepassctl $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 755 $(B)/gatepass-agent $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -m 644 $(B)/libgatepass.so $(DESTDIR)$(LIBDIR)
	$(if $(HAS_32),$(INSTALL) -D -m 644 -t $(DESTDIR)$(LIBDIR32) $(B)/32/libgatepass.so)
	for man in shim/man/*.[158]; do $(INSTALL) -m 644 $$man $(DESTDIR)$(MANDIR)/man$${man##*.}; done
	$(INSTALL) -m 644 shim/completion/gatepass.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/gatepass
	ln -sf gatepass $(DESTDIR)$(DATADIR)/bash-completion/completions/gatepassctl
	$(INSTALL) -m 644 shim/completion/_gatepass $(DESTDIR)$(DATADIR)/zsh/site-functions
	$(INSTALL) -m 644 shim/systemd/gatepass-agent.socket $(DESTDIR)$(SYSTEMDUSERUNITDIR)
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' shim/systemd/gatepass-agent.service.in > $(DESTDIR)$(SYSTEMDUSERUNITDIR)/gatepass-agent.service
uninstall: ## what install put there
	rm -f $(addprefix $(DESTDIR),$(BINDIR)/gatepass $(BINDIR)/gatepassctl $(LIBEXECDIR)/gatepass-agent $(LIBDIR)/libgatepass.so $(LIBDIR32)/libgatepass.so \
		$(foreach man,$(notdir $(wildcard shim/man/*.[158])),$(MANDIR)/man$(subst .,,$(suffix $(man)))/$(man)) \
		$(DATADIR)/bash-completion/completions/gatepass $(DATADIR)/bash-completion/completions/gatepassctl \
		$(DATADIR)/zsh/site-functions/_gatepass $(SYSTEMDUSERUNITDIR)/gatepass-agent.socket $(SYSTEMDUSERUNITDIR)/gatepass-agent.service)
	-rmdir $(DESTDIR)$(LIBEXECDIR)
clean: ## remove what was built
	rm -rf build build-address build-thread build-undefined compile_commands.json
dist: ## a source archive of the last commit
	git archive --prefix=gatepass-$(VERSION)/ -o gatepass-$(VERSION).tar.gz HEAD

C_FILES = $(shell git ls-files '*.c' '*.h')
format: ## reformat the C files
	clang-format -i $(C_FILES)
check-format: ## do the C files follow .clang-format?
	clang-format --dry-run -Werror $(C_FILES)
lint: compile_commands.json ## static analysis of C, shell and man pages
	cppcheck --quiet --error-exitcode=1 --enable=warning,portability --library=gtk --inline-suppr --suppress=missingInclude -Iinclude $(filter %.c,$(C_FILES))
	clang-tidy --quiet -p . $(filter shim/%.c,$(C_FILES))
	shellcheck shim/cli/gatepass.sh shim/packaging/deps test-apps/fuzz/fuzz .ci/run
	mandoc -Tlint -Wwarning shim/man/*.[158]
compile_commands.json: Makefile ## for editors and analysers
	bear -- $(MAKE) -B B=$(B)/bear programs
top: ## the ten longest functions
	@test-apps/top $(filter shim/%.c,$(C_FILES))
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9_.-]+( [a-z0-9-]+)*:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
