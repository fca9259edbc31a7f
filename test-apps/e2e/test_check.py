#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gatepassctl check: which programs can be interposed. The answers for a dynamic, a static
and a setuid program are compared with what the loader really does."""

import os
import random
import shutil
import struct

import harness
from harness import CTL, DIRECTORY, check, run, skip


def ask(program, **env):
    return run([CTL, "check", program], dict(harness.clean_env(), **env), timeout=10)


def can(program, name, words=(), **env):
    result = ask(program, **env)
    check(result.code == 0 and result.out.startswith(f"{program}: can be interposed (")
          and result.out.count("\n") == 1 and not result.err
          and all(word in result.out for word in words), name, result)


def cannot(program, name, *words, **env):
    result = ask(program, **env)
    check(result.code == 1 and result.out.startswith(f"{program}: cannot be interposed: ")
          and result.out.count("\n") == 1 and not result.err
          and all(word in result.out for word in words), name, result)


def compile_program(name, *options):
    """Path of a compiled program; None if the compiler cannot do it here."""
    path = DIRECTORY / name
    source = DIRECTORY / "main.c"
    source.write_text('int main(void) { return 0; }\n')
    result = run(["gcc", "-o", path, source, *options])
    return path if result.code == 0 else None


def write(name, contents, mode=0o755):
    path = DIRECTORY / name
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    path.chmod(mode)
    return path


# --- programs ----------------------------------------------------------------------------

def loads_preload(program, user=None):
    """Does the loader take up LD_PRELOAD? It complains of a library that is not there."""
    env = dict(harness.clean_env(), LD_PRELOAD="/nonexistent/probe.so")
    result = run([program], env, user=user, group=user)
    return "probe.so" in result.err


def dynamic():
    path = compile_program("dynamic")
    if not path:
        skip("a dynamic program", "no C compiler")
        return None
    can(path, "a dynamic program", [str(path)])
    check(loads_preload(path), "and the loader agrees")
    can("env", "a program in PATH", ["/env)"])
    can("dynamic", "PATH of the environment", [f"({path})"], PATH=f"/nonexistent:{DIRECTORY}")
    link = DIRECTORY / "symlink"
    link.symlink_to(path)
    can(link, "a symlink", [str(link)])
    return path


def static():
    for name, options in (("static", ["-static"]), ("static-pie", ["-static-pie"])):
        path = compile_program(name, *options)
        if not path:
            skip(f"a {name} program", "the compiler cannot link it")
            continue
        cannot(path, f"a {name} program", "statically linked")
        check(not loads_preload(path), "and the loader agrees")


def privileged(program):
    for bit, word in ((0o4000, "setuid"), (0o2000, "setgid")):
        path = DIRECTORY / word
        shutil.copy(program, path)
        path.chmod(0o755 | bit)
        cannot(path, f"a {word} program", word)
        if harness.AS_ROOT:
            check(not loads_preload(path, user=65534), "and the loader agrees")
    path = DIRECTORY / "locking"
    shutil.copy(program, path)
    path.chmod(0o2745)
    can(path, "setgid without the execute bit means nothing")

    path = DIRECTORY / "capable"
    shutil.copy(program, path)
    # struct vfs_cap_data, version 2: CAP_NET_RAW, effective
    value = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
    try:
        os.setxattr(path, "security.capability", value)
    except OSError as error:
        skip("file capabilities", f"cannot set them here: {error.strerror}")
        return
    cannot(path, "file capabilities", "capabilities")


# --- ELF files made by hand --------------------------------------------------------------

def elf(bits=64, big=False, machine=None, kind=3, loader=b"/lib64/ld-linux-x86-64.so.2\0",
        note=b"", sections=()):
    """An ELF file with a loader, perhaps a note, and sections of these names."""
    order = ">" if big else "<"
    wide = "Q" if bits == 64 else "I"
    machine = OWN[1] if machine is None else machine
    header_size, segment_size, section_size = (64, 56, 64) if bits == 64 else (52, 32, 40)
    segments = [(3, loader)] * bool(loader) + [(4, note)] * bool(note) + [(1, b"code")]
    body = header_size + segment_size * len(segments)
    table, blob = b"", b""
    for number, data in segments:
        place, size = body + len(blob), len(data)
        if bits == 64:
            table += struct.pack(f"{order}IIQQQQQQ", number, 4, place, 0, 0, size, size, 1)
        else:
            table += struct.pack(f"{order}IIIIIIII", number, place, 0, 0, size, size, 4, 1)
        blob += data
    names = b"\0" + b"".join(name + b"\0" for name in sections)
    names_at = body + len(blob)
    blob += names
    sections_at = body + len(blob)
    for i in range(len(sections) + 1):
        name = 0 if i == 0 else 1 + sum(len(x) + 1 for x in sections[:i - 1])
        place, size = (names_at, len(names)) if i == 0 else (0, 0)
        blob += struct.pack(f"{order}II{wide}{wide}{wide}{wide}II{wide}{wide}",
                            name, 3, 0, 0, place, size, 0, 0, 1, 0)
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 2 if big else 1, 1]) + bytes(9)
    head = ident + struct.pack(f"{order}HHI{wide}{wide}{wide}IHHHHHH", kind, machine, 1, 0,
                               header_size, sections_at, 0, header_size, segment_size,
                               len(segments), section_size, len(sections) + 1, 0)
    return head + table + blob


def own_elf():
    head = open(CTL, "rb").read(20)
    return {1: 32, 2: 64}[head[4]], struct.unpack("<H", head[18:20])[0]


OWN = own_elf()


def own_loader():
    """The loader's path in our own program."""
    data = open(CTL, "rb").read()
    at = data.index(b"/lib")
    return data[at:data.index(b"\0", at) + 1]


