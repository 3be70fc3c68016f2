"""Attacks on the kernel: calls by other doors, devices, privileged and little used calls, capabilities.

Dangerous calls get arguments that the kernel refuses in any case: how far they get shows in the answer.
"""

from tests.execution.attacks import Attack

NUMBERS = """
path = TARGET["secret"].encode()

def x32(number, *arguments):
    called(LIBC.syscall(ctypes.c_long(number | 0x40000000), *arguments))

attempt(
    by_number=lambda: syscall("openat", -100, path, 0),
    indirectly=lambda: called(LIBC.syscall(NUMBERS["openat"], -100, path, 0)),
    high_bits=lambda: called(LIBC.syscall(ctypes.c_long(NUMBERS["socket"] | 1 << 32), 2, 1, 0)),
    wide_argument=lambda: syscall("socket", 2 | 1 << 32, 1, 0),
    library=lambda: called(ctypes.CDLL("libc.so.6", use_errno=True).open(path, 0)),
    x32_open=lambda: x32(2, path, 0),
    x32_socket=lambda: x32(41, 2, 1, 0),
    x32_exec=lambda: x32(520, b"/bin/true", None, None),
    x32_ptrace=lambda: x32(521, 0, 0, 0, 0),
)
"""

# `mov eax, 20; int 0x80; ret`: getpid() of the 32-bit table.
MACHINE_CODE = """
import mmap
code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
print("escaped: interrupt 0x80", flush=True)
"""

DEVICES = """
import fcntl, stat
NAMES = '''mem port kmsg kvm fuse ptmx tty console net/tun loop-control loop0 vda sda nvme0n1 mapper/control uinput
    input/event0 snapshot userfaultfd vhost-net vhost-vsock dri/card0 nvram btrfs-control cuse hpet'''.split()

def device(name, flags):
    os.close(os.open(f"/dev/{name}", flags | os.O_NONBLOCK | os.O_NOCTTY))

attempt(
    **{name: lambda name=name: device(name, os.O_RDONLY) for name in NAMES},
    terminal=lambda: os.openpty(),
    own_device=lambda: os.mknod("null", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
    own_disk=lambda: os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(254, 0)),
    own_device_by_number=lambda: syscall("mknodat", -100, b"zero", stat.S_IFCHR | 0o600, os.makedev(1, 5)),
    own_socket=lambda: os.mknod("socket", stat.S_IFSOCK | 0o600),
    typed=lambda: fcntl.ioctl(0, 0x5412, b"x"),  # TIOCSTI
    console_command=lambda: fcntl.ioctl(0, 0x541C, b"\\0"),  # TIOCLINUX
    wide_command=lambda: called(LIBC.ioctl(0, ctypes.c_ulong(0x5412 | 1 << 32), b"x")),
)
"""

