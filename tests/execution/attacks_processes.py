"""Attacks on other processes, and attempts to become several or to outlive the run."""

from tests.execution.attacks import NAIVE, Attack

ENVIRONMENT = """
import glob

def look(path):
    if TARGET["mark"] in open(path, "rb").read().decode("utf-8", "replace"):
        return
    raise OSError(errno.ENOENT, "not there")

def anywhere(pattern):
    for path in glob.glob(pattern):
        try:
            return look(path)
        except OSError:
            pass
    raise OSError(errno.ENOENT, "not there")

def own():
    if TARGET["mark"] not in str(os.environ):
        raise OSError(errno.ENOENT, "not there")

victim = TARGET["victim"]
attempt(
    own=own,
    victim=lambda: look(f"/proc/{victim}/environ"),
    victim_thread=lambda: look(f"/proc/{victim}/task/{victim}/environ"),
    parent=lambda: look(f"/proc/{os.getppid()}/environ"),
    all=lambda: anywhere("/proc/[0-9]*/environ"),
)
"""

TRACE = """
ATTACH, DETACH, SEIZE, PEEK = 16, 17, 0x4206, 1
victim, room = TARGET["victim"], ctypes.create_string_buffer(64)

class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

def trace(how):
    syscall("ptrace", how, victim, 0, 0)
    if how == ATTACH:
        os.waitpid(victim, 0x40000000)
        syscall("ptrace", DETACH, victim, 0, 0)

def vectors():
    mine, theirs = Vector(ctypes.addressof(room), 8), Vector(TARGET["address"], 8)
    return victim, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0

def memory(process, flags):
    os.close(os.open(f"/proc/{process}/mem", flags))

def borrow():
    process = syscall("pidfd_open", victim, 0)
    os.close(syscall("pidfd_getfd", process, 0, 0))

def advise():
    process = syscall("pidfd_open", victim, 0)
    where = Vector(TARGET["address"] & ~4095, 4096)
    syscall("process_madvise", process, ctypes.byref(where), 1, 20, 0)

attempt(
    attach=lambda: trace(ATTACH),
    seize=lambda: trace(SEIZE),
    trace_me=lambda: syscall("ptrace", 0, 0, 0, 0),
    read=lambda: syscall("process_vm_readv", *vectors()),
    write=lambda: syscall("process_vm_writev", *vectors()),
    memory=lambda: memory(victim, os.O_RDONLY),
    memory_to_write=lambda: memory(victim, os.O_RDWR),
    memory_of_parent=lambda: memory(os.getppid(), os.O_RDONLY),
    memory_of_init=lambda: memory(1, os.O_RDONLY),
    map=lambda: open(f"/proc/{victim}/maps").read(),
    stack=lambda: open(f"/proc/{victim}/syscall").read(),
    descriptors=lambda: os.listdir(f"/proc/{victim}/fd"),
    descriptors_of_init=lambda: os.listdir("/proc/1/fd"),
    descriptors_of_parent=lambda: os.listdir(f"/proc/{os.getppid()}/fd"),
    borrow=borrow,
    compare=lambda: syscall("kcmp", os.getpid(), victim, 1, 0, 0),
    advise=advise,
)
"""

SIGNALS = """
import fcntl, signal
victim, STOP, CONT = TARGET["victim"], signal.SIGSTOP, signal.SIGCONT

def asynchronous(set_owner):
    "The kernel sends the signal when there is something to read."
    reader, writer = os.pipe()
    set_owner(reader)
    fcntl.fcntl(reader, 10, CONT)  # F_SETSIG
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writer, b"x")
    os.close(writer)

def by_descriptor():
    syscall("pidfd_send_signal", syscall("pidfd_open", victim, 0), CONT, None, 0)

def queued(name, *to):
    information = (ctypes.c_int * 32)(CONT, 0, -1)  # SI_QUEUE
    syscall(name, *to, CONT, information)

attempt(
    ask=lambda: os.kill(victim, 0),
    parent=lambda: os.kill(os.getppid(), 0) if os.getppid() else called(-1),
    group=lambda: os.killpg(TARGET["victim_group"], 0),
    thread=lambda: syscall("tkill", victim, CONT),
    thread_of_group=lambda: syscall("tgkill", victim, victim, CONT),
    by_descriptor=by_descriptor,
    queued=lambda: queued("rt_sigqueueinfo", victim),
    queued_to_thread=lambda: queued("rt_tgsigqueueinfo", victim, victim),
    stop=lambda: os.kill(victim, STOP),
)
claim(
    owner=lambda: asynchronous(lambda reader: fcntl.fcntl(reader, fcntl.F_SETOWN, victim)),
    owner_ex=lambda: asynchronous(lambda reader: fcntl.fcntl(reader, 15, bytes((ctypes.c_int * 2)(1, victim)))),
    kill=lambda: os.kill(victim, signal.SIGKILL),
)
"""

