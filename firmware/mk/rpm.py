"""The package for CentOS 7: our programs with their own C library and the others that they need, in /usr/lib/tandem, so that
nothing of the host's is asked for; the image's units for its systemd; users; an example of a configuration.

The libraries are those of the image's packages. rpm of CentOS 7 reads it (spec firmware, CentOS 7 has what that takes).
"""

import os
import re
import shutil

from mk import el7
from mk.common import TOP, Fault, read, run, version, write
from mk.tree import LIBRARIES

HOME = "usr/lib/tandem"
LOADER = "ld-linux-x86-64.so.2"
PROGRAMS = {"switchd": "sbin", "switch-lockoutd": "sbin", "switch-tune": "sbin", "switchctl": "bin", "switch-console": "bin",
            "switch-golive": "bin", "switch-license": "bin"}
UNITS = ("switchd.service", "switch-lockoutd.service", "switch-tune.service")
PAGES = ("switchd.8", "switch-lockoutd.8", "switch-tune.8", "switchctl.1", "switch-console.1", "switch-golive.8",
         "switch-license.1", "tandem-parameters.5")
ENVIRONMENT = """\
# How switchd is started: see switchd(8). Put the machine's own address in place of 127.0.0.1, then
#   systemctl enable switchd switch-tune; systemctl start switchd
SWITCHD_ARGS=--listen udp:127.0.0.1:5060 --listen tcp:127.0.0.1:5060 --media 127.0.0.1 --media-ports 10000-20000
"""
FOLDERS = """\
d /run/tandem 0775 root tandem
"""
SPEC = """\
%global _binary_payload w2.xzdio
%global _binary_filedigest_algorithm 8
%global _build_id_links none
%global __os_install_post %{{nil}}
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _buildhost build
%global debug_package %{{nil}}
Name: tandem
Version: {version}
Release: {release}.el7
Summary: Class 4 VoIP softswitch
License: see /usr/share/doc/tandem
Group: Applications/Communications
BuildArch: x86_64
AutoReqProv: no
Requires(pre): shadow-utils
Requires: systemd

%description
Takes calls from customers' gateways, rates them, routes them to vendors' gateways, relays the media, bills and writes
records. It brings its own C library and other libraries, below /usr/lib/tandem.

%pre
getent group tandem >/dev/null || groupadd -r tandem
getent group tandem-admin >/dev/null || groupadd -r tandem-admin
getent passwd switch >/dev/null || useradd -r -g tandem -d /var/lib/tandem -s /sbin/nologin -c Switch switch
exit 0

%post
systemd-tmpfiles --create /usr/lib/tmpfiles.d/tandem.conf >/dev/null 2>&1 || :
systemctl daemon-reload >/dev/null 2>&1 || :

%preun
if [ "$1" = 0 ]; then
	systemctl --no-reload disable {units} >/dev/null 2>&1 || :
	systemctl stop {units} >/dev/null 2>&1 || :
fi

%postun
systemctl daemon-reload >/dev/null 2>&1 || :
if [ "$1" != 0 ]; then
	systemctl try-restart switchd.service switch-lockoutd.service >/dev/null 2>&1 || :
fi

%files
%defattr(-,root,root,-)
{files}
"""


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-dW", path).decode())


def libraries(programs, root):
    """name -> file of every library that the programs need, and of the loader."""
    folder, found, todo = os.path.join(root, LIBRARIES), {}, list(programs)
    while todo:
        for name in needed(todo.pop()):
            if name in found:
                continue
            path = next((p for p in (f"{folder}/{name}", f"{folder}/systemd/{name}", f"{root}/usr/lib64/{name}")
                         if os.path.exists(p)), None)
            if not path:
                raise Fault(f"{name}, which a program of the package needs, is in none of the image's packages")
            found[name] = path
            todo.append(path)
    found[LOADER] = f"{root}/usr/lib64/{LOADER}"
    return found


def runtime(target, bin_folder, root):
    """Programs and libraries find each other by where they stand."""
    programs = [os.path.join(bin_folder, name) for name in PROGRAMS]
    for name, path in libraries(programs, root).items():
        place = os.path.join(target, HOME, "lib", name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copyfile(os.path.realpath(path), place)
        os.chmod(place, 0o755)
        if name not in (LOADER, "libc.so.6"):
            run("patchelf", "--set-rpath", f"$ORIGIN:/{HOME}/lib", place)
    for name, folder in PROGRAMS.items():
        place = os.path.join(target, HOME, "bin", name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        run("strip", "-o", place, os.path.join(bin_folder, name))
        run("patchelf", "--set-interpreter", f"/{HOME}/lib/{LOADER}", "--set-rpath",
            f"$ORIGIN/../lib:/{HOME}/lib", place)
        os.chmod(place, 0o755)
        os.makedirs(os.path.join(target, "usr", folder), exist_ok=True)
        os.symlink(f"../lib/tandem/bin/{name}", os.path.join(target, "usr", folder, name))


def around(target):
    for name in UNITS:
        text = read(os.path.join(TOP, "rootfs/usr/lib/systemd/system", name))
        write(os.path.join(target, "usr/lib/systemd/system", name), el7.unit(name, text))
    write(os.path.join(target, "usr/lib/tmpfiles.d/tandem.conf"), FOLDERS)
    write(os.path.join(target, "etc/tandem/switchd.env"), ENVIRONMENT)
    for name in PAGES:
        write(os.path.join(target, f"usr/share/man/man{name[-1]}", name), read(os.path.join(TOP, "build/man", name)))
    for folder in ("etc/tandem/tls", "var/lib/tandem", "var/lib/tandem-lockout"):
        os.makedirs(os.path.join(target, folder))
    write(os.path.join(target, "usr/share/doc/tandem/README.md"), read(os.path.join(TOP, "README.md")))


def files(target):
    """The lines of %files: configuration is kept as it was changed, state as it is."""
    lines = ["%dir /etc/tandem", "%attr(2750,root,tandem) %dir /etc/tandem/tls",
             "%attr(0640,root,tandem) %config(noreplace) /etc/tandem/switchd.env",
             "%attr(0750,switch,tandem) %dir /var/lib/tandem", "%attr(0750,root,tandem) %dir /var/lib/tandem-lockout",
             f"/{HOME}", "%doc /usr/share/doc/tandem"]
    for folder, _, names in os.walk(os.path.join(target, "usr")):
        at = "/" + os.path.relpath(folder, target)
        if not at.startswith((f"/{HOME}", "/usr/share/doc")):
            lines += [f"{at}/{name}" + ("*" if "/man/" in at else "") for name in sorted(names)]
    return "\n".join(lines)


def build(work, out, bin_folder, root, epoch, release="1"):
    """root: a tree of the image's packages. Gives the package's path."""
    target, spec = os.path.join(work, "payload"), os.path.join(work, "tandem.spec")
    shutil.rmtree(target, ignore_errors=True)
    runtime(target, bin_folder, root)
    around(target)
    write(spec, SPEC.format(version=version(), release=release, units=" ".join(UNITS), files=files(target)))
    run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {work}/rpmbuild", "--define", f"_rpmdir {out}",
        "--define", "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", "--buildroot", target, "--noclean",
        "--target", "x86_64", spec, env={"SOURCE_DATE_EPOCH": str(epoch), "HOME": work})
    return os.path.join(out, f"tandem-{version()}-{release}.el7.x86_64.rpm")
