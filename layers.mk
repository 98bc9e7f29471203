# The order, ground up. A layer may include and call itself and what stands before it, nothing else.
# Read by the Makefile (what links with what) and by tests/lint/layers (who includes whom).
LAYERS := \
	lib/base \
	lib/model \
	lib/store \
	lib/control \
	lib/tui \
	switchd/transport \
	switchd/trace \
	switchd/sip \
	switchd/vendor \
	switchd/media \
	switchd/number \
	switchd/route \
	switchd/rating \
	switchd/sheet \
	switchd/ledger \
	switchd/courier \
	switchd/report \
	switchd/migrate \
	switchd/phone \
	switchd/call \
	switchd/ops \
	installer/golive \
	firmware/formats \
	kernel-tuning/knobs

# name:folder of its sources[:layers that it links besides lib/ and those inside its own folder]
PROGRAMS := \
	switchd:switchd \
	switchctl:switchd/ctl \
	switch-console:switchd/console \
	switch-lockoutd:hardening/lockoutd \
	switch-tune:kernel-tuning:firmware/formats \
	switch-audit:hardening/audit:kernel-tuning/knobs,firmware/formats \
	switch-license:installer/license \
	switch-golive:installer/live:switchd/transport,switchd/sip,switchd/media,installer/golive \
	switch-install:installer/disk:firmware/formats \
	switch-hostd:firmware/hostd:firmware/formats \
	tandem-init:firmware/init:firmware/formats \
	tandem-slot:firmware/slot:firmware/formats \
	tandem-rescue:firmware/rescue \
	tandem-ifcfg:firmware/ifcfg:firmware/formats \
	switch-shell:hardening/shell \
	switch-setup:installer:switchd/transport,switchd/sip,switchd/media
