"""Attacks on files outside the scratch folder: to read them, to change them, to learn of them."""

from tests.execution.attacks import ANYWHERE, NAIVE, Attack

READ = """
def read(path, flags=os.O_RDONLY, **more):
    descriptor = os.open(path, flags, **more)
    print(os.read(descriptor, 1000))
    os.close(descriptor)
"""

ACCOUNTS = (
    READ
    + """
def listing():
    if "passwd" not in os.listdir("/etc"):
        raise OSError(errno.ENOENT, "another /etc")

attempt(
    passwd=lambda: read("/etc/passwd"),
    shadow=lambda: read("/etc/shadow"),
    hostname=lambda: read("/etc/hostname"),
    listing=listing,
)
"""
)

SECRET = (
    READ
    + """
path = TARGET["secret"]
folder, name = os.path.split(path)

def by_link(make, made):
    make(path, made)
    read(made)

def from_there():
    here = os.getcwd()
    os.chdir(folder)
    try:
        read(name)
    finally:
        os.chdir(here)

def below(flags):
    read(name, dir_fd=os.open(folder, flags | os.O_DIRECTORY))

def reopened():
    read(f"/proc/self/fd/{os.open(path, os.O_PATH)}")

how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
attempt(
    directly=lambda: read(path),
    symbolic_link=lambda: by_link(os.symlink, "symbolic"),
    hard_link=lambda: by_link(os.link, "hard"),
    folder=lambda: below(os.O_RDONLY),
    path_only_folder=lambda: below(os.O_PATH),
    path_only_file=reopened,
    from_there=from_there,
    own_root=lambda: read("/proc/self/root" + path),
    root_of_init=lambda: read("/proc/1/root" + path),
    dots=lambda: read("../" * 40 + path),
    current_folder=lambda: read("/proc/self/cwd/" + "../" * 40 + path),
    root_of_victim=lambda: read(f"/proc/{TARGET['victim']}/root{path}"),
    openat2=lambda: os.read(syscall("openat2", -100, path.encode(), how, ctypes.sizeof(how)), 100),
    listing=lambda: os.listdir(folder),
    no_access_time=lambda: read(path, os.O_RDONLY | os.O_NOATIME),
)
"""
)

WRITE = """
def create(folder):
    with open(f"{folder}/{TARGET['name']}", "x") as file:
        file.write("x")

def unnamed(folder):
    os.write(os.open(folder, os.O_TMPFILE | os.O_WRONLY), b"x")

def change(path, flags):
    os.write(os.open(path, os.O_WRONLY | flags), b"x")

claim(**{f"create in {folder}": lambda folder=folder: create(folder) for folder in TARGET["places"]})
claim(
    unnamed_file=lambda: unnamed(TARGET["folder"]),
    folder=lambda: os.mkdir(TARGET["folder"] + "/made"),
    append=lambda: change(TARGET["files"][0], os.O_APPEND),
    overwrite=lambda: change(TARGET["files"][1], os.O_TRUNC),
    shared=lambda: change(TARGET["shared"], os.O_APPEND),
)
"""

MOVE = """
one, two, three, four, five, six = TARGET["files"]
folder, shared = TARGET["folder"], TARGET["shared"]

def own(name):
    with open(name, "w") as file:
        file.write("mine")
    return name

def in_there():
    at = os.open(folder, os.O_PATH)
    os.unlink(os.path.basename(six), dir_fd=at)

claim(
    symbolic_link=lambda: os.symlink("/nowhere", folder + "/symbolic"),
    hard_link=lambda: os.link(one, folder + "/hard"),
    taken_in=lambda: os.link(one, "taken"),
    shared_taken_in=lambda: os.link(shared, "taken too"),
    put_out=lambda: os.link(own("a"), folder + "/put"),
    rename=lambda: os.rename(one, one + ".moved"),
    moved_in=lambda: os.rename(two, "moved"),
    replace=lambda: os.replace(own("b"), three),
    exchange=lambda: called(LIBC.renameat2(-100, own("c").encode(), -100, three.encode(), 2)),
    truncate=lambda: os.truncate(four, 0),
    truncate_shared=lambda: os.truncate(shared, 0),
    unlink=lambda: os.unlink(five),
    unlink_below=in_there,
    unlink_shared=lambda: os.unlink(shared),
    rmdir=lambda: os.rmdir(folder + "/empty"),
)
"""

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

POISON = """
import sysconfig, torch
packages, site = os.path.dirname(os.path.dirname(torch.__file__)), TARGET["name"]

def create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))

def open_to_write(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))

claim(
    package=lambda: create(f"{packages}/{site}"),
    path_file=lambda: create(f"{packages}/{site}.pth"),
    program=lambda: create(f"{sys.prefix}/bin/{site}"),
    library=lambda: create(f"{sysconfig.get_path('stdlib')}/{site}"),
    cache=lambda: create(f"{packages}/torch/__pycache__/{site}"),
)
attempt(
    torch=lambda: open_to_write(torch.__file__),
    random=lambda: open_to_write(sysconfig.get_path("stdlib") + "/random.py"),
    python=lambda: open_to_write(os.path.realpath(sys.executable)),
    settings=lambda: open_to_write(sys.prefix + "/pyvenv.cfg"),
)
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

TRUNCATE = """
how = (ctypes.c_uint64 * 3)(os.O_RDONLY | os.O_TRUNC, 0, 0)
for kind, name in ("file", TARGET["files"][0]), ("shared", TARGET["shared"]):
    path, flags = name.encode(), os.O_RDONLY | os.O_TRUNC
    claim(**{f"{way}, {kind}": act for way, act in {
        "open": lambda: syscall("open", path, flags),
        "openat": lambda: os.open(path, flags),
        "openat2": lambda: syscall("openat2", -100, path, how, ctypes.sizeof(how)),
        "creat": lambda: syscall("creat", path, 0o644),
    }.items()})
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
for _ in range(1500):
    os.mkdir("%s")
    os.chdir("%s")
os.chdir(here)
time.sleep(0.5)  # so that the supervisor looks into it
print("held: tidy: made")
"""

ATTACKS = (
    Attack(1, "read the accounts of the machine", ACCOUNTS),
    Attack(2, "read a secret file", SECRET),
    Attack(15, "write outside", WRITE),
    Attack(16, "link, move, cut and delete outside", MOVE),
    Attack(17, "change modes, times, attributes and flags", METADATA),
    Attack(31, "poison the installed packages", POISON),
    Attack(41, "learn of files that it may not read", STAT, escapes=("base",)),
    Attack(43, "cut a file while opening it to read", TRUNCATE),
    Attack(45, "keep others from opening files that it may read", LEASES),
    Attack(52, "lock files that it may read", ADVISORY_LOCKS, escapes=ANYWHERE),
    Attack(46, "look into another run", SIBLINGS),
    *(
        Attack(47, f"leave a folder that is too {title}", LEFT_BEHIND.replace("%s", name), control=NAIVE, ends=("exit", "disk"))
        for title, name in (("deep", "d"), ("long", "d" * 100))
    ),
)
