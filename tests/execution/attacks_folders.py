"""Attacks around files: on their modes, times and locks, on knowing of them, on folders of other runs and our own."""

from tests.execution.attacks import ANYWHERE, NAIVE, Attack

# Once on a file that nothing grants, once on one that may be read: it lies beside the installed packages.
METADATA = """
attribute, value, at = b"user.attack", b"x", -100
times = (ctypes.c_long * 4)(1, 0, 1, 0)

class Attribute(ctypes.Structure):
    _fields_ = [("value", ctypes.c_char_p), ("size", ctypes.c_uint32), ("flags", ctypes.c_uint32)]

def opened(path, act):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return act(descriptor)
    finally:
        os.close(descriptor)

def no_dump(descriptor):
    import fcntl
    flags = bytearray(8)
    fcntl.ioctl(descriptor, 0x80086601, flags)  # FS_IOC_GETFLAGS
    flags[0] ^= 0x40  # not to be dumped: of no consequence
    fcntl.ioctl(descriptor, 0x40086602, bytes(flags))  # FS_IOC_SETFLAGS

def flags_by_path(path):
    attributes = (ctypes.c_uint64 * 3)(0x80)  # FS_XFLAG_NODUMP
    syscall("file_setattr", at, path, attributes, ctypes.sizeof(attributes), 0)

for kind, name in ("file", TARGET["files"][0]), ("shared", TARGET["shared"]):
    path, user = name.encode(), os.getuid()
    claim(**{f"{way}, {kind}": act for way, act in {
        "chmod": lambda: os.chmod(path, 0o777),
        "fchmod": lambda: opened(path, lambda file: os.fchmod(file, 0o777)),
        "fchmodat": lambda: syscall("fchmodat", at, path, 0o777),
        "fchmodat2": lambda: syscall("fchmodat2", at, path, 0o777, 0),
        "chown": lambda: os.chown(path, user, os.getgid()),
        "utime": lambda: os.utime(path, (1, 1)),
        "utime by number": lambda: syscall("utime", path, times),
        "utimes": lambda: syscall("utimes", path, times),
        "futimesat": lambda: syscall("futimesat", at, path, times),
        "utimensat": lambda: syscall("utimensat", at, path, times, 0),
        "futimens": lambda: opened(path, lambda file: os.utime(file, (1, 1))),
        "setxattr": lambda: os.setxattr(path, attribute, value),
        "lsetxattr": lambda: os.setxattr(path, attribute, value, follow_symlinks=False),
        "fsetxattr": lambda: opened(path, lambda file: os.setxattr(file, attribute, value)),
        "setxattrat": lambda: syscall(
            "setxattrat", at, path, 0, attribute, ctypes.byref(Attribute(value, 1, 0)), ctypes.sizeof(Attribute)
        ),
        "removexattr": lambda: os.removexattr(path, b"user.kept"),
        "removexattrat": lambda: syscall("removexattrat", at, path, 0, b"user.kept"),
        "flags": lambda: opened(path, no_dump),
        "file_setattr": lambda: flags_by_path(path),
    }.items()})
"""

STAT = """
path, folder = TARGET["secret"], TARGET["folder"]

def watched():
    descriptor = called(LIBC.inotify_init())
    called(LIBC.inotify_add_watch(descriptor, folder.encode(), 0xFFF))

def moved():
    here = os.getcwd()
    os.chdir(folder)
    os.chdir(here)

attempt(
    stat=lambda: os.stat(path),
    link=lambda: os.lstat(path),
    path_only=lambda: os.fstat(os.open(path, os.O_PATH)),
    access=lambda: called(LIBC.access(path.encode(), 0)),
    file_system=lambda: os.statvfs(folder),
    attributes=lambda: os.listxattr(path),
    watched=watched,
    moved=moved,
)
"""

LOCKS = """
import fcntl

def descriptor():
    return os.open(TARGET["shared"], os.O_RDONLY)

%s
"""

# Whoever opens the file to write waits until the kernel takes the lease back, after 45 s.
LEASES = (
    LOCKS
    % """attempt(
    read_lease=lambda: fcntl.fcntl(descriptor(), fcntl.F_SETLEASE, fcntl.F_RDLCK),
    write_lease=lambda: fcntl.fcntl(descriptor(), fcntl.F_SETLEASE, fcntl.F_WRLCK),
)"""
)

ADVISORY_LOCKS = (
    LOCKS
    % """attempt(
    exclusive=lambda: fcntl.flock(descriptor(), fcntl.LOCK_EX | fcntl.LOCK_NB),
    shared=lambda: fcntl.lockf(descriptor(), fcntl.LOCK_SH | fcntl.LOCK_NB),
)"""
)

SIBLINGS = """
here = os.getcwd()
own, all = os.path.dirname(here), os.path.dirname(os.path.dirname(here))

def listing(folder, known):
    if os.listdir(folder) == [os.path.basename(known)]:
        raise OSError(errno.ENOENT, "nothing but what is mine")

attempt(
    listing_own=lambda: listing(own, here),
    listing=lambda: listing(all, own),
    read=lambda: open(TARGET["sibling"]).read(),
    write=lambda: open(TARGET["sibling"], "a"),
    create=lambda: open(f"{own}/{TARGET['name']}", "x"),
    rename=lambda: os.rename(here, f"{here}.moved"),
)
"""

LEFT_BEHIND = """
import time
os.mkdir("closed", 0o000)
os.mkdir("shut")
os.close(os.open("shut/file", os.O_CREAT, 0o000))
os.chmod("shut", 0)
os.mkdir(b"\\xff\\n\\x1b[31m")
with open(b"\\xfe.txt", "w") as file:
    file.write("x")
here = os.getcwd()
os.mkdir("deep")
os.chdir("deep")
for _ in range(1100):
    os.mkdir("%s")
    os.chdir("%s")
os.chdir(here)
time.sleep(0.5)  # so that the supervisor looks into it
print("held: tidy: made")
"""

ATTACKS = (
    Attack(17, "change modes, times, attributes and flags", METADATA),
    Attack(41, "learn of files that it may not read", STAT, escapes=("base",)),
    Attack(45, "keep others from opening files that it may read", LEASES),
    Attack(52, "lock files that it may read", ADVISORY_LOCKS, escapes=ANYWHERE, needs="packages"),
    Attack(46, "look into another run", SIBLINGS),
    *(
        Attack(
            47,
            f"leave a folder that is too {title}",
            LEFT_BEHIND.replace("%s", name),
            control=NAIVE,
            ends=("exit", "disk"),
        )
        for title, name in (("deep", "d"), ("long", "d" * 100))
    ),
)
