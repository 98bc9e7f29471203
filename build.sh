#!/bin/bash
# The one front door. Debian 12; what is missing is installed, what has not changed is not rebuilt.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
	cat <<-EOF
		usage: ./build.sh COMMAND

		  run [--no-vm]     boot the image in QEMU with a sample customer, vendor and rate, place calls
		                    through it, show the bill; --no-vm: switchd alone, from build/bin
		  test [STAGE...]   everything: $(tests/run.sh --stages)
		  test --all        and what takes longer: analyze sip-3 sip-tsan sip-el7 races vm vm-night
		  build             programs into build/bin/
		  image             the bootable disk: build/image/tandem.img, .img.zst, tandem-install.iso, tandem-*.update,
		                    sbom.spdx.json
		  rpm               the package for CentOS 7: build/rpm/tandem-*.el7.x86_64.rpm
		  bench             measure, beside Debian's kamailio
		  fuzz [SECONDS]    run each fuzz target that long (600), two at a time
		  lint [CHECK...]   only the checks of the source
		  clean             remove build/

		V=asan|tsan|clang ./build.sh build     a variant, into build/V/bin/
	EOF
}

COMPILE=(gcc make python3 pkg-config libosip2-dev liburcu-dev libsqlite3-dev libjansson-dev
	libsystemd-dev libssl-dev zlib1g-dev libzstd-dev openssl libncurses-dev libnftnl-dev libmnl-dev libpcre2-dev)
SANITIZE=(clang llvm libclang-rt-dev libcmocka-dev)
LINT=(clang-format clang-tidy shellcheck pyflakes3)
CALLS=(sip-tester sqlite3)
PEERS=(kamailio kamailio-tls-modules knot baresip-core linphone-cli nftables iproute2 python3-pyte tshark sngrep
	sipvicious)
BENCH=(kamailio linux-perf)
RPM=(binutils patchelf rpm busybox-static)
IMAGE=(binutils kmod squashfs-tools cryptsetup-bin mtools dosfstools e2fsprogs fdisk zstd grub-common
	grub-pc-bin grub-efi-amd64-bin xorriso)
VM=(qemu-system-x86 qemu-utils cryptsetup-bin procps seabios ovmf ipxe-qemu iproute2 python3-pyte openssh-client nmap iputils-ping lynis)

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "build.sh: needs root or sudo to run: $*" >&2
		exit 1
	fi
}

missing() {
	local name
	for name in "$@"; do
		if [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null)" != "ii " ]; then
			echo "$name"
		fi
	done
}

# Installs those of the named packages that are not there.
need() {
	local names
	if ! command -v dpkg-query >/dev/null; then
		echo "build.sh: not a Debian system; assuming that these are there: $*" >&2
		return
	fi
	mapfile -t names < <(missing "$@")
	if [ "${#names[@]}" -eq 0 ]; then
		return
	fi
	echo "installing ${names[*]}"
	as_root apt-get -qq update
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y \
		--no-install-recommends "${names[@]}" >/dev/null
	echo "[$SECONDS s] installed"
}

build() {
	need "${COMPILE[@]}"
	if [ "${V:-release}" != release ]; then
		need "${SANITIZE[@]}"
	fi
	tests/progress.sh "build ${V:-release}" make -j"$(nproc)" --output-sync=target "$@"
}

# Made anew when something that goes into it is newer.
image() {
	local out=${O:-build}/image bin=${O:-build}/bin
	if [ -e "$out/tandem.img.zst" ] && [ -z "$(find "$bin" rootfs firmware VERSION ${TANDEM_FIRMWARE:+"$TANDEM_FIRMWARE"} \
		-newer "$out/tandem.img.zst" -not -path '*/__pycache__*' -print -quit)" ]; then
		echo "[$SECONDS s] the image is as it should be"
		return
	fi
	python3 firmware/build.py --out "$out" --bin "$bin"
}

command=${1:-help}
shift || true
case $command in
build)
	build "$@"
	;;
run)
	if [ "${1:-}" = --no-vm ]; then
		need "${COMPILE[@]}" "${CALLS[@]}"
		build
		exec python3 tests/sip/demo.py --bin "${O:-build}/bin" "${@:2}"
	fi
	need "${COMPILE[@]}" "${CALLS[@]}" "${IMAGE[@]}" "${VM[@]}"
	build
	image
	# Debian's python3 is the one that has Debian's pyte.
	as_root /usr/bin/python3 tests/vm/demo.py --image "${O:-build}/image" "$@"
	;;
test)
	need "${COMPILE[@]}" "${SANITIZE[@]}" "${LINT[@]}" "${CALLS[@]}" "${PEERS[@]}" "${IMAGE[@]}" "${VM[@]}" "${RPM[@]}"
	exec tests/run.sh "$@"
	;;
lint)
	need "${COMPILE[@]}" "${SANITIZE[@]}" "${LINT[@]}"
	exec tests/lint/run.sh "$@"
	;;
fuzz)
	need "${COMPILE[@]}" "${SANITIZE[@]}"
	exec tests/fuzz/run.sh "$@"
	;;
bench)
	need "${CALLS[@]}" "${BENCH[@]}"
	build
	exec tests/bench/run.sh "$@"
	;;
image)
	need "${COMPILE[@]}" "${IMAGE[@]}"
	build
	exec python3 firmware/build.py "$@"
	;;
rpm)
	need "${COMPILE[@]}" "${RPM[@]}"
	build
	exec python3 firmware/rpm.py "$@"
	;;
clean)
	rm -rf "${O:-build}"
	;;
help | --help | -h)
	usage
	;;
*)
	usage >&2
	exit 2
	;;
esac
