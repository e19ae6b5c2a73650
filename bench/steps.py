#!/usr/bin/env python3
"""How many instructions a cycle takes that a Java thread does again and again, compiled, as a processor runs them: one by one.

    steps.py COMMAND...

The command is a JVM that runs io.leasehold.bench.Steps. Its thread is stopped after each instruction, as a debugger does it, which needs
no counter of the processor's. A cycle begins where the thread makes the system call sched_yield. The median of the cycles is printed: some
meet a collection, a clock that ticked, a buffer that was full.
"""

import contextlib
import ctypes
import os
import platform
import re
import signal
import statistics
import subprocess
import sys

CYCLES = 300
# Of <sys/ptrace.h>, <sys/wait.h> and <asm/unistd_64.h>.
STEP, REGISTERS, SEIZE, INTERRUPT = 9, 12, 0x4206, 0x4207
ANY_THREAD = 0x40000000
# struct user_regs_struct: so many words, and which of them are the number of a system call and the next instruction's address.
WORDS, RAX, RIP = 27, 10, 16
SYSCALL, SCHED_YIELD = b'\x0f\x05', 24

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def trace(request, thread, data=0):
    if libc.ptrace(request, thread, 0, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f'ptrace, request {request:#x}: {os.strerror(error)}')


def steps_between_yields(process, thread, cycles):
    """How many instructions the thread does from one sched_yield to the next, so many times."""
    registers = (ctypes.c_ulonglong * WORDS)()
    is_syscall, gaps = {}, []
    step, last, pending = 0, None, 0
    with open(f'/proc/{process}/mem', 'rb', buffering=0) as memory:
        trace(SEIZE, thread)
        trace(INTERRUPT, thread)
        os.waitpid(thread, ANY_THREAD)
        while len(gaps) < cycles:
            trace(STEP, thread, pending)
            _, status = os.waitpid(thread, ANY_THREAD)
            if not os.WIFSTOPPED(status):
                raise RuntimeError('the JVM has ended')
            step += 1
            # A signal is the JVM's own, which it gets with the next step.
            pending = 0 if os.WSTOPSIG(status) == signal.SIGTRAP else os.WSTOPSIG(status)
            trace(REGISTERS, thread, ctypes.addressof(registers))
            at = registers[RIP]
            if at not in is_syscall:
                is_syscall[at] = os.pread(memory.fileno(), len(SYSCALL), at) == SYSCALL
            if is_syscall[at] and registers[RAX] == SCHED_YIELD:
                if last is not None:
                    gaps.append(step - last)
                last = step
    return gaps


def reap_traced():
    """A traced thread is its tracer's to reap, and a process has ended when its last thread is reaped."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, ANY_THREAD)


def main():
    if len(sys.argv) < 2:
        sys.exit('usage: steps.py COMMAND...')
    if platform.machine() != 'x86_64':
        sys.exit(f'steps.py: knows the registers of x86-64 only, not of {platform.machine()}')
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, universal_newlines=True) as jvm:
        try:
            said = jvm.stdout.readline()
            if not re.fullmatch(r'\d+\n', said):
                sys.exit(f'steps.py: expected the number of a thread, not: {said!r}')
            gaps = steps_between_yields(jvm.pid, int(said), CYCLES)
        finally:
            jvm.kill()
            reap_traced()
    print(statistics.median_low(gaps))


main()
