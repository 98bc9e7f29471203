# The checks that take seconds a file, with a stamp for each file, so that only what changed is
# looked at again: make -k -f tests/lint/files.mk tidy analyze headers
V := clang
include Makefile

PLACES := $(LAYERS) $(foreach p,$(PROGRAMS),$(call home,$p)) tests/unit \
	$(wildcard tests/unit/*) tests/fuzz
SOURCES := $(sort $(wildcard $(PLACES:=/*.c)))
HEADERS := $(sort $(wildcard $(PLACES:=/*.h)))
DEPS = clang $(CPPFLAGS) -MM -MP -MT $@ -MF $@.d $<
# A log that is shown only when the command fails.
quiet = @echo "  $1 $<"; mkdir -p $(@D); if { $2; } >$@.log 2>&1; then $(DEPS); touch $@; \
	else cat $@.log; exit 1; fi

# Tests stop at a failed assertion, which neither analyser knows: they would follow what cannot
# happen. The compilers look at them all the same.
OURS := $(filter-out tests/%,$(SOURCES))

tidy: $(OURS:%.c=$(B)/%.tidy)
analyze: $(OURS:%.c=$(B)/%.analyzed)
headers: $(HEADERS:%.h=$(B)/%.alone)
.PHONY: tidy analyze headers

# The flags bring -Werror: this is also where clang says what it thinks of every source. So many states of a function are
# looked at, which takes a sixth of the time that all of them do; analyze knows no such end.
MOST_STATES := -Xclang -analyzer-config -Xclang max-nodes=30000
$(B)/%.tidy: %.c .clang-tidy | $(GEN)/.stamp $(KEY_H)
	$(call quiet,TIDY ,clang-tidy --quiet $< -- $(CPPFLAGS) $(CFLAGS) $(MOST_STATES))
# At -O0, as gcc advises: inlined clean-ups are taken for uses of uninitialized values at -O1. gcc 12
# loses sight of what a struct owns and calls it a leak; those are found under asan.
$(B)/%.analyzed: %.c tests/lint/files.mk | $(GEN)/.stamp $(KEY_H)
	$(call quiet,ANALYZE,gcc $(CPPFLAGS) $(CFLAGS) -O0 -fanalyzer -Wno-analyzer-malloc-leak \
		-o /dev/null -c $< && clang-tidy --quiet $< -- $(CPPFLAGS) $(CFLAGS))
# A header compiles alone.
$(B)/%.alone: %.h | $(GEN)/.stamp $(KEY_H)
	$(call quiet,ALONE,clang $(CPPFLAGS) $(CFLAGS) -Wno-pragma-once-outside-header \
		-Wno-unused-function -fsyntax-only -x c $<)