def made_by_hand():
    own = dict(bits=OWN[0], loader=own_loader())
    can(write("minimal", elf(**own)), "a minimal ELF program")
    other = 183 if OWN[1] != 183 else 62
    for name, options in (("other-machine", dict(machine=other)),
                          ("other-class", dict(bits=96 - OWN[0], machine=3)),
                          ("other-order", dict(bits=OWN[0], big=True, machine=8))):
        cannot(write(name, elf(**{**own, **options})), f"ELF: {name}", "bit", "libgatepass.so")
    note = struct.pack("<III", 4, 8, 4) + b"Go\0\0" + b"buildid\0"
    before = struct.pack("<III", 4, 5, 3) + b"GNU\0" + b"12345\0\0\0"
    cannot(write("go-note", elf(note=note, **own)), "Go: the linker's note", "Go program")
    cannot(write("go-note-2", elf(note=before + note, **own)), "Go: behind another note",
           "Go program")
    cannot(write("go-section", elf(sections=(b".text", b".go.buildinfo"), **own)),
           "Go: the section of its build", "Go program")
    cannot(write("go-static", elf(**{**own, "loader": b"", "note": note})),
           "Go: a static one", "Go program")
    can(write("gopher", elf(sections=(b".text", b".go.buildinfo2"), note=before, **own)),
        "other notes and sections are no Go program")
    cannot(write("musl", elf(**{**own, "loader": b"/lib/ld-musl-x86_64.so.1\0"})),
           "musl", "musl")
    cannot(write("android", elf(**{**own, "loader": b"/system/bin/linker64\0"})),
           "a loader that is not glibc's", "/system/bin/linker64")
    cannot(write("no-loader", elf(**{**own, "loader": b"/nonexistent/ld-linux.so.2\0"})),
           "a loader that is not there", "/nonexistent/ld-linux.so.2")
    cannot(write("escape", elf(**{**own, "loader": b"/\x1b[2J\0"})),
           "a loader's name cannot command the terminal", "/?[2J")
    cannot(write("object", elf(kind=1, **own)), "an object file", "object file")
    go = shutil.which("docker") or shutil.which("go")
    if go:
        cannot(go, "a real Go program", "Go program")


def damaged():
    """Whatever is done to a file: an answer, never a crash."""
    whole = elf(bits=OWN[0], loader=own_loader(), sections=(b".text", b".go.buildinfo"),
                note=struct.pack("<III", 4, 5, 3) + b"GNU\0" + b"12345\0\0\0")
    chance = random.Random(1)
    bad = []
    path = DIRECTORY / "damaged"
    # The ident bytes, every table's beginning, and a sample of the rest.
    lengths = sorted(set(range(0, 70)) | set(range(70, len(whole), 17)))
    samples = [whole[:length] for length in lengths]
    for _ in range(200):
        sample = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            sample[chance.randrange(4, len(sample))] = chance.choice((0, 1, 0x7f, 0x80, 0xff))
        samples.append(bytes(sample))
    for sample in samples:
        path = write("damaged", sample)
        result = ask(path)
        if result.code not in (0, 1) or result.out.count("\n") != 1 or result.err:
            bad.append(result)
    check(not bad, f"{len(samples)} cut and damaged ELF files", "\n".join(map(str, bad[:3])))
    cannot(write("cut", whole[:70]), "a cut file is not judged by what is left", "cut off")


# --- scripts -----------------------------------------------------------------------------

def scripts(program):
    can(write("s1", "#!/bin/sh\n"), "a shell script", ["run by /bin/sh)"])
    can(write("s2", "#! /bin/sh -e \n"), "blanks around the interpreter", ["run by /bin/sh)"])
    can(write("s3", "#!/usr/bin/env sh\n"), "env", ["/sh)"])
    can(write("s4", "#!/usr/bin/env -S LANG=C -u X sh -e\n"), "env -S", ["/sh)"])
    can(write("s5", f"#!{program}"), "no newline", [f"run by {program})"])
    can(write("s6", "echo hello\n"), "text without #! is run by the shell", ["run by /bin/sh)"])
    can(write("s7", f"#!{DIRECTORY}/s1\n"), "a script's script", ["run by /bin/sh)"])
    cannot(write("s8", "#!/usr/bin/env no-such-program\n"), "env NAME that is not there",
           "no-such-program")
    cannot(write("s9", "#!/nonexistent/sh\n"), "an interpreter that is not there",
           "/nonexistent/sh")
    cannot(write("s10", f"#!{DIRECTORY}/s10\n"), "a script that runs itself", "without end")
    cannot(write("s11", "#!\n"), "#! and nothing", "neither")
    cannot(write("s12", "#!" + "/" * 5000 + "x\n"), "an endless interpreter")
    cannot(write("s13", b"\0\1\2\3"), "bytes", "neither")
    static_program = DIRECTORY / "static"
    if static_program.exists():
        cannot(write("s14", f"#!{static_program}\n"), "a static interpreter", "static",
               "statically linked")


def not_programs():
    cannot(DIRECTORY, "a directory", "directory")
    cannot(write("plain", "text", 0o644), "a file that is not executable", "not executable")
    cannot("/dev/null", "a device", "regular")
    for program in ("no-such-program", str(DIRECTORY / "nothing")):
        result = ask(program)
        check(result.code == 1 and not result.out and result.err.count("\n") == 1
              and result.err.startswith("gatepassctl: "), "no such program", result)
    if not harness.AS_ROOT:
        cannot(write("secret", "#!/bin/sh\n", 0o111), "a file that cannot be read", "read")


def main():
    program = dynamic()
    static()
    if program:
        privileged(program)
        scripts(program)
    made_by_hand()
    damaged()
    not_programs()


harness.main(main)
