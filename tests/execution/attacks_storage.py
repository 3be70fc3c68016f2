"""Attacks on memory and disk; nothing of it is large, so that the controls do no harm."""

from dlcodegen.execution.sandbox.limits import MIB, Limits
from tests.execution.attacks import NAIVE, Attack

MEMORY = """
import time
kept = []

def fill():
    for _ in range(28):
        kept.append(b"x" * (16 << 20))
    time.sleep(0.5)

attempt(private=fill)
"""

SHARED_MEMORY = """
import time
SIZE = 448 << 20
block = b"x" * (1 << 20)

def write_all(descriptor):
    try:
        for _ in range(SIZE // len(block)):
            os.write(descriptor, block)
        time.sleep(0.5)
    finally:
        os.close(descriptor)

def in_memory():
    write_all(syscall("memfd_create", b"x", 0))

def in_folder():
    path = f"/dev/shm/{TARGET['name']}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    os.unlink(path)
    write_all(descriptor)

attempt(in_memory=in_memory, in_folder=in_folder, secret=lambda: os.ftruncate(syscall("memfd_secret", 0), SIZE))
"""

ANONYMOUS_MEMORY = """
import mmap, time
SIZE, block = 448 << 20, b"x" * (1 << 20)

def fill(descriptor, forget):
    shared = mmap.mmap(descriptor, SIZE)
    while shared.tell() < SIZE:
        shared.write(block)
        if forget:  # the pages stay, but no longer count as used by this process
            shared.madvise(mmap.MADV_DONTNEED)
    time.sleep(0.5)

attempt(%s)
"""

LARGE_FILE = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
SIZE = 20 << 20

def file():
    return os.open("large", os.O_RDWR | os.O_CREAT | os.O_TRUNC)

def write():
    descriptor, done = file(), 0
    while done < SIZE:
        done += os.write(descriptor, b"x" * (1 << 20))

def beyond():
    os.pwrite(file(), b"x", 10 << 30)

attempt(
    write=write,
    beyond=beyond,
    truncate=lambda: os.truncate(file(), 10 << 30),
    allocate=lambda: os.posix_fallocate(file(), 0, SIZE),
)
"""

DISK = """
import time

def fill():
    for number in range(16):
        with open(str(number), "wb") as file:
            file.write(b"x" * (4 << 20))
    time.sleep(0.5)

def hide():
    for _ in range(45):  # a path longer than the kernel takes: it can be gone, and not be named
        os.mkdir("d" * 100)
        os.chdir("d" * 100)
    fill()

def darken():
    os.mkdir("dark", 0o300)  # its owner may write there, and not look
    os.chdir("dark")
    fill()

attempt(files=%s)
"""

DELETED_FILES = """
import mmap, time
kept = []

def fill(open_one):
    for number in range(16):
        kept.append(open_one(str(number)))
        os.write(kept[-1], b"x" * (4 << 20))
    time.sleep(0.5)

def deleted(name):
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT)
    os.unlink(name)
    return descriptor

def unnamed(name):
    return os.open(".", os.O_WRONLY | os.O_TMPFILE)

def fill_mapped():
    for number in range(16):
        with open(str(number), "w+b") as file:
            file.truncate(4 << 20)
            kept.append(mmap.mmap(file.fileno(), 4 << 20))
        os.unlink(str(number))
        kept[-1].write(b"x" * (4 << 20))
    time.sleep(0.5)

attempt(%s)
"""

MANY = """
import time

def many():
    for number in range(10_500):
        os.close(os.open(f"{number}", os.O_CREAT))
    time.sleep(0.5)

attempt(many=many)
"""

SMALL = Limits(wall=10, memory=384 * MIB, file_size=8 * MIB, disk=16 * MIB, processes=64)

ATTACKS = (
    Attack(10, "fill the memory", MEMORY, control=NAIVE, ends=("exit", "memory"), limits=SMALL),
    Attack(11, "fill files that lie in memory", SHARED_MEMORY, control=NAIVE, ends=("exit", "memory"), limits=SMALL),
    *(
        Attack(11, f"fill {title}", ANONYMOUS_MEMORY % how, control=NAIVE, ends=("exit", "memory"), limits=SMALL)
        for title, how in (
            ("shared memory", "shared=lambda: fill(-1, False)"),
            ("shared memory and forget it", "forgotten=lambda: fill(-1, True)"),
            ("zeros and forget them", 'zeros=lambda: fill(os.open("/dev/zero", os.O_RDWR), True)'),
        )
    ),
    Attack(12, "write a file too large", LARGE_FILE, control=NAIVE, limits=SMALL),
    *(
        Attack(13, f"fill the disk{title}", DISK % how, control=NAIVE, ends=("exit", "disk"), limits=SMALL)
        for title, how in (("", "fill"), (" too deep to be seen", "hide"), (" in a dark folder", "darken"))
    ),
    Attack(14, "make thousands of files", MANY, control=NAIVE, ends=("exit", "disk"), limits=Limits(wall=30)),
    *(
        Attack(
            50,
            f"fill the disk with {title} files",
            DELETED_FILES % how,
            control=NAIVE,
            ends=("exit", "disk"),
            limits=SMALL,
        )
        for title, how in (
            ("deleted", "deleted=lambda: fill(deleted)"),
            ("nameless", "unnamed=lambda: fill(unnamed)"),
            ("mapped", "mapped=fill_mapped"),
        )
    ),
)
