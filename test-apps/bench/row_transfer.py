# SPDX-License-Identifier: MIT
"""A tunnel that stands is a plain socket: as fast as the program's own, by the same calls."""

import statistics

import ground
import table
from ground import HOST, PORT, PROGRAMS, harness

SIZE = 16 << 20
ROUNDS, RUNS = 21, 10
TITLE = f"{SIZE >> 20} MiB through a tunnel, against the program's own CONNECT"
# The bar is 1.00. What the same thing differs from itself by stands in the line below it.
EQUAL = 0.95


def fastest(*args, env=None):
    """Of a few: what disturbs one disturbs it much."""
    return min(ground.program("transfer", SIZE, *args, env=env)[0] for _ in range(RUNS))


def calls_per_mebibyte(args, env):
    """All system calls from the first piece to the last one."""
    trace = harness.DIRECTORY / "trace"
    env = dict(env)
    preload = ["-E", f"LD_PRELOAD={env.pop('LD_PRELOAD')}"] if "LD_PRELOAD" in env else []
    ground.numbers(harness.run(["strace", "-f", "-qq", "-o", trace, *preload,
                                PROGRAMS / "transfer", SIZE, *args], env))
    pieces = [number for number, line in enumerate(trace.read_text().splitlines())
              if "MSG_WAITALL" in line]
    ground.need(pieces, "no piece in strace's output")
    return (pieces[-1] - pieces[0] + 1) / (SIZE >> 20)


def measure():
    gate = ground.Gate(f"read 1\nbody {SIZE}\nhold")
    own, plain = ground.own(gate), (HOST, PORT)
    bare, env = harness.clean_env(), ground.acquainted("transfer", gate)[1]
    times = ground.in_turn(ROUNDS, {
        "own": lambda: fastest(*own),
        "ours": lambda: gate.passed(RUNS, lambda: fastest(*plain, env=env)),
        "own again": lambda: fastest(*own),
    })
    # Ours against the two around it; of speeds, so the other way round.
    around = [statistics.mean(pair) for pair in zip(times["own"], times["own again"])]
    table.line("throughput", ground.ratios(around, times["ours"]), table.at_least(EQUAL))
    table.line("the program's own, once more", ground.ratios(times["own"], times["own again"]))
    ground.need(harness.find_program("strace"), "no strace to count system calls")
    counts = ground.in_turn(3, {"own": lambda: calls_per_mebibyte(own, bare),
                                "ours": lambda: calls_per_mebibyte(plain, env)})
    table.line("system calls", ground.ratios(counts["ours"], counts["own"]), table.at_most(1))
    table.note(f"own {SIZE / statistics.median(times['own']):.2f} GB/s, "
               f"{statistics.median(counts['own']):.1f} system calls for a MiB")
    gate.stop()
