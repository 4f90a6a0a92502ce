# hearth: `make` builds build/hearth; as root, `make demo` shows it at work and `make check` runs every test.
#
#   V=1                     show the commands
#   SAN=address,undefined   build with sanitizers (into build/san)
#   CC=clang O=build/clang  the other compiler, into another folder
#   make install DESTDIR=/tmp/x PREFIX=/usr
#   make deb                                build/hearth_VERSION-1_ARCH.deb, with the daemon's unit
#   make demo                               ten seconds of this machine as a flame graph
#   make unit-tests | workloads | fmt       the parts of a check; `tests/run PATTERN` runs some of it
#   make compile_commands                   build/compile_commands.json, where clangd looks for it
#   make check-kernels | bench | fuzz       other kernels under qemu; the cost beside other profilers; libFuzzer

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

CC = gcc
CXX ?= g++
CLANG ?= clang
PREFIX ?= /usr/local
VERSION := 0.1.0
# The instruction set, of which each arch/ has a folder: the folder's files belong to the archive of arch/.
ARCH := $(shell uname -m)

O ?= build
build := $(O)$(if $(SAN),/san)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# pkg-config's name, and the package that has it: the lines of .ci/packages, the only list, that name a module.
libraries := $(shell awk '!/^\#/ && $$3 { print $$3 ":" $$1 }' .ci/packages)
ifeq ($(filter clean fmt help demo check check-kernels bench fuzz,$(MAKECMDGOALS)),)
missing := $(foreach l,$(libraries),$(if $(shell pkg-config --exists $(word 1,$(subst :, ,$(l))) && echo yes),,$(word 2,$(subst :, ,$(l)))))
missing := $(strip $(missing) $(if $(shell command -v $(CLANG)),,clang) $(if $(shell command -v llvm-strip),,llvm))
ifneq ($(missing),)
$(error missing packages: apt-get install $(missing))
endif
endif
pkgs := $(foreach l,$(libraries),$(word 1,$(subst :, ,$(l))))

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2 \
	-Wno-format-nonliteral -Wno-missing-field-initializers -Werror
CFLAGS ?= -O2 -g
cflags = -std=gnu11 $(warnings) -fno-omit-frame-pointer -D_GNU_SOURCE -DHEARTH_VERSION='"$(VERSION)"' -I. \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all) $(shell pkg-config --cflags $(pkgs)) -pthread $(CFLAGS)
libs := -Wl,--as-needed -Wl,-z,now $(shell pkg-config --libs libbpf libdw libelf sqlite3 libzstd libdeflate zlib liblzma libcap libseccomp libsystemd libcjson 2>/dev/null) \
	-lunwind-$(ARCH) -lunwind -liberty -lm -pthread $(LDLIBS)

# One archive a folder, linked in this order: an archive may use only what stands behind it.
folders := collector $(addprefix collector/,help daemon pprof metrics session keep sources probes unwinding naming programs who arch) \
	$(addprefix report/,commands serve top query imports formats histograms profile text) \
	symbolizer $(addprefix symbolizer/,naming worker guests go dwarf unwind kernel symbols companions jit elf opening \
	index jail arch) \
	$(addprefix store/,directory sql writer reader) store store/system store/base
objects_of = $(patsubst %.c,$(build)/obj/%.o,$(sort $(wildcard $(addprefix $(1)/,*.c $(ARCH)/*.c */elf_machine.c)))) \
	$(if $(filter collector/programs,$(1)),$(build)/obj/collector/programs/embedded.o)
archive_of = $(build)/lib$(subst /,_,$(1)).a
archives := $(foreach f,$(folders),$(call archive_of,$(f)))
main_object := $(build)/obj/collector/main.o

