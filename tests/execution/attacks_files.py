"""Attacks on files outside the scratch folder: to read them and to change them."""

from tests.execution.attacks import Attack

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

ATTACKS = (
    Attack(1, "read the accounts of the machine", ACCOUNTS),
    Attack(2, "read a secret file", SECRET),
    Attack(15, "write outside", WRITE),
    Attack(16, "link, move, cut and delete outside", MOVE),
    Attack(31, "poison the installed packages", POISON, needs="packages"),
    Attack(43, "cut a file while opening it to read", TRUNCATE),
)
