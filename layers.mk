# The order, ground up. A layer may include and call itself and what stands before it, nothing else.
# Read by the Makefile (what links with what) and by tests/lint/layers (who includes whom).
LAYERS := \
	lib/base \
	lib/model \
	lib/store \
	lib/control \
	switchd/transport \
	switchd/sip \
	switchd/media \
	switchd/number \
	switchd/route \
	switchd/rating \
	switchd/ledger \
	switchd/call \
	switchd/ops

# name:folder of its sources. A program links lib/ and the layers inside its own folder.
PROGRAMS := \
	switchd:switchd \
	switchctl:switchd/ctl
