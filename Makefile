# There are no file lists here: a folder in layers.mk is a library, tests/unit/F/test_x.c a test of
# layer or program F (other .c beside it are linked into each), tests/fuzz/fuzz_x.c a fuzz target.
#   make [V=release|clang|asan|tsan|fuzz] [O=build]     libraries and programs
#   make V=asan check [F=sip]                           unit tests (of one layer)
#   make V=fuzz replay                                  fuzz targets over the committed corpus
include layers.mk
O ?= build
V ?= release
B := $(O)/$(V)
BIN := $(if $(filter release,$(V)),$(O)/bin,$(B)/bin)
GEN := $(O)/gen
KEY := $(or $(TANDEM_LICENCE_KEY),$(O)/keys/licence.pub)
KEY_H := $(GEN)/licence_key.h
TIMEOUT := timeout -k 5 120
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wconversion \
	-Wno-sign-conversion -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough -Wdouble-promotion -Werror
# no-builtin: clang drops an allocation that nobody reads, and the leak with it.
SAN := -O1 -fno-builtin -fno-sanitize-recover=all -fsanitize=
# The prefix map: the same bytes in whatever folder.
MODE.release := -O2 -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection -ffile-prefix-map=$(CURDIR)=.
LINK.release := -pie -Wl,-z,relro,-z,now
MODE.clang := -O1
MODE.asan := $(SAN)address,undefined
MODE.tsan := $(SAN)thread
MODE.fuzz := $(SAN)address,undefined,fuzzer-no-link
MODE := $(or $(MODE.$(V)),$(error V=$(V): no such variant))
CC := $(if $(filter release,$(V)),gcc,clang)
CPPFLAGS := -D_GNU_SOURCE -DTANDEM_VERSION='"$(file <VERSION)"' -Ilib -Iswitchd -Iinstaller -Ifirmware -Ihardening -Ikernel-tuning -I. -I$(GEN) -Itests/unit
CFLAGS := -std=gnu17 -g -fno-omit-frame-pointer -fno-strict-aliasing $(MODE) $(WARN)
LDLIBS := -Wl,--as-needed -losipparser2 -losip2 -lresolv -lsqlite3 -ljansson -lsystemd -lssl -lcrypto -lz -lzstd -lnftnl -lmnl -lpcre2-8 \
	-lformw -lmenuw -lpanelw -lncursesw -ltinfo -lurcu-qsbr -lurcu-common -lpthread -lm
WRAP := malloc calloc realloc reallocarray strdup strndup aligned_alloc posix_memalign asprintf \
	vasprintf _assert_string_equal _cmocka_run_group_tests # see tests/unit/oom.h
# 2: cmocka does not get to take a crash for a failed assert, and we see the stack.
SIGNALS := handle_segv=2:handle_sigbus=2:handle_sigill=2:handle_sigfpe=2:handle_abort=2
export ASAN_OPTIONS := detect_stack_use_after_return=1:allocator_may_return_null=1:$(SIGNALS)
export UBSAN_OPTIONS := print_stacktrace=1
export TSAN_OPTIONS := halt_on_error=1:second_deadlock_stack=1:suppressions=$(CURDIR)/tests/tsan.supp