# With null pointers and impossible flags: nothing of this changes the machine, whoever runs it.
CALLS = """
BAD = ctypes.c_void_p(1)

def flags(**kinds):
    return {f"unshare {kind}": lambda flag=flag: syscall("unshare", flag) for kind, flag in kinds.items()}

def left_over(get, remove):
    remove(called(get))

attempt(
    mount=lambda: syscall("mount", BAD, BAD, BAD, 0, 0),
    umount=lambda: syscall("umount2", BAD, 0),
    pivot_root=lambda: syscall("pivot_root", BAD, BAD),
    chroot=lambda: syscall("chroot", BAD),
    fsopen=lambda: os.close(syscall("fsopen", b"tmpfs", 0)),
    open_tree=lambda: os.close(syscall("open_tree", -100, b"/", 0)),
    open_tree_attr=lambda: os.close(syscall("open_tree_attr", -100, b"/", 0, 0, 0)),
    move_mount=lambda: syscall("move_mount", -1, BAD, -1, BAD, 0),
    fspick=lambda: syscall("fspick", -1, BAD, 0),
    mount_setattr=lambda: syscall("mount_setattr", -1, BAD, 0, BAD, 0),
    bpf=lambda: syscall("bpf", 999, BAD, 8),
    perf_event_open=lambda: syscall("perf_event_open", BAD, 0, -1, -1, 0),
    keyctl=lambda: syscall("keyctl", 0, -3, 0),
    add_key=lambda: syscall("add_key", BAD, BAD, 0, 0, -2),
    request_key=lambda: syscall("request_key", BAD, BAD, 0, 0),
    io_uring=lambda: syscall("io_uring_setup", 1, BAD),
    userfaultfd=lambda: os.close(syscall("userfaultfd", 1)),
    shmget=lambda: left_over(LIBC.shmget(0, 4096, 0o600), lambda key: LIBC.shmctl(key, 0, None)),
    semget=lambda: left_over(LIBC.semget(0, 1, 0o600), lambda key: LIBC.semctl(key, 0, 0)),
    msgget=lambda: left_over(LIBC.msgget(0, 0o600), lambda key: LIBC.msgctl(key, 0, None)),
    mq_open=lambda: syscall("mq_open", BAD, 0, 0, 0),
    memfd_create=lambda: os.close(syscall("memfd_create", b"x", 0)),
    memfd_secret=lambda: os.close(syscall("memfd_secret", 0)),
    kexec_load=lambda: syscall("kexec_load", 0, 1 << 20, BAD, 0),
    init_module=lambda: syscall("init_module", BAD, 0, BAD),
    finit_module=lambda: syscall("finit_module", -1, BAD, 0),
    delete_module=lambda: syscall("delete_module", BAD, 0),
    reboot=lambda: syscall("reboot", 0, 0, 0, 0),
    swapon=lambda: syscall("swapon", BAD, 0),
    swapoff=lambda: syscall("swapoff", BAD),
    acct=lambda: syscall("acct", BAD),
    quotactl=lambda: syscall("quotactl", -1, BAD, 0, BAD),
    quotactl_fd=lambda: syscall("quotactl_fd", -1, 0, 0, BAD),
    open_by_handle_at=lambda: syscall("open_by_handle_at", -100, BAD, 0),
    personality=lambda: syscall("personality", 0x40000),
    iopl=lambda: syscall("iopl", 3),
    ioperm=lambda: syscall("ioperm", 0x80, 1, 1),
    syslog=lambda: syscall("syslog", 10, 0, 0),
    settimeofday=lambda: syscall("settimeofday", None, None),
    clock_settime=lambda: syscall("clock_settime", 0, BAD),
    sethostname=lambda: syscall("sethostname", BAD, -1),
    fanotify=lambda: os.close(syscall("fanotify_init", 0x200, 0)),
    process_mrelease=lambda: syscall("process_mrelease", -1, 0),
    move_pages=lambda: syscall("move_pages", TARGET["victim"], 0, None, None, None, 0),
    migrate_pages=lambda: syscall("migrate_pages", TARGET["victim"], 0, None, None),
    setns=lambda: syscall("setns", os.open("/proc/self/ns/net", 0), 0),
    setns_of_victim=lambda: syscall("setns", os.open(f"/proc/{TARGET['victim']}/ns/net", 0), 0),
    **flags(files=0x400, mounts=0x20000, names=0x4000000, ipc=0x8000000, pids=0x20000000),
    **flags(net=0x40000000, user=0x10000000),
)
"""

CAPABILITIES = """
def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(name + ":"))

def none(name):
    if int(status(name), 16) == 0:
        raise OSError(errno.EPERM, "none")

def privileges():
    if status("NoNewPrivs") == "1":
        raise OSError(errno.EPERM, "no new ones")

def capset():
    header, wanted = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[1 << 21, 1 << 21, 0] * 2)
    syscall("capset", header, wanted)

def write(path, text):
    with open(path, "w") as file:
        file.write(text)

attempt(
    **{name: lambda name=name: none(name) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")},
    new_privileges=privileges,
    capset=capset,
    ambient=lambda: called(LIBC.prctl(47, 2, 21, 0, 0)),
    setgroups=lambda: os.setgroups([0]),
    map=lambda: write("/proc/self/uid_map", "0 0 1"),
)
"""

ROOT = """
def identity():
    if 0 not in os.getresuid() + os.getresgid() + tuple(os.getgroups()):
        raise OSError(errno.EPERM, "not that of root")

def become(change):
    try:
        change(0, 0, 0)
    except OSError:  # EINVAL, too: a user namespace may not know root at all
        raise OSError(errno.EPERM, "no") from None

attempt(identity=identity, setuid=lambda: become(os.setresuid), setgid=lambda: become(os.setresgid))
"""

ATTACKS = (
    Attack(27, "call the kernel by other doors", NUMBERS),
    Attack(27, "call the kernel from machine code", MACHINE_CODE, ends=("SIGSYS",)),
    Attack(28, "open devices, make some", DEVICES),
    Attack(29, "use privileged and little used calls", CALLS),
    Attack(44, "use what privileges are left", CAPABILITIES),
    Attack(44, "be root", ROOT, needs="root"),
)