# Signal 0 asks and does nothing.
SIGNAL_TO_ALL = """
attempt(
    everybody=lambda: os.kill(-1, 0),
    everybody_by_number=lambda: syscall("kill", -1, 0),
    init=lambda: os.kill(1, 0),
    groups=lambda: os.kill(-TARGET["victim_group"], 0),
)
"""

FORKS = """
def child(process):
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)

def clone3():
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = 17  # SIGCHLD
    child(syscall("clone3", arguments, ctypes.sizeof(arguments)))

attempt(
    fork=lambda: child(os.fork()),
    library=lambda: child(called(LIBC.fork())),
    by_number=lambda: child(syscall("fork")),
    clone=lambda: child(syscall("clone", 17, 0, 0, 0, 0)),
    clone3=clone3,
    clone_parent=lambda: child(syscall("clone", 0x8000 | 17, 0, 0, 0, 0)),
    terminal=lambda: child(os.forkpty()[0]),
    spawn=lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
)
"""

DAEMON = """
import signal, time

def daemon():
    for number in (1, 2, 15):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in 0, 1, 2:
                os.close(descriptor)
            time.sleep(3)
        os._exit(0)

claim(daemon=daemon)
time.sleep(0.1)
"""

PROGRAMS = """
import subprocess
path = TARGET["secret"]

def in_memory():
    descriptor = syscall("memfd_create", b"program", 0)
    os.write(descriptor, open("/bin/true", "rb").read())
    os.waitpid(os.posix_spawn(f"/proc/self/fd/{descriptor}", ["true"], {}), 0)

def own_program():
    with open("program", "wb") as file:
        file.write(open("/bin/true", "rb").read())
    os.chmod("program", 0o755)
    subprocess.run(["./program"], check=True)

def system(command):
    if os.system(command) != 0:
        raise OSError(errno.EPERM, "no")

attempt(
    system=lambda: system(f"cat {path}"),
    popen=lambda: subprocess.run(["/bin/cat", path], check=True),
    shell=lambda: subprocess.run(f"cat {path}", shell=True, check=True),
    python=lambda: subprocess.run([sys.executable, "-c", "print(1)"], check=True),
    spawn=lambda: os.waitpid(os.posix_spawn("/bin/cat", ["cat", path], {}), 0),
    in_memory=in_memory,
    own_program=own_program,
    thread_exec=lambda: syscall("execveat", -100, b"/nowhere", None, None, 1 << 30),
)
replace = lambda: os.execv("/bin/cat", ["cat", path])
attempt(replace=replace)
"""

OUTLIVE = """
attempt(
    no_death_signal=lambda: called(LIBC.prctl(1, 0, 0, 0, 0)),
    subreaper=lambda: called(LIBC.prctl(36, 1, 0, 0, 0)),
    traceable=lambda: called(LIBC.prctl(0x59616D61, -1, 0, 0, 0)),
    virtual_memory=lambda: called(LIBC.prctl(35, 1, 0, 0, 0)),
)
"""

ATTACKS = (
    Attack(3, "read secrets in environments", ENVIRONMENT),
    Attack(8, "fork", FORKS),
    Attack(18, "trace another process, read and write its memory", TRACE),
    Attack(19, "signal another process", SIGNALS),
    Attack(20, "signal every process", SIGNAL_TO_ALL),
    Attack(21, "leave a daemon behind", DAEMON, control=NAIVE),
    Attack(26, "run another program", PROGRAMS),
    Attack(49, "undo what ties it to its run", OUTLIVE),
)