objs = $(patsubst %.c,$(B)/%.o,$(wildcard $(addsuffix /*.c,$1)))
libs = $(patsubst %,$(B)/%.a,$1)
up = $(patsubst %/,%,$(dir $1))
name = $(BIN)/$(firstword $(subst :, ,$1))
home = $(word 2,$(subst :, ,$1))
, := ,
sees = lib/% $(call home,$1)/% $(subst $(,), ,$(word 3,$(subst :, ,$1)))
tested = $(foreach p,$(PROGRAMS),$(if $(filter $(notdir $(call up,$1)),$(notdir $(call home,$p))),$p))
link = @echo "  LINK  $@"; mkdir -p $(@D); \
	$(CC) $(MODE) $(LINK.$(V)) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)
# A result is a stamp beside the test, its output a log. -k runs the rest when one fails.
run = @if { $1; } >$*.log 2>&1; then echo "  OK    $<"; touch $@; \
	else r=$$?; cat $*.log; echo "  FAIL  $< (exit status $$r)"; rm -f $@; exit 1; fi

# DOWN grows by a layer at a time, highest first, which is the order a linker wants: an upward call
# stays undefined. A layer without sources yet is passed over.
$(foreach l,$(LAYERS),$(if $(wildcard $l/*.c),$(eval DOWN := $l $(DOWN)))\
	$(eval BELOW.$(notdir $l) := $(DOWN)))
PROGS := $(foreach p,$(PROGRAMS),$(if $(wildcard $(call home,$p)/*.c),$p))
TESTS := $(basename $(foreach f,$(or $(F),*),$(wildcard tests/unit/$f/test_*.c)))
FUZZ := $(basename $(wildcard tests/fuzz/fuzz_*.c))

all: $(call libs,$(DOWN)) $(foreach p,$(PROGS),$(call name,$p)) $(O)/man/.stamp
check: $(TESTS:%=$(B)/%.ok)
fuzzers: $(FUZZ:%=$(B)/%)
replay: $(FUZZ:%=$(B)/%.ok)
.PHONY: all check fuzzers replay
.SECONDARY:

# The generator rewrites only what changed, so a touched table rebuilds only what reads it.
$(GEN)/.stamp: $(wildcard lib/model/*.py lib/model/*.tsv)
	@mkdir -p $(GEN); if [ -n "$^" ]; then python3 lib/model/gen.py --out $(GEN); fi; touch $@
$(filter-out $(KEY_H),$(wildcard $(GEN)/*)): $(GEN)/.stamp ;
$(O)/man/.stamp: $(wildcard docs/man/* lib/model/*.py lib/model/*.tsv)
	@python3 docs/man/gen.py --out $(@D) && touch $@
# The public key that licences are checked with: TANDEM_LICENCE_KEY names a PEM file; without it a
# throw-away pair is made once, and every screen says DEVELOPMENT.
$(O)/keys/licence.pub:
	@mkdir -p $(@D) && chmod 700 $(@D) && openssl genpkey -algorithm ed25519 -out $(@D)/licence.pem && \
		openssl pkey -in $(@D)/licence.pem -pubout -out $@
$(if $(subst $(strip $(file <$(KEY_H).from)),,$(KEY)),$(shell mkdir -p $(GEN); rm -f $(KEY_H))$(file >$(KEY_H).from,$(KEY)))
$(KEY_H): $(KEY)
	@openssl pkey -pubin -in $< -noout -text | grep -q ED25519
	@{ printf '#pragma once\n\n#define LICENCE_KEY_IS_DEVELOPMENT %s\n#define LICENCE_KEY_BYTES' \
		$(if $(TANDEM_LICENCE_KEY),false,true); openssl pkey -pubin -in $< -outform DER | \
		tail -c 32 | od -An -v -tx1 | tr -d '\n' | sed 's/ \(..\)/ 0x\1,/g'; echo; } >$@.new && mv $@.new $@
$(B)/%.o: %.c Makefile VERSION | $(GEN)/.stamp $(KEY_H)
	@echo "  CC    $@"; mkdir -p $(@D); $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
-include $(foreach d,* */* */*/*,$(wildcard $(B)/$d/*.d))

# The initrd has no library to load.
$(BIN)/tandem-init: private LDLIBS :=
$(BIN)/tandem-init: private LINK.release := -static-pie -Wl,-z,relro,-z,now

# The list changes when a source comes or goes, so that an archive never keeps a dead object. strip:
# make 4.3 leaves the newline of some files that it reads.
define LAYER
$(if $(subst $(strip $(file <$(B)/$1.list)),,$(call objs,$1)),$(shell mkdir -p $(B)/$1)$(file >$(B)/$1.list,$(call objs,$1)))
$(B)/$1.a: $(call objs,$1) $(B)/$1.list
	@rm -f $$@; $(AR) rcs $$@ $$(filter %.o,$$^)
endef
define TEST
$(B)/$1: $(filter-out $(B)/$(dir $1)test_% %/main.o,$(call objs,$(call up,$1) tests/unit \
	$(call home,$(tested)))) $(B)/$1.o \
	$(call libs,$(or $(BELOW.$(notdir $(call up,$1))),$(filter $(call sees,$(tested)),$(DOWN))))
	$$(link) $(WRAP:%=-Wl,--wrap=%) -lcmocka
$(B)/$1.ok: $(filter-out %.c %.h,$(wildcard $(dir $1)*))
endef
define PROGRAM
$(call name,$1): $(call objs,$(call home,$1)) $(call libs,$(filter $(call sees,$1),$(DOWN)))
	$$(link)
endef
$(foreach l,$(DOWN),$(eval $(call LAYER,$l)))
$(foreach t,$(TESTS),$(eval $(call TEST,$t)))
$(foreach p,$(PROGS),$(eval $(call PROGRAM,$p)))
# What a program reads is in no layer.
$(B)/tests/fuzz/fuzz_lockout $(B)/tests/fuzz/fuzz_reel: $(filter-out %/main.o,$(call objs,hardening/lockoutd))
$(B)/tests/fuzz/fuzz_audit: $(filter-out %/main.o,$(call objs,hardening/audit)) $(B)/kernel-tuning/knobs.a $(B)/firmware/formats.a
$(FUZZ:%=$(B)/%): %: %.o $(call libs,$(DOWN))
	$(link) -fsanitize=fuzzer
$(TESTS:%=$(B)/%.ok): %.ok: %
	$(call run,$(TIMEOUT) $< $(if $(filter asan,$(V)),&& OOM=1 $(TIMEOUT) $<))
.SECONDEXPANSION:
$(FUZZ:%=$(B)/%.ok): %.ok: % $$(wildcard tests/fuzz/corpus/$$(notdir $$*)/*)
	$(call run,$(TIMEOUT) $< $(filter-out $<,$^))