# clang alone compiles these: builds with another CC, SAN or O share them.
bpf_objects := $(patsubst %.c,build/%.o,$(wildcard bpf/*.bpf.c))

.PHONY: all
all: $(build)/hearth

$(build)/hearth: $(main_object) $(archives)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) $(LDFLAGS) -o $@ $(main_object) $(archives) $(libs)

define archive_rule
$(call archive_of,$(1)): $(filter-out $(main_object),$(call objects_of,$(1)))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && ar qcs $$@ $$^
endef
$(foreach f,$(folders),$(eval $(call archive_rule,$(f))))

$(build)/obj/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cflags) -MMD -MP -c -o $@ $<

$(build)/obj/store/schema.o: store/schema.sql # embedded

# The BPF side. -g for BTF; the objects are embedded into the binary (collector/programs/embedded.h).
# Debian's folder of the kernel's asm/ headers. clang -print-multiarch, where clang has it, prints another name.
multiarch := $(ARCH)-linux-gnu
bpf_cflags := -target bpf -D__TARGET_ARCH_$(subst x86_64,x86,$(subst aarch64,arm64,$(ARCH))) -mcpu=v3 -O2 -g -Wall -Wextra -Wshadow -Werror \
	-Wno-unused-parameter -I. -idirafter /usr/include/$(multiarch)

build/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(bpf_cflags) -MMD -MP -c -o $@ $<
	$(Q)llvm-strip -g $@

# The table of collector/programs/embedded.h, one row a BPF object.
$(build)/obj/collector/programs/embedded.S: $(bpf_objects) Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ echo '.section .rodata'; \
	for o in $(bpf_objects); do n=$$(basename $$o .bpf.o); \
	    printf '.balign 16\n%s_start: .incbin "%s"\n%s_end:\n%s_name: .asciz "%s"\n' $$n $$o $$n $$n $$n; done; \
	echo '.section .data.rel.ro, "aw"'; echo '.balign 8'; echo '.globl embedded_objects'; echo 'embedded_objects:'; \
	for o in $(bpf_objects); do n=$$(basename $$o .bpf.o); echo ".quad $${n}_name, $${n}_start, $${n}_end"; done; \
	echo '.quad 0, 0, 0'; echo '.section .note.GNU-stack, "", @progbits'; } > $@

$(build)/obj/collector/programs/embedded.o: $(build)/obj/collector/programs/embedded.S
	$(call say,AS,$<)
	$(Q)$(CC) -c -o $@ $<

# The files of the flame graph's page are put into the binary by report/formats/web.c.
$(build)/obj/report/formats/web.o $(build)/obj/report/serve/routes.o: $(wildcard report/web/*)

# Unit tests: tests/unit/FOLDER/test_NOUN.c, with cmocka.
unit_tests := $(patsubst %.c,$(build)/%,$(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c))
.PHONY: unit-tests
unit-tests: $(unit_tests)
$(build)/tests/unit/%: tests/unit/%.c $(archives)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cflags) -MMD -MP $(LDFLAGS) -o $@ $< $(archives) $(libs) -lcmocka

# SIGKILL at random moments: a check does it eight times.
.PHONY: bench-daemon
bench-daemon: all workloads
	$(Q)tests/e2e/daemon_killed.sh 200

# The bytes and the CPU time that a store costs, of a generated load.
.PHONY: bench-store
bench-store: $(build)/tests/bench/store_bench
	$(Q)$<
$(build)/tests/bench/%: tests/bench/%.c $(archives)
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cflags) -MMD -MP $(LDFLAGS) -o $@ $< $(archives) $(libs)

# Programs that tests run.
.PHONY: test-tools
test-tools: $(build)/tests/tools/verifier $(build)/tests/tools/make_store $(build)/tests/tools/make_sample $(build)/tests/tools/unwind_oracle $(build)/tests/tools/session $(build)/tests/bench/two_readers $(bpf_objects)
$(build)/tests/tools/unwind_oracle $(build)/tests/tools/session: $(build)/tests/tools/%: tests/bpf/%.c $(archives) Makefile
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cflags) -MMD -MP $(LDFLAGS) -o $@ $< $(archives) $(libs)
$(build)/tests/tools/verifier: tests/bpf/verifier.c Makefile
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cflags) -MMD -MP -o $@ $< $(shell pkg-config --libs libbpf)

$(build)/tests/tools/make_%: tests/golden/make_%.c $(archives) Makefile
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cflags) -MMD -MP $(LDFLAGS) -o $@ $< $(archives) $(libs) -lcmocka

# Programs that `make bench` runs beside the workloads; a check compiles and runs them too.
.PHONY: bench-tools
bench-tools: $(addprefix $(build)/tests/bench/,unwind_cost unwind_cost.bpf.o store_bench directory_bench libdw_pass index_lookups two_readers)

$(build)/tests/bench/%.bpf.o: tests/bench/%.bpf.c Makefile
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(bpf_cflags) -MMD -MP -c -o $@ $<

# Programs whose debug information is large: 90 MB by g++, and some by clang. Some minutes of compiling, once.
.PHONY: bench-symbols
bench-symbols: all bench-tools $(build)/tests/bench/large-gcc/program $(build)/tests/bench/large-clang/program
define large_rules
$(build)/tests/bench/large-$(1)/program: $(foreach n,$(shell seq 0 $(3)),$(build)/tests/bench/large-$(1)/$(n).o)
	$$(call say,BENCH,$$@)
	$$(Q)$(2) -o $$@ $$^
$(build)/tests/bench/large-$(1)/%.o: tests/bench/large.cc
	$$(call say,BENCH,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)nice $(2) -std=gnu++17 -O2 -g -DPART=$$* -DWIDTH=4 -c -o $$@ $$<
endef
$(eval $(call large_rules,gcc,g++,31))
$(eval $(call large_rules,clang,clang++,13))

# Fuzz targets: tests/fuzz/fuzz_NAME.c, replayed over tests/fuzz/corpus/NAME in a check, and under libFuzzer by `make fuzz`
# (FUZZ_SECONDS each, FUZZ="NAME..." some of them).
fuzz_targets := $(patsubst %.c,$(build)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
.PHONY: fuzz-targets fuzz
fuzz-targets: $(fuzz_targets)
$(build)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(if $(findstring fuzzer,$(SAN)),,tests/fuzz/replay.c) $(archives)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cflags) $(if $(findstring fuzzer,$(SAN)),-fsanitize=fuzzer) -MMD -MP $(LDFLAGS) -o $@ \
		$(filter %.c,$^) $(archives) $(libs)
fuzz:
	$(Q).ci/install build fuzz
	$(Q)$(MAKE) --no-print-directory CC=clang O=build/fuzz SAN=fuzzer-no-link,address,undefined fuzz-targets
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) build/fuzz/san $(FUZZ)

# Workloads with a known truth, each with and without frame pointers: build/tests/workloads/{fp,nofp}/NAME.
workload_sources := $(wildcard tests/workloads/*.c tests/workloads/*.cc)
workload_names := $(patsubst %.so.c,%.so,$(notdir $(workload_sources)))
workload_names := $(patsubst %.c,%,$(patsubst %.cc,%,$(workload_names)))
workload_cflags := -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -I. -fno-optimize-sibling-calls -fcf-protection=none
.PHONY: workloads
workloads: $(foreach v,fp nofp,$(addprefix $(build)/tests/workloads/$(v)/,$(workload_names)))
define workload_rules
$(build)/tests/workloads/$(1)/%.so: tests/workloads/%.so.c tests/workloads/workload.h Makefile
	$$(call say,LOAD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) -std=gnu11 $(workload_cflags) $(2) -fPIC -shared -o $$@ $$<
$(build)/tests/workloads/$(1)/%: tests/workloads/%.c tests/workloads/workload.h Makefile
	$$(call say,LOAD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) -std=gnu11 $(workload_cflags) $(2) -pthread -o $$@ $$<
$(build)/tests/workloads/$(1)/%: tests/workloads/%.cc tests/workloads/workload.h Makefile
	$$(call say,LOAD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CXX) -std=gnu++17 $(workload_cflags) $(2) -o $$@ $$<
endef
$(eval $(call workload_rules,fp,-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer))
$(eval $(call workload_rules,nofp,-fomit-frame-pointer))
$(build)/tests/workloads/fp/calls_semaphore $(build)/tests/workloads/nofp/calls_semaphore: tests/workloads/calls.c

# Everything there is to test: tests/run builds it, runs it and counts it.
.PHONY: check
check:
	$(Q).ci/install build check
	$(Q)tests/run

.PHONY: demo
demo:
	$(Q).ci/install build demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo.sh

.PHONY: bench
bench:
	$(Q).ci/install build check bench
	$(Q)$(MAKE) --no-print-directory all workloads bench-tools bench-symbols
	$(Q)for part in tests/bench/*.sh; do $$part || exit; done

.PHONY: check-kernels
check-kernels:
	$(Q).ci/install build check kernels
	$(Q)$(MAKE) --no-print-directory all workloads test-tools
	$(Q)tests/run kernels

.PHONY: help
help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

.PHONY: compile_commands
compile_commands: $(build)/compile_commands.json
$(build)/compile_commands.json: export command = $(CC) $(cflags) -c
$(build)/compile_commands.json: Makefile FORCE
	$(Q)mkdir -p $(@D)
	$(Q)words=$$(printf %s "$$command" | sed 's/[\"]/\\&/g'); before='['; \
	git ls-files '*.c' | grep -v '\.bpf\.c$$' | { while read -r file; do \
	    printf '%s\n{"directory": "%s", "file": "%s", "command": "%s %s"}' "$$before" "$(CURDIR)" "$$file" "$$words" "$$file"; \
	    before=,; done; printf '\n]\n'; } >$@
.PHONY: FORCE
FORCE:

.PHONY: fmt
fmt:
	$(Q)git ls-files '*.[ch]' '*.cc' | xargs clang-format-14 -i

# A manual page for each command and the completion of bash are printed by hearth from its own tables. A file of the
# daemon that is there already stays as it is.
.PHONY: install
man := $(DESTDIR)$(PREFIX)/share/man/man1
SYSCONFDIR ?= /etc
units := $(DESTDIR)$(PREFIX)/lib/systemd/system
install: $(build)/hearth
	install -D -m 755 $(build)/hearth $(DESTDIR)$(PREFIX)/bin/hearth
	install -d $(man) $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(build)/hearth --print-manual >$(man)/hearth.1
	for c in $$($(build)/hearth --help | sed -nE 's/^  ([a-z-]+) .*/\1/p'); do \
	    $(build)/hearth --print-manual $$c >$(man)/hearth-$$c.1 || exit; done
	$(build)/hearth --print-completion >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/hearth
	install -d $(man)/../man5 $(units) $(DESTDIR)$(SYSCONFDIR)
	echo '.so man1/hearth-daemon.1' >$(man)/../man5/hearth.conf.5
	sed 's|/usr/bin/|$(PREFIX)/bin/|' packaging/hearth.service >$(units)/hearth.service
	test -e $(DESTDIR)$(SYSCONFDIR)/hearth.conf || install -m 644 packaging/hearth.conf $(DESTDIR)$(SYSCONFDIR)/hearth.conf

# build/hearth_VERSION-1_ARCH.deb, which starts the daemon where it is installed.
.PHONY: deb
deb: $(build)/hearth
	$(Q)O=$(O) packaging/deb/build $(build)/hearth $(build)

.PHONY: clean
clean:
	rm -rf build

-include $(sort $(shell find $(build) build/bpf -name '*.d' 2>/dev/null))
