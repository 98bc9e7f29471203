"""What the kernel of the booted machine is set to, read back in the guest."""

import asyncio
import json

KNOWN = {
    "net.core.rmem_default": "16777216", "net.core.rmem_max": "16777216", "net.core.wmem_default": "16777216",
    "net.core.wmem_max": "16777216", "net.core.netdev_max_backlog": "5000", "net.netfilter.nf_conntrack_max": "1048576",
    "net.ipv4.ip_local_reserved_ports": "10000-20000", "kernel.kptr_restrict": "2", "kernel.randomize_va_space": "2",
    "net.ipv4.tcp_syncookies": "1", "net.ipv4.conf.all.rp_filter": "1", "fs.suid_dumpable": "0",
}
# Not in every kernel.
MAY_LACK = {"kernel.sysrq", "kernel.kexec_load_disabled", "vm.unprivileged_userfaultfd"}


async def guest(site, command):
    return await asyncio.to_thread(site.switch.machine.sh, command)


async def test_the_kernel_is_tuned(site):
    """The values of the operators' handbook, read by cat and not by the program that set them."""
    for key, value in KNOWN.items():
        status, text = await guest(site, "cat /proc/sys/" + key.replace(".", "/"))
        assert status == 0 and text.strip() == value, f"{key} is {text.strip()}, not {value}"


async def test_switch_tune_finds_nothing_to_complain_of(site):
    """verify, after everything that runs at boot has run: nothing differs, nothing of weight is missing."""
    status, text = await guest(site, "switch-tune --json verify")
    rows = json.loads(text)
    assert status == 0, [r for r in rows if r["state"] != "missing"]
    missing = {r["key"] for r in rows} - MAY_LACK
    assert not missing, f"the image's kernel lacks {missing}"


async def test_the_machine_is_tuned_as_it_is_made(site):
    """What is computed from processors, cards and memory: in force, each with its reason."""
    status, text = await guest(site, "switch-tune --json show")
    rows = {r["key"]: r for r in json.loads(text)}
    assert status == 0
    made = {k: r for k, r in rows.items() if r["source"] == "this machine"}
    assert any(k.endswith("/rps_cpus") for k in made) and "net.ipv4.udp_mem" in made, made
    assert made["thread/switchd/media/nice"]["now"] == "-11", made
    assert all(r["state"] in ("right", "kept") and r["why"] for r in made.values()), made
    status, text = await guest(site, "cat /sys/class/net/*/queues/rx-0/rps_cpus")
    assert "3" in text.split() or set(text.split()) == {"0"}, text
    print("     " + ", ".join(f"{k} {r['now']}" for k, r in made.items()))


async def test_threads_of_media_that_fell_behind_are_noticed(site):
    """One of them is given back its priority: by verify, and by apply."""
    thread = "$(grep -lx media /proc/$(pidof switchd)/task/*/comm | head -n 1 | cut -d/ -f5)"
    status, _ = await guest(site, f"renice -n 5 -p {thread}")
    assert status == 0
    status, text = await guest(site, "switch-tune --json verify")
    rows = {r["key"]: r for r in json.loads(text)}
    assert status == 1 and rows["thread/switchd/media/nice"]["state"] == "differs", rows
    assert (await guest(site, "switch-tune apply"))[0] == 0
    status, text = await guest(site, f"cut -d' ' -f19 /proc/{thread}/stat")
    assert text.strip() == "-11", text


async def test_no_packet_is_lost_under_a_test_load(site):
    """verify --load: as many packets as the expected calls would send, and what the kernel has dropped of them: none."""
    status, text = await guest(site, "switch-tune --json verify --load 5; switch-tune verify --load 1")
    print("     " + text.strip().rsplit(chr(10), 1)[-1])
    assert '"state": "lost"' not in text, text


async def test_what_was_set_can_be_taken_back(site):
    """revert writes what the machine had at its start; apply sets it again."""
    key = "/proc/sys/net/core/rmem_default"
    await guest(site, "switch-tune revert")
    status, text = await guest(site, f"cat {key}")
    assert text.strip() == "212992", text
    assert (await guest(site, "switch-tune apply"))[0] == 0
    status, text = await guest(site, f"cat {key}")
    assert text.strip() == "16777216", text


async def test_a_changed_setting_is_noticed_and_put_right(site):
    """verify says which one; apply mends it."""
    await guest(site, "echo 212992 > /proc/sys/net/core/rmem_max")
    status, text = await guest(site, "switch-tune --json verify")
    rows = {r["key"]: r for r in json.loads(text)}
    assert status == 1 and rows["net.core.rmem_max"]["now"] == "212992"
    assert (await guest(site, "switch-tune apply"))[0] == 0
    status, text = await guest(site, "cat /proc/sys/net/core/rmem_max")
    assert text.strip() == "16777216"


async def test_switchd_got_its_socket_buffers_and_files(site):
    """No word of short buffers in the journal, and room for the sockets of thousands of calls."""
    status, text = await guest(site, "journalctl -b -u switchd --no-pager | grep -c 'receive buffer'")
    assert text.strip() == "0", text
    status, text = await guest(site, "grep 'open files' /proc/$(pidof switchd)/limits")
    assert int(text.split()[3]) >= 65536, text
