"""Runs tests, each in a process of its own with its own switch, some of them side by side."""

import asyncio
import hashlib
import json
import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
import traceback

from . import scene as scenes
from .stage import Stage

IDLE_LANES = 6


class Job:
    def __init__(self, module, name, function, workers):
        self.function, self.workers = function, workers
        self.scene = scenes.of(function)
        self.name = f"{module}.{name[5:]}" + (f" [{workers}]" if workers else "")
        self.pid = self.pipe = self.began = None
        self.killed = False
        self.output = b""

    def order(self):
        return (not self.scene["heavy"], -self.scene["within"], self.name)


def run(jobs, options):
    """Runs them all, prints a line for each; the list of (job, result)."""
    lanes = {True: IDLE_LANES, False: options.jobs}
    waiting = sorted(jobs, key=Job.order)
    running, results = [], []
    with selectors.DefaultSelector() as selector:
        while waiting or running:
            for idle, size in lanes.items():
                free = size - sum(j.scene["idle"] is idle for j in running)
                for job in [j for j in waiting if j.scene["idle"] is idle][:max(0, free)]:
                    waiting.remove(job)
                    _launch(job, options)
                    selector.register(job.pipe, selectors.EVENT_READ, job)
                    running.append(job)
            for key, _ in selector.select(timeout=1):
                job = key.data
                if data := os.read(job.pipe, 65536):
                    job.output += data
                    continue
                selector.unregister(job.pipe)
                running.remove(job)
                results.append((job, _collect(job)))
                _print(*results[-1])
            for job in running:
                if time.monotonic() - job.began > job.scene["within"] + 30 and not job.killed:
                    job.killed = True
                    os.kill(job.pid, signal.SIGKILL)
    return results


def _launch(job, options):
    sys.stdout.flush()
    reader, writer = os.pipe()
    job.began = time.monotonic()
    job.pid = os.fork()
    if job.pid:
        os.close(writer)
        job.pipe = reader
        return
    status = 1
    try:
        os.close(reader)
        result = _child(job, options)
        with os.fdopen(writer, "w", encoding="utf-8") as f:
            json.dump(result, f)
        status = 0
    finally:
        os._exit(status)


def _child(job, options):
    folder = tempfile.mkdtemp(prefix="tandem-sip-")
    text = f"{options.seed}/{job.name}".encode()
    seed = int.from_bytes(hashlib.blake2s(text, digest_size=6).digest(), "big")
    make = getattr(options, "stage", Stage)
    stage = make(options.bin, folder, job.workers or 1, seed, job.scene["settings"], options.long)
    result = {"ok": True, "why": "", "detail": ""}
    try:
        asyncio.run(_play(job, stage))
    except BaseException as e:  # whatever it was, it is the test's result
        frames = [f for f in traceback.extract_tb(e.__traceback__) if "/tests/" in f.filename]
        where = " < ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in reversed(frames[-5:]))
        result.update(ok=False, why=f"{type(e).__name__}: {e}", detail=_detail(stage, where))
    capture = getattr(options, "capture", None)
    if capture and stage.is_captured:
        capture.add(s.data for s in stage.wire.seen if s.way == "in")
    if options.keep and not result["ok"]:
        result["detail"] += f"\n  kept: {folder}"
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return result


async def _play(job, stage):
    passed = False
    try:
        async with asyncio.timeout(job.scene["within"]):
            if job.scene["switch"] and job.scene["start"]:
                await stage.switch.start()
            await job.function(stage)
        passed = True
    finally:
        await stage.close(passed)


def _detail(stage, where):
    parts = [f"  at {where}", f"  seed {stage.seed}"]
    if stage.wire.seen:
        parts += ["  wire:", stage.wire.ladder()]
    if stage.wire.faults:
        parts += ["  faults:"] + [f"    {f}" for f in stage.wire.faults[:10]]
    if stage.switch.starts:
        parts += ["  switchd's log:", "    " + stage.switch.tail().replace("\n", "\n    ")]
    return "\n".join(parts)


def _collect(job):
    os.close(job.pipe)
    os.waitpid(job.pid, 0)
    try:
        result = json.loads(job.output)
    except ValueError:
        why = "the runner ended it: too long" if job.killed else "the test's process died"
        result = {"ok": False, "why": why, "detail": ""}
    result["seconds"] = time.monotonic() - job.began
    return result


def _print(job, result):
    word = "ok  " if result["ok"] else "FAIL"
    print(f"{word} {job.name} ({result['seconds']:.1f} s)", flush=True)
    if not result["ok"]:
        print(f"  {result['why']}\n{result['detail']}", flush=True)
